"""A LoRA of random numbers on the real small model: registered, put to use, served by the embedded engine. It changes the answer, and
without it (scale 0) the answer is the bare model's.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from suture_agent.adapters import Base, Data, Draft, Identified
from suture_agent.adapters.policy import AdaptedPolicy, Picker, Wanted
from suture_agent.adapters.registry import Registry
from suture_agent.harness import Harness, harness_for
from suture_agent.models import CATALOGUE, default_cache, status_of
from suture_agent.policies import ChatRequest, Message, Policy, PolicyIdentity, chatml
from suture_agent.policies.embedded import EmbeddedPolicy
from suture_agent.policies.engine import EngineRecord
from suture_agent.policies.engines import running, stop
from suture_training.adapters.pack import register
from suture_training.plan.shapes import SHAPES

LIGHT = CATALOGUE[1]
SHAPE = SHAPES["Qwen/Qwen2.5-Coder-0.5B-Instruct"]
MODULES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
ASK = ChatRequest(
    messages=(Message(role="system", content="You write Python."), Message(role="user", content="Write a function that adds two numbers.")),
    prefill="```python\ndef add(first, second):\n    return first +",
    max_tokens=16,
)
ENVIRONMENT = Identified.of({"os": {"id": "test"}})


def harness_of(policy: Policy, identity: PolicyIdentity) -> Harness:
    return harness_for(policy.capability, template=identity.template)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The folder that PEFT would have saved, with random numbers large enough to be noticed."""
    torch = pytest.importorskip("torch", reason="the training libraries are not installed: pip install 'suture[train]'")
    save_file = pytest.importorskip("safetensors.torch").save_file
    torch.manual_seed(0)
    tensors = {}
    for layer in range(SHAPE.layers):
        for module, (inputs, outputs) in zip(MODULES, SHAPE.linear, strict=True):
            head = f"base_model.model.model.layers.{layer}.{module}"
            tensors[f"{head}.lora_A.weight"] = torch.randn(4, inputs) * 0.1
            tensors[f"{head}.lora_B.weight"] = torch.randn(outputs, 4) * 0.1
    folder = tmp_path / "peft"
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    names = [module.rpartition(".")[2] for module in MODULES]
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": names}))
    return folder


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[EmbeddedPolicy]:
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    pytest.importorskip("gguf", reason="the training libraries are not installed: pip install 'suture[train]'")
    if status_of(LIGHT, default_cache()).state not in {"ready", "unverified"}:
        pytest.skip(f"the weights are not in the cache: suture model pull {LIGHT.name}")
    yield EmbeddedPolicy(LIGHT.name, folder=tmp_path / "engines", orphaned=20)
    for record in running(tmp_path / "engines"):
        await stop(record)


@pytest.mark.model
async def test_an_adapter_changes_the_answer_of_the_real_model_and_scale_0_is_the_bare_model(tmp_path, saved, base):
    registry = Registry(tmp_path / "adapters")
    harness = Identified.of(harness_of(base, await base.introduce()))
    draft = Draft(
        name="random", base=Base(name=LIGHT.name, digest=LIGHT.sha256), data=Data(digest="d" * 64), environment=ENVIRONMENT, harness=harness
    )
    adapter = register(saved, draft, model_type="qwen2", registry=registry)
    policy = AdaptedPolicy(base, Picker(registry, Wanted(), ENVIRONMENT, harness_of))
    bare = await policy.hold()
    plain = (await bare.policy.complete(ASK)).choices[0].text
    assert plain.strip().startswith("second")

    registry.use(adapter, override="random numbers are no better")
    held = await policy.hold()
    assert (held.identity.base, held.identity.adapter) == (LIGHT.sha256, adapter.digest)
    changed = (await held.policy.complete(ASK)).choices[0].text
    assert changed != plain
    assert (await bare.policy.complete(ASK)).choices[0].text == plain

    (engine,) = [record for record in running(tmp_path / "engines") if record.settings.lora]
    assert [await asyncio.to_thread(answer, engine, scale) for scale in (0.0, 1.0)] == [plain, changed]
    await policy.close()


def answer(engine: EngineRecord, scale: float) -> str:
    """The engine's answer with the adapter scaled; its prompt cache does not heed scales, so it is left out."""
    prompt = chatml.render(ASK.messages, ASK.prefill)
    body = {"prompt": prompt, "max_tokens": 16, "temperature": 0, "cache_prompt": False, "lora": [{"id": 0, "scale": scale}]}
    headers = {"Authorization": f"Bearer {engine.key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{engine.url}/v1/completions", data=json.dumps(body).encode(), headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answered:
        return str(json.load(answered)["choices"][0]["text"])
