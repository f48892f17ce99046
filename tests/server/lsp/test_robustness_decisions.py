"""Decisions that are cut off, untrue, or made while something dies."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException


async def offered(it):
    """The open files and an offer for the cart."""
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    return buffer, tests, await it.offered()


async def test_accepting_is_carried_through_where_the_request_is_cancelled(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    buffer, _, offer = await offered(it)
    it.applying = asyncio.Event()
    command = types.ExecuteCommandParams("suture.accept", [{"offer": offer["id"]}])
    asking = asyncio.ensure_future(it.client.protocol.send_request_async("workspace/executeCommand", command, "mine"))
    await it.wait(lambda: it.asked_to_apply)
    it.client.cancel_request(types.CancelParams("mine"))
    with pytest.raises(JsonRpcException):
        await asking
    it.applying.set()
    await it.wait(lambda: it.decisions() == ["accepted"])
    assert "return sum(prices)\n" in buffer.text


async def test_an_accept_that_is_cancelled_at_once_is_carried_through_or_never_begins(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    buffer, _, offer = await offered(it)
    command = types.ExecuteCommandParams("suture.accept", [{"offer": offer["id"]}])
    asking = asyncio.ensure_future(it.client.protocol.send_request_async("workspace/executeCommand", command, "mine"))
    await asyncio.sleep(0)
    it.client.cancel_request(types.CancelParams("mine"))
    with contextlib.suppress(JsonRpcException):
        await asking
    if not it.asked_to_apply:
        assert [each["state"] for each in await it.command("suture.offers")] == ["ready"]
        assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    await it.wait(lambda: it.decisions() == ["accepted"])
    assert "return sum(prices)\n" in buffer.text


async def test_an_edit_that_was_refused_is_not_accepted_whatever_the_command_says(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    buffer, _, offer = await offered(it)
    await it.command("suture.accepted", offer=offer["id"])
    assert it.decisions() == []
    await it.wait(lambda: it.messages("Not applied: the editor did not apply it to cart.py"))
    it.change(buffer, "def count(prices):", "def count(prices):  # how many")
    await it.command("suture.accepted", offer=offer["id"])
    await it.offered(count=2)
    assert it.decisions() == []
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]


async def test_what_a_file_that_is_not_open_became_is_known_when_it_is_saved(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    await it.command("suture.accepted", offer=offer["id"])
    assert it.decisions() == []
    assert it.messages("Not applied") == []
    (cart / "cart.py").write_text((cart / "cart.py").read_text().replace("sum(prices) + 1", "sum(prices)"))
    await it.wait(lambda: it.decisions() == ["accepted"])
    assert it.journal("SELECT source FROM decisions") == [("inferred",)]


async def test_an_offer_outlives_a_worker_that_dies_while_it_is_proven_again(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    buffer, _, offer = await offered(it)
    it.change(buffer, "def count(prices):", "def count(prices):  # how many")

    for _ in range(1000):
        if [each["state"] for each in await it.command("suture.offers")] == ["proving"]:
            break
        await asyncio.sleep(0.01)
    (worker,) = it.workers()
    worker.kill()
    await it.wait(lambda: len(it.offers) > 1 or it.decisions(), 60)
    again = await it.offered(count=2)
    assert again["id"] == offer["id"]
    assert it.decisions() == []
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]


async def test_an_edit_is_not_handed_out_for_a_file_that_changed_on_the_disk(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.offered()
    (ready,) = await it.actions(tests, 4)
    (cart / "cart.py").write_text("# new\n" + (cart / "cart.py").read_text())
    assert (await it.client.code_action_resolve_async(ready)).edit is None
