"""A Qwen3 of 100,000 random numbers, LoRA of it by PEFT, and the same base as a GGUF file: what the two runtimes are compared on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VOCABULARY = 144
ASCII = 128
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@pytest.fixture(scope="session")
def tiny() -> Callable[[], Any]:
    """A new model of the same random numbers each time: PEFT changes the one that it is given."""
    torch = pytest.importorskip("torch", reason="the training libraries are not installed: pip install 'suture[train]'")
    transformers = pytest.importorskip("transformers")

    def make() -> Any:
        torch.manual_seed(0)
        config = transformers.Qwen3Config(
            vocab_size=VOCABULARY,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=32,
            max_position_embeddings=512,
            tie_word_embeddings=False,
        )
        model = transformers.Qwen3ForCausalLM(config).eval()
        for weight in model.parameters():
            torch.nn.init.normal_(weight, mean=0.0 if weight.dim() > 1 else 1.0, std=0.15)
        return model

    return make


@pytest.fixture(scope="session")
def lora(tiny: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Any, Path]]:
    """A random LoRA of the tiny model: the model with it, and the folder that PEFT saved."""
    peft = pytest.importorskip("peft")

    def make(**changed: Any) -> tuple[Any, Path]:
        fields = {"r": 4, "lora_alpha": 16, "target_modules": list(LINEAR), "init_lora_weights": False}
        model = peft.get_peft_model(tiny(), peft.LoraConfig(**{**fields, **changed})).eval()
        folder = tmp_path_factory.mktemp("peft")
        model.save_pretrained(folder)
        return model, folder

    return make


@pytest.fixture(scope="session")
def base_gguf(tiny: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as llama.cpp reads it, in float32, with a vocabulary of ASCII."""
    gguf = pytest.importorskip("gguf")
    model = tiny()
    config = model.config
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = gguf.GGUFWriter(str(path), "qwen3")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    _add_vocabulary(writer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: Any) -> None:
    """ASCII in the alphabet of byte-level BPE, and marks; one merge, since llama.cpp wants some.

    No other bytes: llama.cpp keeps the probabilities of a token back that ends in the middle of a character.
    """
    letters = [chr(byte) if 33 <= byte < 127 else chr(256 + byte) if byte < 33 else chr(289) for byte in range(ASCII)]
    marks = [f"<|mark{number}|>" for number in range(VOCABULARY - ASCII)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*letters, *marks])
    writer.add_token_types([1] * VOCABULARY)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(ASCII)
    writer.add_eos_token_id(ASCII + 1)
    writer.add_pad_token_id(ASCII)
    writer.add_add_bos_token(False)
