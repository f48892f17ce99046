"""Slots that nobody wants: used as long as that is so, and given back at once."""

from __future__ import annotations

import asyncio

import pytest

from suture_sandbox.slots import Slots


async def _forever(ended: list[str]) -> str:
    try:
        await asyncio.sleep(60)
    finally:
        ended.append("ended")
    return "done"


async def _quick() -> str:
    return "done"


async def test_work_that_nobody_interrupts_comes_to_its_end():
    slots = Slots(1)
    assert await slots.spare(_quick()) == "done"
    assert await slots.spare(_quick()) == "done"


async def test_whoever_wants_a_slot_has_it_at_once():
    slots, ended = Slots(2), []
    spare = asyncio.create_task(slots.spare(_forever(ended)))
    await asyncio.sleep(0)
    async with asyncio.timeout(5), slots.taken("training"):
        await asyncio.sleep(0.01)
        assert not spare.done()  # one of two is still free
        async with slots.taken("training"):
            assert await spare is None
    assert ended == ["ended"]


async def test_nothing_begins_while_all_slots_are_taken():
    slots = Slots(1)
    async with slots.taken("batch"):
        assert await slots.spare(_quick()) is None
    assert await slots.spare(_quick()) == "done"


async def test_cancelling_the_one_who_asked_ends_the_work():
    slots, ended = Slots(1), []
    spare = asyncio.create_task(slots.spare(_forever(ended)))
    await asyncio.sleep(0.01)
    spare.cancel()
    with pytest.raises(asyncio.CancelledError):
        await spare
    assert ended == ["ended"]
    assert await slots.spare(_quick()) == "done"


async def test_an_error_of_the_work_is_the_callers():
    async def fails() -> None:
        raise ValueError("no")

    slots = Slots(1)
    with pytest.raises(ValueError, match="no"):
        await slots.spare(fails())
    assert await slots.spare(_quick()) == "done"
