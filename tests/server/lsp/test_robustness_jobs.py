"""Several repairs at once: each decided on its own, joined, queued, or made ahead of time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

THREE = """def one():
    return 10


def two():
    return 20


def three():
    return 30
"""
TESTS = """from numbers_ import one, three, two


def test_one():
    assert one() == 1


def test_two():
    assert two() == 2


def test_three():
    assert three() == 3
"""


@pytest.fixture
def numbers(cart: Path) -> Path:
    """A workspace with three problems in one file."""
    for name in ("cart.py", "test_cart.py"):
        (cart / name).unlink()
    (cart / "numbers_.py").write_text(THREE)
    (cart / "test_numbers.py").write_text(TESTS)
    return cart


@pytest.fixture
def answers(script) -> str:
    """A policy that repairs all three, a second after it is asked."""
    names = {"one": 1, "two": 2, "three": 3}
    turns = [{"pattern": rf"\btest_{name}\b", "text": f"    return {number}\n", "repeat": 0, "delay": 1} for name, number in names.items()]
    return script(*turns)


async def test_fix_all_gives_an_offer_for_each_problem(editor, numbers: Path, answers: str):
    it = await editor(numbers, policy=answers)
    buffer, tests = it.open("numbers_.py"), it.open("test_numbers.py")
    await it.wait(lambda: len(it.diagnostics("test_numbers.py")) == 3)
    answer = await it.command("suture.fixAll", uri=tests.uri)
    assert len(set(answer["jobs"])) == 3
    await it.wait(lambda: len({each["offer"]["id"] for each in it.offers}) == 3, 90)
    assert it.applied == []
    first, second, third = await it.command("suture.offers")
    assert await it.command("suture.accept", offer=first["id"]) == {"applied": True}
    await it.command("suture.reject", offer=second["id"])
    assert not (await it.command("suture.accept", offer=third["id"]))["applied"]  # its text has moved
    await it.wait(lambda: [each for each in it.offers if each["offer"]["id"] == third["id"] and each["state"] == "ready"][1:], 90)
    assert await it.command("suture.accept", offer=third["id"]) == {"applied": True}
    rows = it.journal("SELECT offer, kind FROM decisions ORDER BY id")
    assert rows == [(first["id"], "accepted"), (second["id"], "rejected"), (third["id"], "accepted")]
    left = {first["id"]: first, third["id"]: third}
    assert buffer.text.count("0\n") == 3 - len(left)


async def test_asking_twice_joins(editor, cart: Path, script):
    it = await editor(cart, policy=script({"text": "    return sum(prices)\n", "repeat": 0, "delay": 1}))
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    (argument,) = action.command.arguments
    first, second = await asyncio.gather(it.command("suture.fix", **argument), it.command("suture.fix", **argument))
    assert (first["state"], second["state"]) == ("started", "joined")
    assert first["job"] == second["job"]
    (busy,) = await it.actions(tests, 4)
    assert "an agent is at work" in busy.disabled.reason
    offer = await it.offered()
    assert (await it.command("suture.fix", **argument))["offer"] == offer["id"]
    await asyncio.sleep(0.5)
    assert it.journal("SELECT count(*) FROM episodes") == [(1,)]
    assert len(it.offers) == 1


async def test_more_jobs_than_slots_wait_for_their_turn(editor, numbers: Path, answers: str):
    it = await editor(numbers, policy=answers, settings={"editor": {"episodes": 1, "delay_ms": 50}})
    tests = it.open("test_numbers.py")
    await it.wait(lambda: len(it.diagnostics("test_numbers.py")) == 3)
    arguments = [(await it.actions(tests, line))[0].command.arguments[0] for line in (4, 8, 12)]
    states = [(await it.command("suture.fix", **each))["state"] for each in arguments]
    assert states == ["started", "queued", "queued"]
    await it.wait(lambda: it.status[-1]["repairing"] == 1)
    await it.wait(lambda: len(it.offers) == 3, 120)
    assert max(each["repairing"] for each in it.status) == 1
    assert max(each["queued"] for each in it.status) == 2


async def test_repairs_ahead_of_time_edit_nothing(editor, numbers: Path, answers: str):
    settings = {"editor": {"background": True, "idle_seconds": 1, "delay_ms": 50}}
    it = await editor(numbers, policy=answers, settings=settings)
    buffer, tests = it.open("numbers_.py"), it.open("test_numbers.py")
    await it.wait(lambda: len(it.offers) >= 2, 120)
    assert max(each["repairing"] for each in it.status) == 1
    assert it.applied == []
    assert buffer.text == THREE
    assert (numbers / "numbers_.py").read_text() == THREE
    assert it.messages() == []
    assert {shown for (shown,) in it.journal("SELECT shown FROM offers")} == {"action"}
    offer = it.offers[0]["offer"]
    name = next(name for name in ("one", "two", "three") if f"test_{name}" in offer["title"])
    line = tests.text[: tests.text.index(f"assert {name}(")].count("\n")
    (ready,) = await it.actions(tests, line)
    assert ready.title == offer["title"]


async def test_repairs_ahead_of_time_have_a_budget(editor, numbers: Path, answers: str):
    settings = {"editor": {"background": True, "background_minutes": 0, "idle_seconds": 1, "delay_ms": 50}}
    it = await editor(numbers, policy=answers, settings=settings)
    it.open("test_numbers.py")
    await it.wait(lambda: len(it.diagnostics("test_numbers.py")) == 3)
    await asyncio.sleep(8)
    assert max(each["repairing"] for each in it.status) == 0
    assert it.journal("SELECT count(*) FROM episodes") in ([], [(0,)])
