import pytest

from wildmatch import first_match, matches
from wildmatch.match import select


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("order", "order"), ("o?der", "order"), ("*", ""), ("*", "anything"), ("or*", "order"), ("*.eu.*", "order.eu.paid"), ("", "")],
)
def test_match(pattern, text):
    assert matches(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), [("order", "odder"), ("?", ""), ("a*b", ""), ("order?", "order")])
def test_no_match(pattern, text):
    assert not matches(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), [("order", "orders"), ("", "order"), ("*.eu", "order.eu.paid")])
def test_the_whole_text_must_match(pattern, text):
    assert not matches(pattern, text)


def test_select():
    assert select("*.log", ["a.log", "b.txt", ".log"]) == ["a.log", ".log"]


def test_first_match_wins():
    routes = {"order.*": "billing", "*.paid": "ledger"}
    assert first_match(routes, "order.paid") == "billing"
    assert first_match(routes, "invoice.paid") == "ledger"


def test_default_route():
    assert first_match({"x?": "a"}, "y", default="dead") == "dead"
    assert first_match({}, "order.paid") == ""
