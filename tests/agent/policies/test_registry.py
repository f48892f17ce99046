"""What a user can name, what it opens, and what a wrong name is answered with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import CATALOGUE
from suture_agent.policies.embedded import EmbeddedPolicy
from suture_agent.policies.openai_compatible import OpenAIPolicy
from suture_agent.policies.registry import VLLM, examine, open_policy
from suture_agent.policies.scripted import ScriptedPolicy


def test_embedded_models():
    default, light = open_policy("embedded"), open_policy("embedded:qwen2.5-coder-0.5b")
    assert isinstance(default, EmbeddedPolicy)
    assert isinstance(light, EmbeddedPolicy)
    assert default.model is CATALOGUE[0]
    assert light.model is CATALOGUE[1]
    capability = default.capability
    assert (capability.tools, capability.prefill, capability.context) == (False, True, 8192)


def test_servers():
    policy = open_policy("http://10.0.0.1:9/v1#some/model")
    assert isinstance(policy, OpenAIPolicy)
    assert policy.base_url == "http://10.0.0.1:9/v1"
    vllm = open_policy("vllm")
    assert isinstance(vllm, OpenAIPolicy)
    assert vllm.base_url == VLLM


async def test_the_model_after_the_hash_is_asked_for(fake):
    policy = open_policy(f"{fake.url}#other")
    assert (await policy.start()).name == "other"
    await policy.close()


async def test_the_key_reaches_the_server(fake):
    policy = open_policy(fake.url, api_key="k1")
    await policy.start()
    await policy.close()
    assert fake.asked[0].headers["authorization"] == "Bearer k1"


def test_scripts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}')
    assert isinstance(open_policy(f"scripted:{path}"), ScriptedPolicy)
    with pytest.raises(PolicyUnavailable, match="needs a file"):
        open_policy("scripted:")


def test_aliases_stand_for_something():
    policy = open_policy("small", aliases={"small": "embedded:qwen2.5-coder-0.5b"})
    assert isinstance(policy, EmbeddedPolicy)


@pytest.mark.parametrize(
    ("spec", "near"),
    [("embeded", "embedded"), ("vlm", "vllm"), ("qwen2.5-coder-0.5b", "embedded:qwen2.5-coder-0.5b"), ("smal", "small")],
)
def test_unknown_names_get_the_nearest(spec, near):
    with pytest.raises(PolicyUnavailable, match=f"did you mean {near}") as caught:
        open_policy(spec, aliases={"small": "embedded"})
    assert "scripted:FILE" in caught.value.remedy


def test_unknown_embedded_models_get_the_nearest():
    with pytest.raises(PolicyUnavailable, match="did you mean qwen2"):
        open_policy("embedded:qwen-coder-1.5b")


async def test_examining_a_server(fake):
    good, says, remedy = await examine(fake.url)
    assert good
    assert "Qwen/Qwen3-32B" in says
    assert "calls tools" in says
    assert remedy == ""


async def test_examining_what_does_not_answer():
    good, says, remedy = await examine("http://127.0.0.1:9/v1")
    assert not good
    assert "nothing answers" in says
    assert "suture model serve" in remedy


async def test_examining_missing_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    good, says, remedy = await examine("embedded")
    assert not good
    assert "weights" in says or "engine" in says
    assert remedy.startswith(("suture model pull", "pip install"))


def test_opening_imports_nothing_heavy():
    code = (
        "import sys; from suture_agent.policies.registry import open_policy; "
        "open_policy('embedded'); open_policy('http://x/v1'); open_policy('vllm'); "
        "print([name for name in ('openai', 'xllamacpp', 'httpx', 'httpx2', 'vllm', 'psutil') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert out.strip() == "[]"
