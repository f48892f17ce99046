"""The verdict and flaky tests: none makes or breaks an offer, and nothing is broken under the cover of one.

The pretend tool decides each test by a function of how often it ran on this text, and of the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from suture_sandbox.backend import Completed
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.flaky.perturb import HASHED, PAUSED
from suture_sandbox.flaky.weigh import MOST_SUSPECTS, PAIRS, TRIALS, Book
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.patch import patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target, Verdict, prove

Passes = Callable[[bool, int], bool]
"""Whether a test passes: on the patched text or not, and in its how manieth run there (from 1)."""

TESTS = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
MORE = Check(name="more", kind="tests", command=("othertool", "{report}"), report="junit", timeout=30, selectable=True)
MENDED: Passes = lambda patched, _run: patched  # noqa: E731  # a table of rules reads better so
STEADY: Passes = lambda _patched, _run: True  # noqa: E731
BROKEN: Passes = lambda patched, _run: not patched  # noqa: E731


class World:
    """Two test checks over one workspace."""

    def __init__(self, root: Path) -> None:
        (root / "code.py").write_text("old\n")
        self.snapshot = Snapshot(root)
        self.tests: dict[str, Passes] = {}
        self.more: dict[str, Passes] = {}
        self.runs: list[tuple[bool, tuple[str, ...]]] = []
        self.count: Counter[tuple[str, bool]] = Counter()
        self.fails_with_seed = ""
        programs = {"testtool": self.run_tests, "othertool": self.run_more}
        fields = EnvironmentFields(checks={"tests": TESTS, "more": MORE})
        self.sandbox = Sandbox(MemoryBackend(programs), Environment(fields, Runtime(python="p", search_path=(), readonly=())))

    async def run_tests(self, view: View, argv: tuple[str, ...]) -> int:
        patched = b"new" in view.read("code.py")
        self.runs.append((patched, tuple(name.rpartition("::")[2] for name in argv[1:])))
        return self.report(view, argv, self.tests, patched)

    async def run_more(self, view: View, argv: tuple[str, ...]) -> int:
        return self.report(view, argv, self.more, b"new" in view.read("code.py"))

    def report(self, view: View, argv: tuple[str, ...], tests: dict[str, Passes], patched: bool) -> int:
        chosen = {name: passes for name, passes in tests.items() if len(argv) == 1 or f"t.py::{name}" in argv}
        good: dict[str, bool] = {}
        for name, passes in chosen.items():
            self.count[name, patched] += 1
            seeded = name == self.fails_with_seed and view.variables.get("PYTHONHASHSEED") == "1"
            good[name] = passes(patched, self.count[name, patched]) and not seeded
        cases = [f'<testcase file="t.py" name="{name}">{"" if fine else "<failure/>"}</testcase>' for name, fine in good.items()]
        view.write(argv[0], f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode())
        return 0 if all(good.values()) else 1

    async def prove(self, *, target: str = "", **options: object) -> Verdict:
        before = await self.sandbox.check_all(self.snapshot)
        wanted = {f"t.py::{name}" for name in target.split()}
        findings = tuple(each for each in before[0].findings if not wanted or each.test in wanted)
        patch = patch_between(self.snapshot, {"code.py": b"new\n"})
        return await prove(self.sandbox, self.snapshot, before, Target(check="tests", findings=findings), patch, **options)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def every(number: int) -> Passes:
    """Fails in every so manieth run of either text."""
    return lambda _patched, run: run % number != 0


async def test_steady_world_costs_no_trials(world: World):
    world.tests = {"a": MENDED, "b": STEADY}
    verdict = await world.prove()
    assert (verdict.passed, verdict.flaky, verdict.unsteady) == (True, (), ())
    assert world.runs == [(False, ()), (True, ("a",)), (True, ()), (True, ()), (True, ())]


async def test_bystander_that_flips_before_and_after_is_acquitted(world: World):
    world.tests = {"a": MENDED, "b": every(3)}
    verdict = await world.prove()
    assert (verdict.passed, verdict.fixed, verdict.flaky) == (True, ("tests::t.py::a",), ("t.py::b",))
    (met,) = verdict.unsteady
    assert (met.check, met.test) == ("tests", "t.py::b")
    assert 0 < met.failures < met.runs


async def test_patch_that_makes_a_steady_test_flip_is_refused(world: World):
    world.tests = {"a": MENDED, "b": lambda patched, run: not patched or run % 3 != 0}
    verdict = await world.prove()
    assert (verdict.passed, verdict.broken) == (False, ("t.py::b",))
    assert verdict.reason == "it makes t.py::b fail sometimes"
    assert verdict.deciding is not None


async def test_patch_that_breaks_a_steady_test_is_refused_after_trials_that_are_not_repeated(world: World):
    world.tests = {"a": MENDED, "b": BROKEN}
    book = Book()
    verdict = await world.prove(book=book)
    assert (verdict.passed, verdict.reason, verdict.broken) == (False, "it breaks t.py::b", ("t.py::b",))
    assert world.runs.count((False, ("b",))) == TRIALS
    assert not (await world.prove(book=book)).passed
    assert world.runs.count((False, ("b",))) == TRIALS


async def test_known_flaky_test_that_fails_now_and_then_refuses_nothing_and_costs_nothing(world: World):
    world.tests = {"a": MENDED, "b": lambda patched, run: not patched or run == 2}
    verdict = await world.prove(flaky={"tests": ("t.py::b",)})
    assert (verdict.passed, verdict.flaky) == (True, ("t.py::b",))
    assert len(world.runs) == 5


async def test_known_flaky_test_that_the_patch_really_breaks_refuses_by_comparison(world: World):
    world.tests = {"a": MENDED, "b": BROKEN}
    verdict = await world.prove(flaky={"tests": ("t.py::b",)})
    assert (verdict.passed, verdict.broken, verdict.flaky) == (False, ("t.py::b",), ())
    assert len(world.runs) == 5 + 2 * PAIRS


async def test_known_flaky_test_whose_failures_may_be_chance_refuses_nothing(world: World):
    # fails in all three runs of the proof, then once in the pairs without the patch
    world.tests = {"a": MENDED, "b": lambda patched, run: run > 3 if patched else run != 4}
    verdict = await world.prove(flaky={"tests": ("t.py::b",)})
    assert (verdict.passed, verdict.flaky) == (True, ("t.py::b",))


async def test_many_broken_tests_are_no_flakiness(world: World):
    world.tests = {"a": MENDED, **{f"b{number}": BROKEN for number in range(MOST_SUSPECTS + 1)}}
    verdict = await world.prove()
    assert (verdict.passed, len(verdict.broken)) == (False, MOST_SUSPECTS + 1)
    assert len(world.runs) == 5


async def test_flaky_test_of_another_check_refuses_nothing(world: World):
    world.tests, world.more = {"a": MENDED}, {"c": every(2)}
    verdict = await world.prove()
    assert (verdict.passed, verdict.flaky) == (True, ())  # it passed in the one run before and failed in none after
    world.count.clear()
    world.more = {"c": lambda patched, run: run % 2 == 0 if patched else run % 2 == 1}
    verdict = await world.prove()
    assert (verdict.passed, verdict.flaky) == (True, ("t.py::c",))
    world.more = {"c": BROKEN}
    verdict = await world.prove()
    assert (verdict.passed, verdict.broken) == (False, ("t.py::c",))


async def test_target_of_known_flaky_tests_alone_proves_nothing(world: World):
    world.tests = {"a": MENDED}
    verdict = await world.prove(flaky={"tests": ("t.py::a",)})
    assert (verdict.passed, verdict.reason, verdict.flaky) == (False, "only flaky tests fail: t.py::a", ("t.py::a",))
    assert len(world.runs) == 1


async def test_flaky_part_of_a_target_is_neither_waited_for_nor_counted(world: World):
    world.tests = {"a": MENDED, "f": lambda _patched, _run: False}
    verdict = await world.prove(flaky={"tests": ("t.py::f",)})
    assert (verdict.passed, verdict.fixed, verdict.flaky) == (True, ("tests::t.py::a",), ("t.py::f",))
    assert not (await world.prove()).passed


async def test_failure_that_comes_and_goes_without_the_patch_makes_no_offer(world: World):
    world.tests = {"a": lambda patched, run: patched or run == 3}
    verdict = await world.prove(controls=3)
    assert (verdict.passed, verdict.reason) == (False, "t.py::a passes without it too: flaky")
    assert [each.test for each in verdict.unsteady] == ["t.py::a"]
    world.count.clear()
    assert (await world.prove()).passed  # that is what the controls are for


async def test_failure_that_shows_only_among_the_others_is_controlled_among_them(world: World):
    alone = {"a": MENDED}
    world.tests = {"b": STEADY, **alone}

    async def tool(view: View, argv: tuple[str, ...]) -> int:
        patched = b"new" in view.read("code.py")
        world.runs.append((patched, tuple(argv[1:])))
        world.tests = {"b": STEADY, "a": MENDED if len(argv) == 1 else STEADY}
        return world.report(view, argv, world.tests, patched)

    world.sandbox.backend._programs["testtool"] = tool
    verdict = await world.prove(controls=2)
    assert verdict.passed
    assert [selected for patched, selected in world.runs if not patched] == [(), ("t.py::a",), (), ()]


async def test_pass_that_depends_on_the_hash_seed_is_no_proof(world: World):
    world.tests = {"a": MENDED, "b": STEADY}
    world.fails_with_seed = "a"
    verdict = await world.prove(shaken=HASHED[:1])
    assert (verdict.passed, verdict.reason) == (False, "t.py::a passes, but not under this: hash seed 1")
    world.fails_with_seed = "b"  # a bystander is not shaken: what matters of it is what the environment gives it
    assert (await world.prove(shaken=HASHED[:1])).passed


async def test_environment_without_python_is_not_stalled(world: World):
    world.tests = {"a": MENDED}
    assert (await world.prove(shaken=(PAUSED,))).passed


async def test_machine_that_fails_in_a_trial_says_nothing_about_the_patch(world: World):
    world.tests = {"a": MENDED, "b": BROKEN}
    run = world.sandbox.backend.run

    async def lost(snapshot, environment, command):
        if command.argv[-1] == "t.py::b":
            return Completed(ended="exited", exit_code=127)
        return await run(snapshot, environment, command)

    world.sandbox.backend.run = lost  # type: ignore[method-assign]
    verdict = await world.prove()
    assert (verdict.passed, verdict.infrastructure) == (False, True)
