"""The real vLLM, on the CPU, with a tiny Qwen3: `make vllm-smoke`. Left out elsewhere: it needs 3.5 GB and some minutes.

What is compared with what: the tokens of vLLM's prompts with those that training renders, the log-probabilities of its draws with those of
transformers, an adapter's with the bare model's. That a model of random numbers repairs anything is not expected.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from suture_agent.harness import harness_for
from suture_agent.policies import ChatRequest, Message, ToolCall, ToolSchema
from suture_agent.policies.lora import Lora
from suture_agent.policies.openai_compatible import OpenAIPolicy
from suture_training.conversations import trace_of
from suture_training.learn.tiny import TinySettings, load, make_tiny
from suture_training.rendering import Renderer
from suture_training.rollout import roll_out

PYTHON = os.environ.get("SUTURE_VLLM_PYTHON", "")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="vLLM for the CPU is 3.5 GB: make vllm-smoke fetches it and runs this"),
    pytest.mark.filterwarnings("ignore"),  # what transformers and peft warn about is theirs
]

ROOT = Path(__file__).parents[2]
CONTEXT = 16_384
STARTS = 600
TOOL = ToolSchema(
    name="read_file",
    description="Read a file.",
    parameters={"type": "object", "properties": {"path": {"type": "string", "description": "Its path"}}, "required": ["path"]},
)
SYSTEM, USER = Message(role="system", content="You repair code."), Message(role="user", content="def f(x):\n    return x +  1  # café 🙂\n")
CALL = ToolCall(id="call_1", name="read_file", arguments='{"path": "a.py"}')
CONVERSATIONS: dict[str, ChatRequest] = {
    "plain": ChatRequest(messages=(SYSTEM, USER)),
    "turns": ChatRequest(
        messages=(SYSTEM, USER, Message(role="assistant", content="2: x => y"), Message(role="user", content="refused: no"))
    ),
    "tools": ChatRequest(messages=(SYSTEM, USER), tools=(TOOL,)),
    "calls": ChatRequest(
        messages=(
            SYSTEM,
            USER,
            Message(role="assistant", content="I look.", tool_calls=(CALL,)),
            Message(role="tool", content="x = 1\n", tool_call_id="call_1", name="read_file"),
        ),
        tools=(TOOL,),
    ),
    "marks": ChatRequest(messages=(SYSTEM, Message(role="user", content='END = "<|im_end|>\\n<|im_start|>system"'))),
    "begun": ChatRequest(messages=(SYSTEM, USER), prefill="```python\ndef f(x):\n"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3 of its own, with Qwen3's chat template."""
    from trl.chat_template_utils import qwen3_chat_template

    settings = TinySettings(width=128, layers=2, heads=2, context=CONTEXT, steps=20, batch=8)
    made = make_tiny(settings, tmp_path_factory.mktemp("model") / "tiny-qwen3")
    _, tokenizer = load(made)
    tokenizer.chat_template = qwen3_chat_template
    tokenizer.save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Address of the server, started as a user starts it; in the end nothing of it is left."""
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "server.log"
    packages = os.pathsep.join(str(ROOT / floor) for floor in ("server", "agent", "sandbox", "training"))
    environment = {**os.environ, "PYTHONPATH": packages, "HF_HUB_OFFLINE": "1", "SUTURE_API_KEY": ""}
    command = [PYTHON, "-c", "from suture_server.cli import main; main()", "model", "serve", str(folder), "--device", "cpu"]
    command += ["--port", port, "--context", str(CONTEXT), "--runtime-lora"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    try:
        while not _answers(f"{address}/health"):
            assert process.poll() is None, log.read_text()[-6000:]
            assert time.monotonic() - began < STARTS, log.read_text()[-6000:]
            time.sleep(0.5)
        print(f"vLLM was up after {time.monotonic() - began:.0f} s")
        yield f"{address}/v1"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert not _answers(f"{address}/health")


def _answers(address: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answered:
            return bool(answered.status == 200)
    except OSError:
        return False


@pytest.fixture
async def policy(url: str):
    made = OpenAIPolicy(url, tokens=True)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def loaded(folder: Path) -> tuple[Any, Any]:
    return load(folder)


async def test_the_server_says_who_it_is(policy, folder):
    identity = await policy.start()
    assert identity.name == str(folder)
    assert identity.server.startswith("vllm 0.")
    assert len(identity.template) == 64
    assert policy.capability.context == CONTEXT
    assert policy.capability.tools
    assert policy.capability.thinking


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_a_prompt_has_the_tokens_that_training_renders(policy, loaded, name):
    request = CONVERSATIONS[name]
    done = await policy.complete(ChatRequest(**{**_fields(request), "max_tokens": 4, "temperature": 1.0}))
    expected = Renderer(loaded[1]).prompt(request.messages, request.tools, request.prefill)
    assert loaded[1].decode(done.prompt_ids) == loaded[1].decode(expected)
    assert done.prompt_ids == expected
    assert done.prompt_tokens == len(expected)


async def test_the_tokens_that_were_drawn_come_back_with_their_log_probabilities(policy, loaded):
    model, tokenizer = loaded
    request = ChatRequest(messages=(SYSTEM, USER), temperature=1.0, max_tokens=24, seed=3, candidates=2)
    done = await policy.complete(request)
    assert len(done.choices) == 2
    assert done.completion_tokens == sum(len(choice.token_ids) for choice in done.choices)
    for choice in done.choices:
        assert 0 < len(choice.token_ids) == len(choice.logprobs) <= 24
        shown = [token for token in choice.token_ids if token != tokenizer.eos_token_id]
        assert tokenizer.decode(shown) == choice.text
        apart = nats_apart(model, done.prompt_ids, choice.token_ids, choice.logprobs)
        print(f"vLLM's log-probabilities differ from transformers' by {apart:.4f} nats a token")
        assert apart < 0.1


def nats_apart(model: Any, prompt: Sequence[int], tokens: Sequence[int], logprobs: Sequence[float]) -> float:
    """Mean difference from the log-probabilities that transformers gives."""
    import torch

    with torch.inference_mode():
        scores = torch.log_softmax(model(input_ids=torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1].float(), -1)
    return sum(abs(float(scores[at, token]) - said) for at, (token, said) in enumerate(zip(tokens, logprobs, strict=True))) / len(tokens)


async def test_a_runtime_lora_answers_is_let_go_of_and_comes_back(policy, url, folder, tmp_path):
    import peft

    model, _ = load(folder)
    torch_seed(5)
    lora = peft.get_peft_model(
        model, peft.LoraConfig(r=8, lora_alpha=64, target_modules=["q_proj", "v_proj", "o_proj"], init_lora_weights=False)
    )
    lora.save_pretrained(tmp_path / "adapter")
    digest = hashlib.sha256((tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()).hexdigest()
    named = Lora(digest=digest, label="random", folder=tmp_path / "adapter")
    request = ChatRequest(messages=(SYSTEM, USER), temperature=1.0, max_tokens=8, seed=1)
    bare = await policy.complete(request)
    adapted = policy.adapted(named)
    try:
        assert (await adapted.start()).adapter == digest
        assert named.served in served(url)
        first = await adapted.complete(request)
        assert first.choices[0].token_ids, "an adapter's tokens are told too"
        assert first.choices[0].logprobs != bare.choices[0].logprobs
        assert await policy_at(url).forget(named)
        assert named.served not in served(url)
        again = await adapted.complete(request)  # the server forgot it: it is loaded again by itself
        assert named.served in served(url)
        assert again.choices[0].token_ids == first.choices[0].token_ids
    finally:
        await adapted.close()
    assert (await policy.complete(request)).choices[0].token_ids == bare.choices[0].token_ids


async def test_a_rollout_has_its_tokens(policy, make_task, site):
    await policy.start()
    harness = harness_for(policy.capability, preset="line")
    rollout = await roll_out(await make_task(1), site, policy, harness, seed=4)
    assert rollout.solved is not None, rollout.repair.reason
    turns = rollout.repair.turns
    assert turns
    for before, after in itertools.pairwise(turns):
        whole = (*before.completion.prompt_ids, *before.completion.choices[0].token_ids)
        print(f"{len(whole)} tokens, then a prompt that {'goes on' if after.completion.prompt_ids[: len(whole)] == whole else 'differs'}")
    trace = trace_of(turns)
    assert trace is not None
    assert sum(trace.env_mask) > 0
    assert len(trace.completion_ids) == len(trace.logprobs) == len(trace.env_mask)


def in_process(driver: str, *arguments: str) -> dict[str, Any]:
    """What a driver with the real vLLM in its own process prints."""
    floors = os.pathsep.join(str(ROOT / floor) for floor in ("sandbox", "agent", "training"))
    environment = {**os.environ, "PYTHONPATH": floors, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    command = [PYTHON, str(Path(__file__).with_name(driver)), *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=STARTS, check=False)
    assert run.returncode == 0, run.stderr[-6000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_an_engine_of_this_process_draws_what_the_model_says(folder, loaded):
    found = in_process("colocated_driver.py", str(folder), free_port())
    assert found["server"].startswith("vllm")
    assert "not there yet" in found["early"]
    assert found["cancelled"]
    apart = [nats_apart(loaded[0], each["prompt"], each["tokens"], each["logprobs"]) for each in found["drawn"]]
    print(f"the log-probabilities of {len(apart)} answers differ from transformers' by at most {max(apart):.4f} nats a token")
    assert max(apart) < 0.1
    assert len({tuple(each["tokens"]) for each in found["drawn"]}) > 1, "each request has a seed of its own"
    assert found["again"] == found["drawn"][3]["tokens"], "and draws by it"


def test_training_hands_its_weights_to_an_engine_of_this_process(folder, tmp_path):
    found = in_process("colocated_trainer.py", str(folder), str(tmp_path), free_port(), str(Path(sys.prefix, "train")))
    solved, parity = found["solve_rate"], found["parity"]
    print(f"solved {sum(solved[:5]) / 5:.2f} at first, {sum(solved[-5:]) / 5:.2f} at last; parity at most {max(parity):.4f} nats a token")
    assert sum(solved[-5:]) / 5 > sum(solved[:5]) / 5 + 0.2
    assert max(parity) < 0.05, "the engine draws with the weights of the step"


@pytest.mark.skipif(not Path(sys.prefix, "ray").is_dir(), reason="Ray is not installed: pip install --target .venv/ray 'ray>=2.50'")
def test_workers_of_a_ray_cluster_ask_it_by_its_address(url, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(Path(sys.prefix, "ray"))}
    command = [sys.executable, str(Path(__file__).with_name("ray_driver.py")), "served", str(tmp_path), url]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=540, check=False)
    assert run.returncode == 0, run.stderr[-4000:]
    done = json.loads(run.stdout.splitlines()[-1])
    print("on Ray:", done)
    assert None not in done["rewards"]
    assert min(done["tokens"]) > 0


@pytest.mark.parametrize("preset", ["agent", "direct"])
def test_suture_fix_asks_it_and_offers_nothing_false(url, tmp_path, preset):
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "label.py").write_text("def label(name):\n    return name\n")
    (shop / "test_label.py").write_text("from label import label\n\n\ndef test_tea():\n    assert label('tea') == 'Fresh tea, 2.00'\n")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SUTURE_", "XDG_"))}
    before = prompt_tokens(url)
    run = subprocess.run(
        [str(ROOT / ".venv/bin/suture"), "fix", str(shop), "--json", "--policy", url, "--harness", preset, "--budget", "60s"],
        env={**kept, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    summary = lines[-1]
    print(preset, run.returncode, summary)
    assert run.returncode in (0, 1), run.stderr
    assert summary["infrastructure"] == 0, run.stdout
    (repair,) = [line for line in lines if line["event"] == "repair"]
    assert repair["outcome"] == "unfixed"
    assert prompt_tokens(url) > before, "it was asked; on a busy machine the budget may end before its first answer does"


def served(url: str) -> set[str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/models", timeout=10) as answered:
        return {model["id"] for model in json.load(answered)["data"]}


def prompt_tokens(url: str) -> float:
    """Of all requests so far, as the server counts them."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url.removesuffix('/v1')}/metrics", timeout=10) as answered:
        lines = answered.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("vllm:prompt_tokens_total"))


def policy_at(url: str) -> OpenAIPolicy:
    return OpenAIPolicy(url)


def torch_seed(seed: int) -> None:
    import torch

    torch.manual_seed(seed)


def _fields(request: ChatRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}
