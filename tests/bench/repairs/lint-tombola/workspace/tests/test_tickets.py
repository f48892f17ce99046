import pytest

from tombola.tickets import Ticket, load, sold, unsold, winners, wins


@pytest.fixture
def tickets(tmp_path):
    path = tmp_path / "tickets.txt"
    path.write_text("7 red Ada\n17 blue Grace Hopper\n27 red Ada\n37 red\n8 green\n", encoding="utf-8")
    return load(path)


def test_load(tickets):
    assert len(tickets) == 5
    assert tickets[1] == Ticket(17, "blue", "Grace Hopper")
    assert tickets[4] == Ticket(8, "green")


def test_wins_by_ending():
    assert wins(Ticket(117, "red"), "17")
    assert not wins(Ticket(171, "red"), "17")


def test_wins_by_colour():
    assert wins(Ticket(117, "red"), "7", "red")
    assert not wins(Ticket(117, "red"), "7", "blue")


def test_number_one_thousand_always_wins():
    assert wins(Ticket(1000, "red"), "7", "blue")


def test_winners(tickets):
    assert winners(tickets, "7") == ["Ada", "Grace Hopper"]
    assert winners(tickets, "7", "red") == ["Ada"]
    assert winners(tickets, "8") == []


def test_sold(tickets):
    assert sold(tickets) == {"red": 2, "blue": 1, "green": 0}


def test_unsold(tickets):
    assert unsold(tickets) == ["green"]
    assert unsold([]) == []
