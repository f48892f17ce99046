"""A run: what is kept follows from the proposals alone, whatever was decided is on the disk, and a run goes on where another one ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from tasks_shop import SHOP

from suture_sandbox.checks import CheckResult, TestOutcome
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_training.tasks.candidate import Candidate, Dropped, Proposal, ready
from suture_training.tasks.info import SetInfo
from suture_training.tasks.making import Decided, Factory, Lost, baseline, flipping, merged, shifting
from suture_training.tasks.store import TaskSet, writing
from suture_training.tasks.task import Edit, Origin
from suture_training.tasks.verify import Ground, Rules, verified

CHANGES = {
    "max": ("return min(prices)", "return max(prices)"),
    "doc": ('"""A shop."""', '"""A shop!"""'),
    "minus": ("result += price", "result -= price"),
    "plus": ("result - discount", "result + discount"),
    "strip": ("name.strip()", "name"),
    "digits": (":.2f", ":.1f"),
}


def proposal(name: str, *, delay: float = 0.0, fails: Exception | None = None) -> Proposal:
    broken = (Edit(path="shop.py", text=SHOP.replace(*CHANGES[name])),)
    origin = Origin(kind="mutation", repository="shop", name=name)
    candidate = Candidate(origin=origin, broken=broken, gold=(Edit(path="shop.py", text=SHOP),), kind="tests")

    async def make() -> Candidate:
        await asyncio.sleep(delay)
        if fails is not None:
            raise fails
        return candidate

    return Proposal(key=name, origin="mutation", name=name, make=make)


class Source:
    def __init__(self, *made: Proposal) -> None:
        self._made = made

    async def proposals(self) -> AsyncIterator[Proposal]:
        for each in self._made:
            yield each


@pytest.fixture
def run(tmp_path, ground_of):
    """Run proposals into a set: what was told, and the names of the tasks."""

    async def work(*made: Proposal, count: int = 99, resume: bool = False, folder: str = "set"):
        told = []
        with writing(tmp_path / folder, resume=resume) as writer:
            if not resume:
                writer.note(SetInfo())
            factory = Factory(writer, None, await ground_of(), Rules(runs=1), told.append, python=None)  # type: ignore[arg-type]
            await factory.run(merged([Source(*made)]), count)
        return told, [task.origin.name for task in TaskSet.read(tmp_path / folder).tasks]

    return work


async def test_tasks_come_in_the_order_of_their_proposals_however_long_each_took(run):
    slow_first = [proposal(name, delay=0.2 if number == 0 else 0.0) for number, name in enumerate(CHANGES)]
    told, names = await run(*slow_first)
    assert names == ["max", "minus", "plus", "strip", "digits"]
    assert [event.tried.key for event in told] == list(CHANGES)
    assert {event.tried.key: event.tried.dropped for event in told if event.tried.dropped} == {"doc": "survived"}


async def test_a_run_ends_when_there_are_enough(run):
    told, names = await run(*map(proposal, CHANGES), count=2)
    assert names == ["max", "minus"]
    assert len(told) == 3


async def test_a_run_that_was_interrupted_goes_on_to_the_same_set(run, tmp_path):
    _, whole = await run(*map(proposal, CHANGES), folder="whole")
    names = list(CHANGES)
    await run(*map(proposal, names[:3]))
    untouchable = [proposal(name, fails=AssertionError("it was decided before")) for name in names[:3]]
    told, after = await run(*untouchable, *map(proposal, names[3:]), resume=True)
    assert after == whole
    assert [event.again for event in told] == [True] * 3 + [False] * 3
    assert TaskSet.read(tmp_path / "set").identity == TaskSet.read(tmp_path / "whole").identity


async def test_what_counts_as_enough_counts_what_was_there_before(run):
    await run(*map(proposal, list(CHANGES)[:3]))
    _, names = await run(*map(proposal, CHANGES), count=3, resume=True)
    assert names == ["max", "minus", "plus"]


async def test_a_machine_that_fails_once_is_tried_again_by_the_next_run(run):
    lost = proposal("max", fails=InfrastructureError("no memory"))
    told, names = await run(lost, proposal("minus"))
    assert [type(event) for event in told] == [Lost, Decided]
    assert names == ["minus"]
    _, names = await run(proposal("max"), proposal("minus"), resume=True)
    assert names == ["minus", "max"]


async def test_a_machine_that_fails_again_and_again_ends_the_run(run):
    with pytest.raises(InfrastructureError, match="no memory"):
        await run(*(proposal("max", fails=InfrastructureError("no memory")) for _ in range(9)))


async def test_the_same_text_is_one_task(run):
    other = proposal("max")
    told, names = await run(proposal("max"), Proposal(key="again", origin="written", name="somebody", make=other.make))
    assert names == ["max"]
    assert told[1].tried.dropped == "duplicate"


async def test_a_source_that_has_no_candidate_says_why(run):
    told, names = await run(proposal("max", fails=Dropped("unusable", "the answer does not parse")))
    assert names == []
    assert (told[0].tried.dropped, told[0].tried.detail) == ("unusable", "the answer does not parse")


async def test_a_cancelled_run_leaves_nothing_running(run, tools):
    stuck = asyncio.Event()

    async def never() -> Candidate:
        stuck.set()
        await asyncio.Event().wait()
        raise AssertionError

    working = asyncio.create_task(run(Proposal(key="x", origin="mutation", name="x", make=never)))
    await stuck.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_sources_take_turns():
    candidate = await proposal("max").make()
    first, second = (Source(*(ready(f"{name}{number}", candidate) for number in range(count))) for name, count in (("a", 3), ("b", 1)))
    assert [each.key async for each in merged([first, second])] == ["a0", "b0", "a1", "a2"]


async def test_a_workspace_of_which_nothing_passes_is_refused(site_of):
    broken = site_of(tests_txt="test_a: False\n", shop_py="bad_style wrong_type\n")
    with pytest.raises(ConfigurationError, match="no check passes") as error:
        await baseline(broken, 1)
    assert "--include" in error.value.remedy
    with pytest.raises(ConfigurationError, match="no test passes on the healthy text: assert False"):
        await baseline(site_of(tests_txt="test_a: False\n"), 1)


async def test_a_machine_that_cannot_check_the_healthy_text_fails_as_such(site_of, tools):
    tools.breaks = lambda _view: True
    with pytest.raises(InfrastructureError, match="on fire"):
        await baseline(site_of(), 1)


def run_of(*tests: tuple[str, str]) -> tuple[CheckResult, ...]:
    outcomes = tuple(TestOutcome(id=name, outcome=outcome) for name, outcome in tests)  # type: ignore[arg-type]
    return (CheckResult(check="tests", status="passed", tests=outcomes),)


def test_tests_that_flip_and_tests_that_come_and_go_are_told_apart():
    one = run_of(("t.py::a", "passed"), ("t.py::b", "failed"), ("t.py::c[x-1]", "passed"), ("t.py::d[1]", "passed"))
    two = run_of(("t.py::a", "failed"), ("t.py::b", "failed"), ("t.py::c[x-2]", "failed"), ("t.py::d[1]", "passed"))
    assert flipping([one, two]) == {"tests": ("t.py::a",)}
    assert shifting([one, two]) == {"tests": ("t.py::c",)}
    assert flipping([one, one]) == shifting([one, one]) == {}


async def test_tests_that_come_and_go_decide_nothing(site_of, tools, tmp_path):
    """As over a set in Python 3.11, where the order of what holds None depends on addresses."""
    site = site_of()
    run, count = tools.test, [0]

    async def shifted(view, argv):
        code = await run(view, argv)
        count[0] += 1
        view.write(argv[0], view.report.replace(b"test_total", b"test_total[%d]" % count[0]))
        return code

    site.sandbox.backend._programs["testtool"] = shifted
    site, healthy = await baseline(site, 2)
    assert site.shifting == {"tests": ("tests.txt::test_total",)}
    ground = Ground(site=site, workspace="f" * 64, healthy=healthy)
    task = await verified(await proposal("max").make(), ground, Rules(runs=2))
    assert task.proof.good
    other = await verified(await proposal("minus").make(), ground, Rules(runs=2))
    assert [finding.test for finding in other.findings] == ["tests.txt::test_discount"]
