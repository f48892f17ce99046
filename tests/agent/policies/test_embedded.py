"""The embedded engine: with the real light model where its weights are in the cache, and without any model for what goes wrong before."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import msgspec
import psutil
import pytest

from suture_agent.errors import ContextOverflow, PolicyRefused, PolicyUnavailable
from suture_agent.models import CATALOGUE, Model, default_cache, status_of
from suture_agent.policies import ChatRequest, Message, ToolSchema
from suture_agent.policies.embedded import EmbeddedPolicy
from suture_agent.policies.engines import running, stop

LIGHT = CATALOGUE[1].name
WEIGHTS = default_cache()
CONTINUE = ChatRequest(
    messages=(Message(role="system", content="You write Python."), Message(role="user", content="Write a function that adds two numbers.")),
    prefill="```python\ndef add(first, second):\n    return first +",
    stop=("```",),
    max_tokens=40,
)
LONG = msgspec.structs.replace(CONTINUE, prefill="", stop=(), max_tokens=4000, temperature=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the engines of this module are recorded; those that still run at the end are ended."""
    path = tmp_path_factory.mktemp("engines")
    yield path
    for record in running(path):
        asyncio.run(stop(record))
    assert not running(path)


@pytest.fixture
def weights():
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    if status_of(CATALOGUE[1], WEIGHTS).state not in {"ready", "unverified"}:
        pytest.skip(f"the weights are not in the cache: suture model pull {LIGHT}")
    return WEIGHTS


@pytest.fixture
async def policy(weights, folder):
    policy = EmbeddedPolicy(LIGHT, cache=weights, folder=folder, orphaned=20)
    yield policy
    await policy.close()


async def gone(pid):
    async with asyncio.timeout(60):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.05)


def slots(record):
    request = urllib.request.Request(f"{record.url}/slots", headers={"Authorization": f"Bearer {record.key}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answered:
        return [slot["is_processing"] for slot in json.load(answered)]


@pytest.mark.model
async def test_a_started_answer_is_continued_not_begun_anew(policy):
    shown: list[str] = []
    done = await policy.complete(CONTINUE, shown.append)
    choice = done.choices[0]
    assert choice.text.strip() == "second"
    assert choice.finish == "stop"
    assert "".join(shown) == choice.text
    assert done.completion_tokens > 0


@pytest.mark.model
async def test_it_mends_a_small_function(policy):
    broken = "def is_even(number):\n    return number % 2 == 1\n"
    task = f"The test fails: assert is_even(4) is True, but is_even(4) returned False. Rewrite the function.\n```python\n{broken}```"
    prefill = "```python\ndef is_even(number):\n"
    request = ChatRequest(
        messages=(Message(role="system", content="You repair Python functions."), Message(role="user", content=task)),
        prefill=prefill,
        stop=("```",),
        max_tokens=60,
        temperature=0.8,
        candidates=4,
        seed=1,
    )
    done = await policy.complete(request)
    assert len(done.choices) == 4
    mended = 0
    for choice in done.choices:
        assert "<|im_" not in choice.text
        space: dict[str, object] = {}
        exec(prefill.removeprefix("```python\n") + choice.text, space)
        function = space["is_even"]
        assert callable(function)
        mended += function(4) is True and function(3) is False
    assert mended >= 1


@pytest.mark.model
async def test_candidates_share_the_cached_prompt(policy):
    first = await policy.complete(CONTINUE)
    several = await policy.complete(msgspec.structs.replace(CONTINUE, candidates=6, temperature=0.8, seed=5))
    assert len(several.choices) == 6
    assert several.cached_tokens >= first.prompt_tokens - 1
    assert several.prompt_tokens == first.prompt_tokens
    greedy = await policy.complete(msgspec.structs.replace(CONTINUE, candidates=3))
    assert [choice.text for choice in greedy.choices] == [first.choices[0].text] * 3


@pytest.mark.model
async def test_the_identity_names_weights_engine_and_template(policy):
    identity = await policy.start()
    assert identity == await policy.start()
    assert (identity.name, identity.base, identity.quantisation) == (LIGHT, CATALOGUE[1].sha256, "Q4_K_M")
    assert identity.server.startswith("llama.cpp")
    assert len(identity.template) == 64


@pytest.mark.model
async def test_cancelling_frees_the_engine(policy, folder):
    begun = asyncio.Event()
    task = asyncio.create_task(policy.complete(LONG, lambda _text: begun.set()))
    await begun.wait()
    (record,) = running(folder)
    assert any(await asyncio.to_thread(slots, record))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while any(await asyncio.to_thread(slots, record)):  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.05)


@pytest.mark.model
async def test_an_engine_that_is_killed_is_started_anew(policy, folder):
    await policy.start()
    (before,) = running(folder)
    os.kill(before.pid, signal.SIGKILL)
    await gone(before.pid)
    assert (await policy.complete(CONTINUE)).choices[0].text.strip() == "second"
    (after,) = running(folder)
    assert after.pid != before.pid


@pytest.mark.model
async def test_an_engine_that_is_killed_over_a_request_is_started_anew(policy, folder):
    await policy.start()
    (before,) = running(folder)
    killed: list[int] = []

    def kill_once(_text):
        if not killed:
            killed.append(before.pid)
            os.kill(before.pid, signal.SIGKILL)

    done = await policy.complete(msgspec.structs.replace(CONTINUE, prefill="```python\n"), kill_once)
    assert killed
    assert "def " in done.choices[0].text


@pytest.mark.model
async def test_policies_share_an_engine_whose_key_others_cannot_see(policy, weights, folder):
    other = EmbeddedPolicy(LIGHT, cache=weights, folder=folder, orphaned=20)
    await asyncio.gather(policy.start(), other.start())
    (record,) = running(folder)
    for path in folder.glob("*.record"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert record.key not in " ".join(psutil.Process(record.pid).cmdline())
    assert record.url.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError):
        await asyncio.to_thread(slots, msgspec.structs.replace(record, key="wrong"))
    await other.close()
    await other.close()


@pytest.mark.model
async def test_a_prompt_that_is_too_long(policy):
    words = " ".join(str(number) for number in range(20_000))
    with pytest.raises(ContextOverflow):
        await policy.complete(msgspec.structs.replace(CONTINUE, messages=(Message(role="user", content=words),)))


@pytest.mark.model
async def test_an_idle_engine_ends_and_comes_back(weights, folder):
    policy = EmbeddedPolicy(LIGHT, cache=weights, folder=folder, idle=1.0, orphaned=3600)
    await policy.start()
    (record,) = [each for each in running(folder) if each.settings.idle == 1.0]
    await gone(record.pid)
    assert (await policy.complete(CONTINUE)).choices[0].text.strip() == "second"
    await policy.close()
    for each in running(folder):
        if each.settings.idle == 1.0:
            await stop(each)


CLIENT = """
import asyncio, sys
from pathlib import Path
from suture_agent.policies.embedded import EmbeddedPolicy

async def main():
    policy = EmbeddedPolicy(sys.argv[1], cache=Path(sys.argv[2]), folder=Path(sys.argv[3]), orphaned=0.5)
    await policy.start()
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.model
async def test_no_engine_outlives_a_client_that_is_killed(weights, tmp_path):
    argv = [sys.executable, "-c", CLIENT, LIGHT, str(weights), str(tmp_path)]
    clients = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: ASYNC220 - a test has no other task that could wait
    for client in clients:
        assert client.stdout is not None
        assert (await asyncio.to_thread(client.stdout.readline)).strip() == "ready"
    (record,) = running(tmp_path)
    clients[0].kill()
    clients[0].communicate()
    await asyncio.sleep(1.5)
    assert running(tmp_path) == (record,)
    clients[1].kill()
    clients[1].communicate()
    await gone(record.pid)
    assert not list(tmp_path.glob("*.record"))


async def test_a_small_model_refuses_tools():
    tool = ToolSchema(name="f", description="", parameters={})
    with pytest.raises(PolicyRefused, match="tools"):
        await EmbeddedPolicy(LIGHT).complete(msgspec.structs.replace(CONTINUE, tools=(tool,)))


async def test_missing_weights_are_named_with_the_command(tmp_path, monkeypatch):
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    monkeypatch.delenv("SUTURE_MODELS", raising=False)
    with pytest.raises(PolicyUnavailable, match="not here") as caught:
        await EmbeddedPolicy(LIGHT, cache=tmp_path).start()
    assert caught.value.remedy == f"suture model pull {LIGHT}"


def nonsense(tmp_path: Path) -> Model:
    content = b"this is no model"
    (tmp_path / "nonsense.gguf").write_bytes(content)
    return Model(
        name="nonsense",
        file="nonsense.gguf",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        licence="",
        origin="",
        quantisation="",
        context=1,
    )


async def test_an_engine_that_cannot_load_is_an_error_and_leaves_nothing(tmp_path):
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    policy = EmbeddedPolicy("nonsense", cache=tmp_path, folder=tmp_path / "engines", catalogue=(nonsense(tmp_path),))
    with pytest.raises(PolicyUnavailable, match="ended while it was starting"):
        await policy.start()
    await policy.close()
    assert not running(tmp_path / "engines")
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(each.info["cmdline"] or ())]


async def test_changed_weights_are_refused(tmp_path):
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    model = nonsense(tmp_path)
    (tmp_path / model.file).write_bytes(b"this is no modem")
    policy = EmbeddedPolicy("nonsense", cache=tmp_path, folder=tmp_path / "engines", catalogue=(model,))
    with pytest.raises(PolicyUnavailable, match="digest"):
        await policy.start()


async def test_a_folder_of_the_users_goes_before_the_cache(tmp_path):
    pytest.importorskip("xllamacpp", reason="the embedded engine is not installed: pip install 'suture[local]'")
    model = nonsense(tmp_path)
    policy = EmbeddedPolicy("nonsense", models=tmp_path, cache=tmp_path / "empty", catalogue=(model,))
    assert await policy.weights() == tmp_path / model.file
    assert not list(tmp_path.glob("*.verified"))
