from stockdiff import changed, describe


def test_same():
    assert changed({"a": 1}, {"a": 1}) == {}


def test_changed():
    assert changed({"a": 1, "b": 5}, {"a": 3, "b": 5}) == {"a": 2}


def test_gone():
    assert changed({"a": 1}, {}) == {"a": -1}
    assert describe({"a": 1}, {}) == ["gone: a"]


def test_sorted():
    assert list(changed({"b": 1, "a": 1}, {"b": 2, "a": 2})) == ["a", "b"]


def test_new():
    assert describe({}, {"bolt": 7}) == ["new: bolt (7)"]


def test_mixed():
    assert describe({"nut": 4, "pin": 1}, {"nut": 2, "cap": 9}) == ["new: cap (9)", "nut: -2", "gone: pin"]
