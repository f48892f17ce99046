from tables import index_by, inner_join, left_join

ORDERS = [
    {"id": "1", "customer": "c1", "total": "10"},
    {"id": "2", "customer": "c2", "total": "25"},
    {"id": "3", "customer": "c9", "total": "7"},
]
CUSTOMERS = [
    {"customer": "c1", "name": "Ada"},
    {"customer": "c2", "name": "Grace"},
]


def test_index_groups_rows():
    groups = index_by([{"k": "a", "n": "1"}, {"k": "b", "n": "2"}, {"k": "a", "n": "3"}], "k")
    assert [row["n"] for row in groups["a"]] == ["1", "3"]


def test_inner_join_drops_unmatched():
    rows = inner_join(ORDERS, CUSTOMERS, "customer")
    assert [row["name"] for row in rows] == ["Ada", "Grace"]


def test_left_join_merges_columns():
    rows = left_join(ORDERS[:2], CUSTOMERS, "customer")
    assert rows[0] == {"id": "1", "customer": "c1", "total": "10", "name": "Ada"}
    assert rows[1]["name"] == "Grace"


def test_left_join_fills():
    rows = left_join(ORDERS[2:], CUSTOMERS, "customer", fill="?")
    assert rows == [{"id": "3", "customer": "c9", "total": "7", "name": "?"}]


def test_left_join_with_empty_right_side():
    assert left_join(ORDERS, [], "customer") == ORDERS


def test_left_join_repeats_for_each_match():
    right = [{"customer": "c1", "tag": "x"}, {"customer": "c1", "tag": "y"}]
    assert [row["tag"] for row in left_join(ORDERS[:1], right, "customer")] == ["x", "y"]
