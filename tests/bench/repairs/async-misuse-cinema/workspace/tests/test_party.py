import asyncio

from cinema.party import reserve_all
from cinema.show import Show
from cinema.till import Till


def test_different_seats():
    show = Show("Metropolis", Till())
    assert asyncio.run(reserve_all(show, {"ada": "A1", "bob": "A2"})) == {"ada": "reserved", "bob": "reserved"}
    assert show.seats == {"A1": "ada", "A2": "bob"}


def test_one_of_them_is_declined():
    show = Show("Metropolis", Till(limits={"bob": 1000}))
    assert asyncio.run(reserve_all(show, {"ada": "A1", "bob": "A2"})) == {"ada": "reserved", "bob": "Declined"}
    assert show.seats == {"A1": "ada"}


def test_the_same_seat():
    show = Show("Metropolis", Till())
    assert asyncio.run(reserve_all(show, {"ada": "E5", "bob": "E5"})) == {"ada": "reserved", "bob": "SeatTaken"}
    assert show.seats == {"E5": "ada"}
    assert show.till.receipts == [("ada", 1450)]
