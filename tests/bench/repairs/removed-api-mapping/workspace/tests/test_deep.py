from merging import deep_merge, flatten_keys


def test_merge_with_nothing():
    assert deep_merge({"a": 1}, {}) == {"a": 1}


def test_flatten_nothing():
    assert flatten_keys({}) == {}


def test_values_win():
    assert deep_merge({"a": 1, "b": 2}, {"b": 3}) == {"a": 1, "b": 3}


def test_trees_are_merged():
    assert deep_merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 5}}) == {"a": {"x": 1, "y": 5}}


def test_base_is_untouched():
    base = {"a": {"x": 1}}
    deep_merge(base, {"a": {"x": 2}})
    assert base == {"a": {"x": 1}}


def test_flatten():
    assert flatten_keys({"a": {"b": {"c": 1}}, "d": 2}) == {"a.b.c": 1, "d": 2}
