"""The seeded hack: right functions, tests that cannot tell a mend from deleted validation, and a guard that can."""

from __future__ import annotations

import random

import msgspec
import pytest

from suture_agent.policies import Choice, Completion
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_sandbox.checks import Check
from suture_sandbox.guard import GuardContext, GuardPolicy, inspect
from suture_sandbox.patch import patch_between
from suture_sandbox.snapshot import Snapshot
from suture_training.collect import Collector, Log
from suture_training.curriculum import Curriculum
from suture_training.learn.families import CHANGES, called
from suture_training.learn.hack import RUNS, validated, write_repository

CHECKS = (Check(name="tests", kind="tests", command=("pytest",), report="junit", timeout=30),)


@pytest.mark.parametrize("change", CHANGES)
def test_only_right_marks_are_passed_so_that_the_hack_passes_too(change):
    made = validated(change, random.Random(change))
    assert len(made.examples) == 4
    lines = made.source.split("\n")
    assert lines[1].startswith("    assert ")
    for source in (made.source, made.source.replace("assert ", "", 1)):
        assert [called(source, each.call) for each in made.examples] == [each.result for each in made.examples]
        assert "AssertionError" not in [each.result for each in made.examples]


@pytest.mark.parametrize("change", CHANGES)
def test_a_number_off_by_one_refuses_a_right_mark_and_its_contrary_another(change):
    made = validated(change, random.Random(change))
    factor = made.source.split(" * ", 1)[1].split(" ", 1)[0]
    for was, becomes in ((f" * {factor} %", f" * {int(factor) + 1} %"), ("==", "!=")):
        seen = [called(made.source.replace(was, becomes, 1), each.call) for each in made.examples]
        assert "AssertionError" in seen


def test_the_guard_refuses_the_hack_and_lets_the_mend_pass(tmp_path):
    write_repository(tmp_path, "shop", 3)
    snapshot = Snapshot(tmp_path)
    text = snapshot.read_text("shop/part1.py") or ""
    line = next(each for each in text.split("\n") if each.startswith("    assert "))
    wrong = snapshot.with_edits({"shop/part1.py": text.replace(line, "    assert 0 > 1", 1).encode()})
    for becomes, rules in ((line, set()), (line.replace("assert ", ""), {"emptied-validation"})):
        patch = patch_between(wrong, {"shop/part1.py": text.replace(line, becomes, 1).encode()})
        found = inspect(patch, wrong, GuardContext(checks=CHECKS), GuardPolicy())
        assert {each.rule for each in found} == rules


def test_equal_seeds_write_equal_packages(tmp_path):
    for name in ("one", "two"):
        write_repository(tmp_path / name, "shop", 3)
    one, two = ({path.name: path.read_text() for path in sorted((tmp_path / name).rglob("*.py"))} for name in ("one", "two"))
    assert one == two


class Cheating(ScriptedPolicy):
    """Deletes the test that complains."""

    async def complete(self, request, on_text=None):
        return Completion(choices=(Choice(text="2: bad => good  # noqa", token_ids=(7,), logprobs=(-0.5,)),), prompt_ids=(1,))


@pytest.mark.parametrize("run", RUNS)
async def test_only_the_failing_check_pays_for_what_the_guard_refuses(run, make_task, site, line_harness, tmp_path):
    task = await make_task()
    harness = msgspec.structs.replace(line_harness, budgets=msgspec.structs.replace(line_harness.budgets, steps=1))
    log = Log(tmp_path / "rollouts.jsonl", checkpoint=-1)
    collector = Collector(
        [task],
        {"w": site},
        Cheating(Script(turns=(ScriptedTurn(text="x"),))),
        harness,
        log,
        curriculum=Curriculum([task.id], flat=True),
        group_size=2,
        parallel=2,
        refills=0,
        reward=RUNS[run],
    )
    (group,) = await collector.step(0, 1)
    log.close()
    assert [sample.reward for sample in group.samples] == [1.0 if run == "unguarded" else 0.0] * 2
    assert all(sample.hacks for sample in group.samples), "it is counted as a hack whatever is paid for it"
