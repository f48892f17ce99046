"""The arithmetic against transformers: parameters exactly, on the meta device, where Qwen3-32B takes no memory."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from suture_agent.errors import SettingsError
from suture_training.plan import memory
from suture_training.plan.machines import GIB, GPUS, gpus_of
from suture_training.plan.shapes import SHAPES, Shape, shape_of

QWEN = SHAPES["Qwen/Qwen3-32B"]
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def model_of(shape: Shape) -> Any:
    """The model of this shape by transformers, without weights."""
    torch = pytest.importorskip("torch", reason="the training libraries are not installed: pip install 'suture[train]'")
    transformers = pytest.importorskip("transformers")
    fields = {
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "tie_word_embeddings": shape.tied,
    }
    with torch.device("meta"):
        if shape.bias:
            return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**fields))
        return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**fields, head_dim=shape.head))


@pytest.mark.parametrize(
    "name", ["Qwen/Qwen3-32B", "Qwen/Qwen3-0.6B", "Qwen/Qwen2.5-Coder-0.5B-Instruct", "Qwen/Qwen2.5-Coder-32B-Instruct"]
)
def test_parameters_are_those_of_transformers_exactly(name):
    shape = SHAPES[name]
    model = model_of(shape)
    assert shape.parameters == sum(weight.numel() for weight in model.parameters())
    assert shape.block == sum(weight.numel() for weight in model.model.layers[0].parameters())


def test_qwen3_32b_has_as_many_parameters_as_are_published():
    """The model card: 32.8 billion, 31.2 without embeddings."""
    assert QWEN.parameters == 32_762_123_264
    assert round((QWEN.parameters - QWEN.embedding) / 1e9, 1) == 31.2
    assert QWEN.kv_bytes == 256 * 1024


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # PEFT 0.21 still asks transformers for it
def test_a_lora_is_that_of_peft_exactly():
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(model_of(QWEN), peft.LoraConfig(r=16, target_modules=LINEAR))
    assert QWEN.lora(16) == sum(weight.numel() for weight in model.parameters() if weight.requires_grad) == 134_217_728


def test_the_inside_of_a_block_has_room_for_what_autograd_saves_and_for_gradients():
    """Bytes that autograd saves for the backward pass of one block, in bfloat16, against the formula."""
    torch = pytest.importorskip("torch")
    small = Shape(name="s", layers=1, hidden=256, intermediate=768, heads=8, kv_heads=2, head=32, vocabulary=64)
    transformers = pytest.importorskip("transformers")
    config = transformers.Qwen3Config(
        vocab_size=64,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=1,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=32,
    )
    model = transformers.Qwen3Model(config).to(torch.bfloat16)
    block, tokens = model.layers[0], 128
    weights = {weight.untyped_storage().data_ptr() for weight in block.parameters()}
    kept: dict[int, int] = {}

    def save(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    inputs = torch.randn(1, tokens, 256, dtype=torch.bfloat16, requires_grad=True)
    positions = model.rotary_emb(inputs, torch.arange(tokens)[None])
    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        block(inputs, position_embeddings=positions, attention_mask=None)
    counted = memory.activations(small, tokens) - memory.activations(msgspec.structs.replace(small, layers=0), tokens)
    inside = memory.activations(msgspec.structs.replace(small, layers=0), tokens)
    assert counted == tokens * 256 * 2
    assert 0.7 * inside < sum(kept.values()) < 0.9 * inside  # the rest is for gradients, which are not saved


def test_full_training_takes_16_bytes_a_parameter_wherever_they_lie():
    on_gpus = memory.full(QWEN, gpus=8, tokens=8192, optimiser="gpu")
    states = on_gpus.weights + on_gpus.gradients + on_gpus.optimiser
    assert states == pytest.approx(16 * QWEN.parameters / 8, abs=8)
    assert on_gpus.host == 0
    hosted = memory.full(QWEN, gpus=8, tokens=8192, optimiser="host")
    assert hosted.host == 16 * QWEN.parameters
    assert hosted.weights + hosted.gradients == pytest.approx(4 * QWEN.parameters / 8, abs=8)
    assert on_gpus.total - hosted.total == pytest.approx(12 * QWEN.parameters / 8, abs=8)


def test_a_lora_keeps_the_weights_frozen():
    found = memory.lora(QWEN, gpus=1, tokens=4096, rank=16)
    assert found.weights == 2 * QWEN.parameters
    assert found.gradients == found.optimiser == found.gathered == 0
    assert found.lora == 16 * QWEN.lora(16)
    assert memory.lora(QWEN, gpus=8, tokens=4096, rank=16).weights * 8 == pytest.approx(2 * QWEN.parameters, abs=8)


def test_memory_grows_with_tokens_and_shrinks_with_gpus():
    one, two = (memory.full(QWEN, gpus=16, tokens=tokens, optimiser="gpu") for tokens in (8192, 16_384))
    assert two.activations == 2 * one.activations
    assert two.logits == one.logits
    assert memory.full(QWEN, gpus=32, tokens=8192, optimiser="gpu").total < one.total


def test_served_tokens_are_what_the_weights_leave():
    card = GPUS["H100"].memory
    assert memory.served(QWEN, memory=card, parallel=1) < 32_768
    two = memory.served(QWEN, memory=card, parallel=2)
    assert two == ((card * 90 // 100 - 3 * GIB) * 2 - 2 * QWEN.parameters) // QWEN.kv_bytes
    assert memory.served(QWEN, memory=GPUS["L40S"].memory, parallel=1) < 0


@pytest.mark.parametrize("text", ["8xH200", "8 x h200", "8*H200"])
def test_gpus_are_written_in_one_of_these_ways(text):
    assert gpus_of(text).text == "8xH200"
    assert gpus_of("H100").count == 1


@pytest.mark.parametrize("text", ["", "8x", "xH200", "0xH200", "8xH300", "99999xH200", "-1xH200"])
def test_what_names_no_gpus_is_refused(text):
    with pytest.raises(SettingsError, match="names no GPUs") as caught:
        gpus_of(text)
    assert "H200" in caught.value.remedy


def test_a_folder_tells_its_shape(tmp_path):
    config = {"model_type": "qwen3", "num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4}
    config |= {"num_key_value_heads": 2, "vocab_size": 272, "head_dim": 32}
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config))
    shape = shape_of(str(tmp_path))
    assert shape.parameters == sum(weight.numel() for weight in model_of(shape).parameters())
    (tmp_path / "config.json").write_bytes(msgspec.json.encode({**config, "model_type": "qwen3_moe"}))
    with pytest.raises(SettingsError, match="qwen3_moe"):
        shape_of(str(tmp_path))
    with pytest.raises(SettingsError, match="not known") as caught:
        shape_of("Qwen/Qwen9-1T")
    assert "Qwen/Qwen3-32B" in caught.value.remedy
