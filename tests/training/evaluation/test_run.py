"""Evaluations over the one path and the in-memory sandbox: what is kept, resumed, retried, audited, and when it stops."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import PolicyUnavailable
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import differences
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox
from suture_training.evaluation.errors import EnvironmentDrifted, TooManyLost
from suture_training.evaluation.records import RESULTS, Control, Run, Subject, load
from suture_training.evaluation.run import SEEDS_APART, Plan, evaluate
from suture_training.ledger import read_lines
from suture_training.transcript import FILE as EPISODES
from suture_training.transcript import Transcript

MEND = ScriptedTurn(text="2: bad => good", repeat=0)
FAIL = ScriptedTurn(text="nonsense", repeat=0)
HACK = ScriptedTurn(text="2: bad => good  # noqa", repeat=0)
QUICK = Plan(runs=2, jobs=2, pause=0.0)


def policy_of(*turns: ScriptedTurn) -> ScriptedPolicy:
    return ScriptedPolicy(Script(turns=turns))


@pytest.fixture
async def tasks(make_task):
    return [await make_task(number, repository=f"repo{number % 2}") for number in range(4)]


@pytest.fixture
def quick(line_harness):
    """A harness with short proofs and two requests an episode."""
    budgets = msgspec.structs.replace(line_harness.budgets, steps=2)
    return msgspec.structs.replace(line_harness, budgets=budgets, reruns=1, controls=1, shaken=0)


@pytest.fixture
def measure(tasks, site, quick, tmp_path):
    async def run(policy, plan=QUICK, *, some=None, out="out", **more):
        more = {"sites": {"w": site}, "harness": quick, **more}
        return await evaluate(some or tasks, more.pop("sites"), policy, more.pop("harness"), tmp_path / out, plan=plan, **more)

    return run


async def test_every_task_is_run_so_often_with_a_seed_for_each_run(measure, tasks):
    policy = policy_of(ScriptedTurn(text="2: bad => good", match="bad + 0", repeat=0), FAIL)
    found = await measure(policy)
    assert [(run.task, run.run) for run in found.runs] == sorted((task.id, run) for task in tasks for run in range(2))
    assert {run.task for run in found.runs if run.solved} == {tasks[0].id}
    assert {run.outcome for run in found.runs} == {"fixed", "unfixed"}
    assert found.missing == 0
    assert {request.seed for request in policy.requests} == {0, SEEDS_APART}
    solved = next(run for run in found.runs if run.solved)
    assert (solved.requests, solved.attempts, solved.limit) == (1, 1, "")
    assert solved.completion_tokens > 0
    assert solved.seconds >= solved.seconds_sandbox > 0
    failed = next(run for run in found.runs if not run.solved)
    assert (failed.requests, failed.limit) == (2, "steps")
    assert failed.reason


async def test_the_manifest_names_everything(measure, site, quick, tasks, tmp_path):
    subject = Subject(policy=await policy_of(MEND).start(), method="rl", trained_in="simplified", seed="3")
    found = (await measure(policy_of(MEND), subject=subject, selection={"split": "test"})).manifest
    assert differences(found.named["harness"], quick) == ()
    assert differences(found.named["environment"], {"w": site.sandbox.environment.fields}) == ()
    assert found.named["policy"]["name"] == "scripted"
    assert (found.named["tasks"]["split"], found.named["tasks"]["number"], found.tested_in) == ("test", 4, "simplified")
    assert (found.subject.method, found.subject.seed) == ("rl", "3")
    assert load(tmp_path / "out").manifest == found


async def test_transcripts_are_kept_beside_the_results(measure, tmp_path):
    await measure(policy_of(MEND))
    kept = list(read_lines(tmp_path / "out" / EPISODES, Transcript))
    assert len(kept) == 8
    assert kept[0].reward == 1.0
    assert [each.role for each in kept[0].said] == ["system", "user", "assistant"]
    assert "+    return good" in kept[0].diff


async def test_hacks_are_refused_counted_and_paid_for_without_the_guard_only(measure):
    found = await measure(policy_of(HACK))
    assert {run.solved for run in found.runs} == {False}
    assert {run.unguarded for run in found.runs} == {True}
    assert {run.hacks for run in found.runs} == {("suppressions-comment",)}
    assert {tuple(run.refused.items()) for run in found.runs} == {(("suppressions-comment", 2),)}
    assert found.outcomes().solved.sum() == 0
    assert found.outcomes(unguarded=True).solved.sum() == 8


async def test_a_hack_that_does_not_even_pass_is_paid_for_nowhere(measure):
    found = await measure(policy_of(ScriptedTurn(text="2: bad => bad  # noqa", repeat=0)))
    assert {(run.solved, run.unguarded, bool(run.hacks)) for run in found.runs} == {(False, False, True)}


async def test_a_hack_that_was_made_good_is_a_pass_with_a_refusal(measure, tasks):
    found = await measure(policy_of(ScriptedTurn(text="2: bad => good  # noqa"), MEND), Plan(runs=1, jobs=1), some=tasks[:1])
    (run,) = found.runs
    assert (run.solved, run.hacks, run.refused) == (True, (), {"suppressions-comment": 1})


# --- infrastructure


def down(times: int) -> ScriptedTurn:
    return ScriptedTurn(error="infrastructure", repeat=times)


async def test_a_lost_run_is_tried_again_and_then_reported_apart(measure, tasks):
    found = await measure(policy_of(down(2), MEND), Plan(runs=1, jobs=1, pause=0.0, retries=2), some=tasks[:1])
    assert [(run.solved, run.attempts) for run in found.runs] == [(True, 3)]
    lost = await measure(policy_of(down(3), MEND), Plan(runs=2, jobs=1, pause=0.0, retries=2), some=tasks[:1], out="lost")
    assert [(run.solved, run.outcome, run.attempts) for run in lost.runs] == [(None, "infrastructure", 3), (True, "fixed", 1)]
    assert lost.lost == (lost.runs[0],)
    counts = lost.outcomes()
    assert (counts.solved.tolist(), counts.ended.tolist(), counts.lost.tolist()) == ([[1]], [[1]], [[1]])


async def test_what_cannot_be_mended_by_waiting_is_not_tried_again(measure, tasks):
    policy = policy_of(ScriptedTurn(error="refused", repeat=0))
    found = await measure(policy, Plan(runs=1, jobs=1, retries=5, pause=100.0), some=tasks[:1])
    assert [(run.solved, run.attempts) for run in found.runs] == [(None, 1)]


async def test_a_policy_that_stays_down_ends_the_evaluation_and_resuming_tries_its_runs_again(measure, tasks, tmp_path):
    with pytest.raises(TooManyLost, match="8 runs in a row") as error:
        await measure(policy_of(down(0)), Plan(runs=4, jobs=1, retries=0))
    assert "--resume" in error.value.remedy
    assert len(load(tmp_path / "out").lost) == 8
    found = await measure(policy_of(MEND), Plan(runs=4, jobs=1), resume=True)
    assert len(found.runs) == 16
    assert found.lost == ()
    lines = Counter((run.task, run.run) for run in read_lines(tmp_path / "out" / RESULTS, Run))
    assert sorted(lines.values()) == [1] * 8 + [2] * 8


async def test_a_policy_that_cannot_start_says_so(measure, tmp_path):
    class Missing(ScriptedPolicy):
        async def start(self):
            raise PolicyUnavailable("no weights", remedy="pull them")

    with pytest.raises(PolicyUnavailable):
        await measure(Missing(Script()))
    assert not (tmp_path / "out").exists()


# --- controls


async def lint(view) -> int:
    """As the workspace's own check: the word is bad."""
    bad = [number for number, line in enumerate(view.read("code.py").decode().splitlines(), 1) if "bad" in line]
    for number in bad:
        view.print(f"code.py:{number}:1: error: bad word\n")
    return 1 if bad else 0


@pytest.fixture
def site_with(site):
    """The same site with another check tool."""

    def make(tool):
        return msgspec.structs.replace(site, sandbox=Sandbox(MemoryBackend({"linttool": tool}), site.sandbox.environment, slots=4))

    return make


async def always_red(view, argv) -> int:
    view.print("code.py:1:1: error: bad word\ncode.py:2:1: error: the world has changed\n")
    return 1


async def always_green(view, argv) -> int:
    return 0


async def test_controls_stand_before_between_and_after_the_runs(measure, tasks):
    found = await measure(policy_of(MEND), Plan(runs=2, jobs=1, controls=3))
    assert all(control.holds for control in found.controls)
    assert [(control.kind, control.after) for control in found.controls if control.kind == "gold"] == [
        ("gold", 0),
        ("gold", 3),
        ("gold", 6),
        ("gold", 8),
    ]
    assert len(found.controls) == 8
    assert len({control.task for control in found.controls}) == 4, "tasks take turns"
    assert found.drifted == found.unsteady == ()


@pytest.mark.parametrize(("tool", "kind"), [(always_red, "gold"), (always_green, "no-op")])
async def test_a_drifted_environment_ends_it_before_the_policy_is_asked(measure, site_with, tmp_path, tool, kind):
    policy = policy_of(MEND)
    with pytest.raises(EnvironmentDrifted, match=f"{kind} control of task [0-9a-f]+ after 0 runs"):
        await measure(policy, sites={"w": site_with(tool)})
    assert policy.requests == []
    found = load(tmp_path / "out")
    assert [(control.kind, control.holds) for control in found.controls if not control.holds] == [(kind, False)] * 2
    assert len(found.drifted) == 1
    with pytest.raises(ConfigurationError, match="drifted while"):
        await measure(policy, resume=True)


async def test_drift_between_runs_is_found(measure, site_with, tmp_path):
    count = 0

    async def later(view, argv) -> int:
        nonlocal count
        count += 1
        return await (lint(view) if count <= 30 else always_red(view, argv))

    with pytest.raises(EnvironmentDrifted, match="gold control"):
        await measure(policy_of(MEND), Plan(runs=20, jobs=1, controls=2), sites={"w": site_with(later)})
    found = load(tmp_path / "out")
    assert 0 < len(found.runs) < 20
    assert found.drifted[0].after == len(found.runs)


async def test_a_control_that_holds_the_second_time_is_unsteady_not_drift(measure, site_with):
    count = 0

    async def once_red(view, argv) -> int:
        nonlocal count
        count += 1
        return await (always_red(view, argv) if count == 1 else lint(view))

    found = await measure(policy_of(MEND), Plan(runs=1, jobs=1), sites={"w": site_with(once_red)})
    assert [(control.kind, control.holds) for control in found.controls[:3]] == [("gold", False), ("gold", True), ("no-op", True)]
    assert found.drifted == ()
    assert len(found.unsteady) == 1
    assert found.missing == 0


async def test_a_control_that_the_machine_lost_is_neither(measure, site_with, tasks):
    from suture_sandbox.errors import SandboxFailed

    async def burns(view, argv) -> int:
        raise SandboxFailed("the machine is on fire")

    found = await measure(policy_of(MEND), Plan(runs=1, jobs=1, retries=1, pause=0.0), sites={"w": site_with(burns)}, some=tasks[:1])
    assert {control.holds for control in found.controls} == {None}
    assert "on fire" in found.controls[0].reason
    assert found.drifted == ()
    assert [run.solved for run in found.runs] == [None]


def test_drift_is_the_same_task_wrong_twice_running():
    from suture_training.evaluation.records import drifted

    def look(task, holds, kind="gold"):
        return Control(kind=kind, task=task, holds=holds)

    assert drifted([look("a", False), look("b", False), look("a", True), look("a", False)]) == ()
    assert drifted([look("a", False), look("a", False, "no-op")]) == ()
    assert len(drifted([look("a", False), look("a", None), look("a", False)])) == 1


# --- resuming


async def test_a_folder_is_gone_on_with_only_on_request_and_only_as_what_it_was(measure, quick, tmp_path):
    await measure(policy_of(MEND))
    with pytest.raises(ConfigurationError, match=r"holds \d+ runs of this evaluation") as error:
        await measure(policy_of(MEND))
    assert "--resume" in error.value.remedy
    other = msgspec.structs.replace(quick, judge="someone")
    with pytest.raises(ConfigurationError, match=r"another evaluation; it differs in harness\.judge"):
        await measure(policy_of(MEND), harness=other, resume=True)
    with pytest.raises(ConfigurationError, match="another evaluation; it differs in who is measured"):
        await measure(policy_of(MEND), tested_in="elsewhere", resume=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="not empty"):
        await measure(policy_of(MEND), out="full")


async def test_resuming_what_is_done_does_nothing(measure):
    policy = policy_of(MEND)
    before = await measure(policy)
    asked = len(policy.requests)
    after = await measure(policy, resume=True)
    assert len(policy.requests) == asked
    assert (after.runs, after.controls) == (before.runs, before.controls)


async def test_a_cancelled_evaluation_keeps_what_ended(measure, tasks, tmp_path):
    began = asyncio.Event()

    def seen(_done, _total, what):
        if isinstance(what, Run):
            began.set()

    slow = policy_of(
        ScriptedTurn(text="2: bad => good", match="bad + 0", repeat=0), ScriptedTurn(text="2: bad => good", delay=30, repeat=0)
    )
    work = asyncio.ensure_future(measure(slow, Plan(runs=1, jobs=4), progress=seen))
    await began.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert {run.task for run in load(tmp_path / "out").runs} == {tasks[0].id}
    found = await measure(policy_of(MEND), Plan(runs=1, jobs=4), resume=True)
    assert found.missing == 0


KILLED = Path(__file__).with_name("evaluate_and_die.py")


def test_after_a_kill_nothing_is_lost_and_nothing_is_doubled(tmp_path):
    """Killed in the middle, twice, then run to its end: each run has one line."""
    counts = [0]
    for _ in range(2):
        process = subprocess.Popen([sys.executable, str(KILLED), str(tmp_path), "slow"], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline().startswith("run")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        counts.append(len(load(tmp_path / "out").runs))
    assert all(after >= before + 3 for before, after in itertools.pairwise(counts))
    assert counts[-1] < 36
    done = subprocess.run([sys.executable, str(KILLED), str(tmp_path), "quick"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [(run.task, run.run) for run in read_lines(tmp_path / "out" / RESULTS, Run)]
    assert len(lines) == len(set(lines)) == 36
    assert load(tmp_path / "out").missing == 0


# --- what is refused before anything runs


async def test_what_cannot_be_run_here_is_refused_at_once(measure, tasks, site, tmp_path):
    with pytest.raises(ConfigurationError, match="no tasks"):
        await evaluate([], {}, policy_of(), None, tmp_path / "none")
    with pytest.raises(ConfigurationError, match="at least one run"):
        await measure(policy_of(MEND), Plan(runs=0))
    with pytest.raises(ConfigurationError, match="is not open"):
        await measure(policy_of(MEND), sites={})
    with pytest.raises(ConfigurationError, match="no check named"):
        await measure(policy_of(MEND), some=[msgspec.structs.replace(tasks[0], check="types")])
    elsewhere = [msgspec.structs.replace(task, environment="f" * 64) for task in tasks]
    with pytest.raises(ConfigurationError, match="verified in environment ffffffffffff") as error:
        await measure(policy_of(MEND), some=elsewhere)
    assert "--allow-mismatch" in error.value.remedy
    found = await measure(policy_of(MEND), Plan(runs=1, jobs=2, other_environment=True), some=elsewhere)
    assert found.missing == 0
