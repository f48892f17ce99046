import asyncio

import pytest

from ferry import BookingOffice, DeckFull, Sailing, Ticket


class Bank:
    def __init__(self, refuse=()):
        self.payments = []
        self.refuse = set(refuse)

    async def charge(self, customer, cents):
        await asyncio.sleep(0)
        if customer in self.refuse:
            raise PermissionError(customer)
        self.payments.append((customer, cents))
        return f"R{len(self.payments)}"


@pytest.fixture
def bank():
    return Bank()


@pytest.fixture
def office(bank):
    return BookingOffice(bank.charge, cents_per_metre=100)


def test_book(office, bank):
    sailing = Sailing("F1", 20)
    assert asyncio.run(office.book(sailing, "Ada", 5)) == Ticket("Ada", "F1", 5, "R1")
    assert bank.payments == [("Ada", 500)]
    assert sailing.free == 15


def test_no_room_costs_nothing(office, bank):
    sailing = Sailing("F1", 4)
    with pytest.raises(DeckFull, match="5 m wanted, 4 m free"):
        asyncio.run(office.book(sailing, "Ada", 5))
    assert bank.payments == []
    assert sailing.free == 4


def test_length_must_be_positive(office):
    with pytest.raises(ValueError, match="at least one metre"):
        asyncio.run(office.book(Sailing("F1", 4), "Ada", 0))


def test_one_after_the_other(office):
    async def scenario():
        sailing = Sailing("F1", 10)
        await office.book(sailing, "Ada", 6)
        with pytest.raises(DeckFull):
            await office.book(sailing, "Bo", 6)
        return sailing.free

    assert asyncio.run(scenario()) == 4


def test_refused_payment_takes_no_room():
    office = BookingOffice(Bank(refuse=["Ada"]).charge)
    sailing = Sailing("F1", 10)
    with pytest.raises(PermissionError):
        asyncio.run(office.book(sailing, "Ada", 6))
    assert sailing.free == 10
    assert office.tickets == []


def test_abandoned_payment_takes_no_room():
    async def scenario():
        asked = asyncio.Event()

        async def charge(customer, cents):
            asked.set()
            await asyncio.Event().wait()

        sailing = Sailing("F1", 10)
        task = asyncio.create_task(BookingOffice(charge).book(sailing, "Ada", 6))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return sailing.free

    assert asyncio.run(scenario()) == 10


def test_cancelled_ticket_gives_room_back(office):
    sailing = Sailing("F1", 10)
    ticket = asyncio.run(office.book(sailing, "Ada", 6))
    office.cancel(sailing, ticket)
    assert sailing.free == 10
    assert office.tickets == []


def test_all_fit(office):
    sailing = Sailing("F1", 12)
    tickets = asyncio.run(office.book_all(sailing, [("Ada", 5), ("Bo", 7)]))
    assert [ticket.customer for ticket in tickets] == ["Ada", "Bo"]
    assert sailing.free == 0


def test_last_place_is_sold_once(office, bank):
    sailing = Sailing("F1", 6)
    tickets = asyncio.run(office.book_all(sailing, [("Ada", 5), ("Bo", 5)]))
    assert [ticket is not None for ticket in tickets] == [True, False]
    assert bank.payments == [("Ada", 500)]
    assert sailing.free == 1


def test_small_vehicle_behind_a_long_one(office):
    sailing = Sailing("F1", 20)
    tickets = asyncio.run(office.book_all(sailing, [("bus", 15), ("truck", 12), ("car", 4)]))
    assert [ticket and ticket.length for ticket in tickets] == [15, None, 4]
    assert sailing.free == 1


def test_sailings_do_not_share_room(office):
    async def scenario():
        first, second = Sailing("F1", 6), Sailing("F2", 6)
        await asyncio.gather(office.book(first, "Ada", 6), office.book(second, "Bo", 6))
        return first.free, second.free

    assert asyncio.run(scenario()) == (0, 0)
