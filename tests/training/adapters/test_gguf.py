"""llama.cpp answers with a converted adapter as transformers and PEFT do; what it cannot express is refused, not approximated."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from suture_agent.errors import AdapterError, PolicyUnavailable
from suture_agent.policies.engine import EngineRecord, EngineSettings
from suture_agent.policies.engines import attach, running, stop
from suture_training.adapters.gguf import convert
from suture_training.adapters.peft_folder import NotConvertible

from .conftest import VOCABULARY

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"
    ),  # PEFT 0.21 still asks transformers for it
    pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`:UserWarning"),
]

PROMPT = (5, 17, 120, 42, 9, 77, 101)
AS_CLOSE_AS_A_CACHE_OF_16_BITS = 0.02
APART = 1.0


@pytest.fixture
def ask(tmp_path: Path, base_gguf: Path) -> Any:
    """`await ask(adapter)`: ask the project's own engine for the distribution of the next token, with and without the adapter."""
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")

    async def make(adapter: Path) -> Callable[..., list[float]]:
        settings = EngineSettings(model=str(base_gguf), sha256="0" * 64, context=512, parallel=1, threads=1, lora=str(adapter))
        lease = await attach(settings, tmp_path)
        return lambda **more: _next(lease.record, more)

    yield make
    for record in running(tmp_path):
        asyncio.run(stop(record))


def _next(record: EngineRecord, more: dict[str, Any]) -> list[float]:
    """Log-probability of every token after the prompt."""
    body = {"prompt": PROMPT, "n_predict": 1, "n_probs": VOCABULARY, "temperature": 0, "cache_prompt": False, **more}
    answered = call(record, "/completion", body)
    found = {each["id"]: each["logprob"] for each in answered["completion_probabilities"][0]["top_logprobs"]}
    return [found[token] for token in range(VOCABULARY)]


def call(record: EngineRecord, path: str, body: object) -> Any:
    headers = {"Authorization": f"Bearer {record.key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{record.url}{path}", data=json.dumps(body).encode(), headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answered:
        return json.load(answered)


def expected(model: Any) -> list[float]:
    torch = pytest.importorskip("torch")
    with torch.no_grad():
        return model(torch.tensor([PROMPT])).logits[0, -1].log_softmax(-1).tolist()


def apart(one: list[float], other: list[float]) -> float:
    return max(abs(left - right) for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "changed",
    [{}, {"use_rslora": True, "r": 8}, {"target_modules": ["q_proj", "down_proj"], "rank_pattern": {"q_proj": 2}}],
    ids=["plain", "rank-stabilised", "ranks"],
)
async def test_both_runtimes_give_the_same_distribution(tmp_path, ask, lora, changed):
    model, folder = lora(**changed)
    assert convert(folder, tmp_path / "adapter.gguf", "qwen3") == 2 * len(model.peft_config["default"].target_modules)
    answer = await ask(tmp_path / "adapter.gguf")
    with_adapter = expected(model)
    with model.disable_adapter():
        without = expected(model)
    assert apart(with_adapter, without) > APART
    assert apart(answer(), with_adapter) < AS_CLOSE_AS_A_CACHE_OF_16_BITS
    assert apart(answer(lora=[{"id": 0, "scale": 0.0}]), without) < AS_CLOSE_AS_A_CACHE_OF_16_BITS


async def test_an_adapter_of_another_model_is_refused_by_the_engine(tmp_path, ask, lora):
    _, folder = lora()
    convert(folder, tmp_path / "adapter.gguf", "qwen2")
    with pytest.raises(PolicyUnavailable, match="ended while it was starting"):
        await ask(tmp_path / "adapter.gguf")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "lora_only"}, "bias"),
        ({"alpha_pattern": {"q_proj": 3}}, "alpha_pattern"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"target_modules": ["q_proj", "embed_tokens"]}, "embed_tokens.* is no matrix"),
    ],
)
def test_what_llama_cpp_cannot_express_is_refused(tmp_path, lora, changed, said):
    _, folder = lora(**changed)
    with pytest.raises(NotConvertible, match=said):
        convert(folder, tmp_path / "adapter.gguf", "qwen3")


def test_a_layer_outside_of_the_blocks_is_refused(tmp_path, lora):
    """A GGUF file may have no such tensor: many models use the embedding's."""
    save = pytest.importorskip("safetensors.torch").save_file
    _, folder = lora()
    load = pytest.importorskip("safetensors.torch").load_file
    path = folder / "adapter_model.safetensors"
    save({key.replace("model.layers.0.mlp.up_proj", "lm_head"): tensor for key, tensor in load(path).items()}, path)
    with pytest.raises(NotConvertible, match="lm_head is not a layer of a block"):
        convert(folder, tmp_path / "adapter.gguf", "qwen3")


def test_a_model_whose_rows_llama_cpp_permutes_is_refused(tmp_path, lora):
    _, folder = lora()
    with pytest.raises(NotConvertible, match="llama"):
        convert(folder, tmp_path / "adapter.gguf", "llama")


def test_a_damaged_file_and_numbers_that_are_none_are_refused(tmp_path, lora):
    torch, save = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch").save_file
    _, folder = lora()
    path = folder / "adapter_model.safetensors"
    load = pytest.importorskip("safetensors.torch").load_file
    tensors = load(path)
    first = next(iter(tensors))
    save({**tensors, first: torch.full_like(tensors[first], float("nan"))}, path)
    with pytest.raises(AdapterError, match="not finite"):
        convert(folder, tmp_path / "adapter.gguf", "qwen3")
    save({first: tensors[first]}, path)
    with pytest.raises(AdapterError, match="no fitting pair"):
        convert(folder, tmp_path / "adapter.gguf", "qwen3")
    path.write_bytes(b"nothing")
    with pytest.raises(AdapterError, match="cannot be read"):
        convert(folder, tmp_path / "adapter.gguf", "qwen3")
