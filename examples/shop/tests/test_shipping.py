import pytest

from shop import shipping_cost


@pytest.mark.parametrize(("subtotal", "cost"), [(0, 0), (1, 490), (4999, 490), (5000, 0), (9000, 0)])
def test_cost_by_subtotal(subtotal, cost):
    assert shipping_cost(subtotal) == cost


def test_heavy_parcels_are_never_free():
    assert shipping_cost(9000, weight=10_000) == 990
