"""What is known of what tests run: which functions are worth breaking, and which tests are asked first."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from tasks_shop import SHOP

from suture_agent.impact.map import ImpactMap, MappedFile
from suture_sandbox.patch import FileEdit, Patch
from suture_training.tasks.candidate import Candidate, Dropped
from suture_training.tasks.coverage import Coverage, measure
from suture_training.tasks.task import Edit, Origin
from suture_training.tasks.verify import Rules, verified

TESTS = tuple(f"tests.txt::{name}" for name in ("test_total", "test_discount", "test_cheapest", "test_nothing", "test_label"))
LINES = {name: SHOP[: SHOP.index(f"def {name}")].count("\n") + 1 for name in ("total", "cheapest", "label")}


def coverage(text: str = SHOP, **ran: tuple[int, ...]) -> Coverage:
    """`total=(0, 1)`: the tests from the first to the second one run it."""
    functions = {LINES[name]: pair for name, pair in ran.items()}
    file = MappedFile("shop.py", hashlib.sha256(text.encode()).hexdigest(), functions, (), ())
    return Coverage({"tests": ImpactMap(TESTS, (-1,) * 5, (file,))})


def change(old: str, new: str) -> Patch:
    return Patch((FileEdit(path="shop.py", before=SHOP.encode(), after=SHOP.replace(old, new).encode()),))


def broken(old: str, new: str) -> Candidate:
    origin = Origin(kind="mutation", repository="shop", name="x")
    edits = (Edit(path="shop.py", text=SHOP.replace(old, new)),)
    return Candidate(origin=origin, broken=edits, gold=(Edit(path="shop.py", text=SHOP),), kind="tests")


def test_functions_that_tests_run_are_known_by_their_first_line():
    known = coverage(total=(0, 1))
    assert known.runs("shop.py", LINES["total"])
    assert not known.runs("shop.py", LINES["cheapest"])
    assert not known.runs("other.py", 1)
    assert Coverage({}).runs("other.py", 1)


def test_the_tests_of_what_is_changed_are_named_where_they_are_few():
    known = coverage(total=(0, 1), cheapest=(0, 4))
    assert known.tests("tests", change("result += price", "result -= price")) == TESTS[:2]
    assert known.tests("tests", change("min(prices)", "max(prices)")) is None
    assert known.tests("tests", change("name.strip()", "name")) == ()
    assert known.tests("types", change("min(prices)", "max(prices)")) is None
    other = Patch((FileEdit(path="new.py", before=None, after=b"x = 1\n"),))
    assert known.tests("tests", other) is None


@pytest.mark.parametrize(("ran", "why"), [({}, "uncovered"), ({"total": (2, 3)}, "survived")])
async def test_what_no_test_runs_or_notices_costs_no_whole_check(ground_of, tools, ran, why):
    ground = msgspec.structs.replace(await ground_of(), coverage=coverage(**ran))
    before = tools.runs["tests"]
    with pytest.raises(Dropped) as dropped:
        await verified(broken("result += price", "result -= price"), ground, Rules(runs=1))
    assert dropped.value.why == why
    assert tools.runs["tests"] - before == len(ran)


async def test_what_a_test_notices_is_verified_as_without_a_map(ground_of):
    ground = msgspec.structs.replace(await ground_of(), coverage=coverage(total=(0, 1)))
    task = await verified(broken("result += price", "result -= price"), ground, Rules(runs=1))
    assert task.proof.good


async def test_a_check_that_is_not_pytest_is_not_measured(ground_of):
    ground = await ground_of()
    assert not await measure(ground.site.sandbox, ground.site.healthy, ground.healthy)
