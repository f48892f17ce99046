import asyncio

import pytest

from cinema.show import SeatTaken, Show, price
from cinema.till import Declined, Till


def test_price():
    assert price("A1") == 1100
    assert price("F8") == 1450


@pytest.mark.parametrize("seat", ["G1", "A0", "A"])
def test_no_such_seat(seat):
    with pytest.raises(ValueError, match="no such seat"):
        price(seat)


def test_reserve():
    show = Show("Metropolis", Till())
    assert asyncio.run(show.reserve("B2", "ada")) == 1
    assert show.seats == {"B2": "ada"}
    assert show.till.receipts == [("ada", 1100)]


def test_a_taken_seat_is_not_charged():
    async def scenario():
        await show.reserve("B2", "ada")
        with pytest.raises(SeatTaken):
            await show.reserve("B2", "bob")

    show = Show("Metropolis", Till())
    asyncio.run(scenario())
    assert show.till.receipts == [("ada", 1100)]


def test_a_declined_card_leaves_the_seat_free():
    show = Show("Metropolis", Till(limits={"eve": 500}))
    with pytest.raises(Declined):
        asyncio.run(show.reserve("A3", "eve"))
    assert "A3" in show.free("A")


def test_free():
    show = Show("Metropolis", Till())
    asyncio.run(show.reserve("C4", "ada"))
    assert show.free("C") == ["C1", "C2", "C3", "C5", "C6", "C7", "C8"]
