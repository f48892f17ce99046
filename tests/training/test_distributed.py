"""Rollouts on a Ray cluster: none lost and none doubled when a worker is killed; a policy of the training process answers from afar.

The tests of Ray need it: `pip install --target .venv/ray 'ray>=2.50'`, apart from what tests capture as an environment, or anywhere that
this Python finds it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from suture_agent.errors import ContextOverflow, PolicyError, PolicyUnavailable
from suture_agent.harness import harness_for
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Message, PolicyIdentity
from suture_training.collect import unscored
from suture_training.distributed import Answer, Desk, DeskPolicy, Plan, RaySettings, open_workers
from suture_training.errors import TrainingError
from suture_training.rl import RLSettings

APART = Path(sys.prefix, "ray")
HAS_RAY = APART.is_dir() or importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not HAS_RAY, reason="Ray is not installed: pip install --target .venv/ray 'ray>=2.50'")
CAPABILITY = Capability(context=1000, tools=False, prefill=False)
HELLO = ChatRequest(messages=(Message(role="user", content="hello"),), seed=7)


def drive(what: str, folder: Path) -> tuple[dict[str, Any], str]:
    """What the driver says on stdout and on stderr."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(APART), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(Path(__file__).with_name("ray_driver.py")), what, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=540, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the driver makes its tasks, once."""
    return tmp_path_factory.mktemp("ray")


@needs_ray
@pytest.mark.slow
def test_a_worker_that_is_killed_loses_no_rollout_and_doubles_none(ground):
    done, said = drive("killed", ground)
    seeds = [*range(16), *range(4000, 4016)]
    assert done["begun"] == done["seeds"] == seeds
    assert all(done["as_told"]), "a lost episode is run again; it never counts as one that failed"
    assert set(done["tokens"]) == {2}
    assert done["lost"] == 1
    assert done["killed"] in done["before"]
    assert done["killed"] not in done["after"]
    assert "a worker was lost" in said
    assert not [pid for pid in (*done["before"], *done["after"]) if psutil.pid_exists(pid)], "no worker outlives the run"


@needs_ray
@pytest.mark.slow
def test_a_run_of_reinforcement_learning_has_its_rollouts_there(ground):
    pytest.importorskip("trl")
    done, _ = drive("train", ground)
    assert done["rows"] == 8
    scored = [(reward, tokens) for reward, why, tokens in zip(done["rewards"], done["masked"], done["tokens"], strict=True) if not why]
    assert scored
    assert {why for why in done["masked"] if why} <= {"no tokens"}, "tasks of whose failure no code can be connected ask no policy"
    assert all(reward is not None and tokens > 1 for reward, tokens in scored)
    assert done["parity"] < 0.01, "what the workers were answered are the draws of the model that is trained"


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
async def test_without_ray_it_is_said_what_to_install():
    plan = Plan(tasks="t", cache="c", harness=harness_for(CAPABILITY), capability=CAPABILITY, identity=PolicyIdentity(name="p"))
    with pytest.raises(TrainingError, match="ray is not installed") as failed:
        async with open_workers(plan, DeskPolicy(Desk().ask, CAPABILITY, plan.identity), RaySettings(), parallel=1):
            pass
    assert "suture[ray]" in failed.value.remedy


def test_a_plan_survives_the_way_and_a_setting_that_is_not_given_changes_no_recipe():
    harness = harness_for(CAPABILITY, preset="line")
    plan = Plan(tasks="t", cache="c", harness=harness, capability=CAPABILITY, identity=PolicyIdentity(name="p"))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan).harness.identity == harness.identity
    assert b"rollouts" not in msgspec.json.encode(RLSettings())
    assert msgspec.convert({"rollouts": "ray"}, RLSettings).rollouts == "ray"


async def test_the_desk_takes_a_request_to_whoever_answers():
    desk = Desk()
    policy = DeskPolicy(desk.ask, CAPABILITY, PolicyIdentity(name="far"))
    asking = [asyncio.create_task(policy.complete(msgspec.structs.replace(HELLO, seed=seed))) for seed in (1, 2, 3)]
    taken: list[tuple[int, bytes]] = []
    while len(taken) < 3:
        taken += await desk.take()
    for number, content in reversed(taken):
        request = msgspec.json.decode(content, type=ChatRequest)
        choice = Choice(text=str(request.seed), token_ids=(1, 2), logprobs=(-0.25, -0.5))
        await desk.answer(number, msgspec.json.encode(Answer(completion=Completion(choices=(choice,), prompt_ids=(9,)))))
    done = await asyncio.gather(*asking)
    assert [each.choices[0].text for each in done] == ["1", "2", "3"]
    assert (done[0].choices[0].logprobs, done[0].prompt_ids) == ((-0.25, -0.5), (9,))
    await desk.answer(0, b"nobody waits for this")
    assert (await policy.start()).name == "far"


@pytest.mark.parametrize(
    ("kind", "error"), [("ContextOverflow", ContextOverflow), ("PolicyUnavailable", PolicyUnavailable), ("", PolicyError)]
)
async def test_an_error_of_the_policy_is_the_same_error_there(kind, error):
    async def ask(_request: bytes) -> bytes:
        return msgspec.json.encode(Answer(error="too long", remedy="show less", kind=kind))

    with pytest.raises(PolicyError, match="too long") as failed:
        await DeskPolicy(ask, CAPABILITY, PolicyIdentity(name="far")).complete(HELLO)
    assert type(failed.value) is error
    assert failed.value.remedy == "show less"


async def test_a_desk_that_is_lost_is_a_policy_that_does_not_answer():
    async def ask(_request: bytes) -> bytes:
        raise RuntimeError("the actor died")

    with pytest.raises(PolicyUnavailable, match="the actor died"):
        await DeskPolicy(ask, CAPABILITY, PolicyIdentity(name="far")).complete(HELLO)


def test_a_rollout_of_which_nothing_is_known_has_no_reward():
    assert unscored(3, "lost").reward is None
