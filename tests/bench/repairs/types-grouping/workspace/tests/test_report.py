from orders import Order, by_customer, totals
from orders.report import best

ORDERS = [Order(1, "ann", 500), Order(2, "bob", 900), Order(3, "ann", 700), Order(4, "cy", 900)]


def test_by_customer() -> None:
    assert by_customer(ORDERS) == {"ann": [ORDERS[0], ORDERS[2]], "bob": [ORDERS[1]], "cy": [ORDERS[3]]}


def test_no_orders() -> None:
    assert by_customer([]) == {}
    assert totals([]) == {}
    assert best([]) == []


def test_unknown_customer_is_not_added() -> None:
    groups = by_customer(ORDERS)
    assert groups.get("dora") is None
    assert "dora" not in groups


def test_totals() -> None:
    assert totals(ORDERS) == {"ann": 1200, "bob": 900, "cy": 900}


def test_best() -> None:
    assert best(ORDERS, 2) == ["ann", "bob"]
