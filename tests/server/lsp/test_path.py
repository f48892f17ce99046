"""The way from a failing check to an applied and recorded fix, in one editor that knows our messages."""

from __future__ import annotations

from pathlib import Path


async def test_a_failure_is_shown_fixed_and_recorded(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    buffer = it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()
    before = (cart / "cart.py").read_text()
    (action,) = await it.actions(tests, 4)
    assert action.title == "Fix with agent (tests)"
    assert action.edit is None
    assert not action.is_preferred
    await it.choose(action)
    offer = await it.offered()
    assert offer["title"] == "Fix with agent: passes test_total and 2 others, build clean"
    assert buffer.text == before
    assert (cart / "cart.py").read_text() == before
    (ready,) = await it.actions(tests, 4)
    assert ready.title == offer["title"]
    await it.choose(ready)
    assert "return sum(prices)\n" in buffer.text
    await it.wait(lambda: it.decisions() == ["accepted"])
    it.save(buffer)
    await it.wait(lambda: not it.diagnostics("test_cart.py"))
    await it.wait(lambda: it.journal("SELECT moment, tokens = kept FROM survivals") == [("save", 1)])
    ((environment, harness, snapshot, shown),) = it.journal("SELECT environment, harness, snapshot, shown FROM offers")
    assert len(environment) == len(harness) == 64
    assert snapshot
    assert shown == "notification"
