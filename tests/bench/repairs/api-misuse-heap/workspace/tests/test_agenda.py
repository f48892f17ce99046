import pytest

from scheduling.agenda import Agenda


@pytest.fixture
def agenda():
    agenda = Agenda()
    agenda.add(30, "backup")
    agenda.add(10, "mail")
    agenda.add(20, "report")
    return agenda


def test_single_event():
    a = Agenda()
    a.add(5, "x")
    assert a.pop() == (5, "x")


def test_empty():
    with pytest.raises(IndexError):
        Agenda().pop()


def test_order(agenda):
    assert [agenda.pop()[1] for _ in range(3)] == ["mail", "report", "backup"]


def test_ties_keep_order():
    a = Agenda()
    for name in "abc":
        a.add(1, name)
    assert "".join(a.pop()[1] for _ in range(3)) == "abc"


def test_cancel():
    a = Agenda()
    first = a.add(1, "x")
    a.cancel(first)
    with pytest.raises(IndexError):
        a.pop()


def test_drain(agenda):
    assert agenda.drain(20) == [(10, "mail"), (20, "report")]
    assert agenda.pop() == (30, "backup")


def test_drain_nothing(agenda):
    assert agenda.drain(5) == []
