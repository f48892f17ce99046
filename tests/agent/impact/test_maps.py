"""The maps of a workspace: made while nobody runs anything, kept, found again, made anew when the text has moved, and of use in a proof."""

from __future__ import annotations

import asyncio
import hashlib
import time

import msgspec
import pytest

from suture_agent.errors import JournalError
from suture_agent.impact.making import is_outdated, pays
from suture_agent.impact.map import ImpactMap, Kept, MappedFile
from suture_agent.impact.maps import Maps
from suture_agent.problem import problems_in
from suture_agent.record import NoRecorder
from suture_sandbox.backend import Command
from suture_sandbox.checks import CheckResult, TestOutcome
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import prove

from .conftest import FILES, PRICES, TESTS

RESULT = CheckResult(check="tests", status="failed", seconds=3.0)


class Keeping(NoRecorder):
    """Keeps maps, or cannot."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.kept: dict[str, Kept] = {}
        self.broken = broken

    async def impact(self, check: str) -> Kept | None:
        if self.broken:
            raise JournalError("damaged")
        return self.kept.get(check)

    async def keep_impact(self, check: str, kept: Kept) -> None:
        if self.broken:
            raise JournalError("full")
        self.kept[check] = kept


def patch_of(shop: Snapshot, old: str, new: str) -> Patch:
    return patch_between(shop, {PRICES: FILES[PRICES].replace(old, new).encode()})


@pytest.mark.parametrize("broken", [False, True])
async def test_a_map_is_made_once_kept_and_asked(shop, pretended, python, broken):
    recorder = Keeping(broken=broken)
    maps = Maps(pretended, recorder)
    patch = patch_of(shop, "    return 1\n", "    return 2\n")
    assert maps.impact("tests", shop, patch) == ()
    await maps.keep_up(shop, [RESULT])
    await maps.keep_up(shop, [RESULT])
    assert python.runs == 1
    hot = ("tests/test_shop.py::test_hot",)
    assert maps.impact("tests", shop, patch) == hot
    later = Maps(pretended, recorder)
    await later.load([RESULT])
    assert later.impact("tests", shop, patch) == (() if broken else hot)


async def test_a_map_is_made_anew_for_a_new_text_and_the_old_one_says_nothing(shop, pretended, python):
    maps = Maps(pretended, NoRecorder())
    await maps.keep_up(shop, [RESULT])
    changed = shop.with_edits({PRICES: FILES[PRICES].replace("limit = 3", "limit = 4").encode()})
    patch = patch_between(changed, {PRICES: FILES[PRICES].replace("return 1", "return 2").replace("limit = 3", "limit = 4").encode()})
    assert maps.impact("tests", changed, patch) == ()
    await maps.keep_up(changed, [RESULT])
    assert maps.impact("tests", changed, patch) == ("tests/test_shop.py::test_hot",)


async def test_a_patch_that_breaks_another_test_is_refused_by_its_map(shop, sandbox):
    (before,) = await sandbox.check_all(shop)
    (problem,) = problems_in(shop, [msgspec.structs.replace(before, seconds=30.0)])
    assert problem.target.tests == ("tests/test_shop.py::test_fails",)
    maps = Maps(sandbox, NoRecorder())
    await maps.keep_up(shop, problem.before)
    patch = patch_of(shop, "for p in prices) * TAX", "for p in prices) * TAX + (len(prices) and prices[0] == 1)")
    stages: list[str] = []
    verdict = await prove(
        sandbox,
        shop,
        problem.before,
        problem.target,
        patch,
        impacted=lambda check, made: maps.impact(check, shop, made),
        on_stage=stages.append,
        reruns=1,
    )
    assert verdict.broken == ("tests/test_shop.py::test_total[1]",)
    assert stages == ["tests: 1 failing", "tests: 6 impacted"]


async def test_who_wants_to_run_something_does_not_wait_for_a_map(shop, pretended, python):
    python.waits = 60.0
    recorder = Keeping()
    mapping = asyncio.create_task(Maps(pretended, recorder).keep_up(shop, [RESULT]))
    await python.started.wait()
    python.waits = 0.0
    async with asyncio.timeout(10):
        await pretended.run(shop, Command(argv=("python", "", "", "", "/report")))
    assert recorder.kept == {}
    await mapping  # it tries again
    assert python.runs == 3
    assert list(recorder.kept) == ["tests"]


async def test_a_check_whose_run_tells_nothing_is_not_asked_again(shop, pretended, python):
    maps = Maps(pretended, NoRecorder())
    gone = shop.with_edits({PRICES: None})
    for _ in range(2):
        await maps.keep_up(gone, [RESULT])
    assert python.runs == 1


async def test_checks_for_which_it_does_not_pay_have_none(shop, pretended):
    recorder = Keeping()
    maps = Maps(pretended, recorder)
    for changed in ({"seconds": 1.0}, {"status": "timeout"}, {"check": "other"}):
        await maps.keep_up(shop, [msgspec.structs.replace(RESULT, **changed)])
    assert recorder.kept == {}
    assert pays(TESTS, RESULT)
    assert not pays(msgspec.structs.replace(TESTS, selectable=False), RESULT)
    assert not pays(msgspec.structs.replace(TESTS, command=("python", "-m", "unittest")), RESULT)


def kept_of(snapshot: Snapshot, paths: list[str], *, age: float = 0.0) -> Kept:
    files = tuple(MappedFile(path, hashlib.sha256(snapshot.read(path) or b"").hexdigest(), {}, (), ()) for path in paths)
    return Kept(map=ImpactMap(("t",) * 20, (-1,) * 20, files), seconds=1.0, created=time.time() - age)


@pytest.mark.parametrize(
    ("changed", "fresh", "age", "outdated"),
    [(0, 0, 1000, False), (1, 0, 5, False), (1, 0, 25, True), (2, 0, 5, False), (3, 0, 5, True), (0, 2, 5, False), (0, 3, 5, True)],
)
def test_a_map_is_made_anew_when_enough_has_changed(tmp_path, changed, fresh, age, outdated):
    paths = [f"f{number}.py" for number in range(20)]
    for path in paths:
        (tmp_path / path).write_text("x = 1\n")
    kept = kept_of(Snapshot(tmp_path), paths, age=age)
    now = Snapshot(tmp_path).with_edits(dict.fromkeys(paths[:changed], b"x = 2\n"))
    tests = (TestOutcome(id="t", outcome="passed"), *(TestOutcome(id=f"new{number}", outcome="passed") for number in range(fresh)))
    assert is_outdated(kept, now, msgspec.structs.replace(RESULT, tests=tests)) is outdated
