import pytest

from buildorder import CycleError, needed_by, order


def test_chain():
    assert order({"app": ["lib"], "lib": ["core"], "core": []}) == ["core", "lib", "app"]


def test_shared():
    result = order({"a": ["c"], "b": ["c"]})
    assert result.index("c") == 0
    assert set(result) == {"a", "b", "c"}


def test_empty():
    assert order({}) == []


def test_cycle():
    with pytest.raises(CycleError) as caught:
        order({"a": ["b"], "b": ["c"], "c": ["b"]})
    assert caught.value.path == ["b", "c", "b"]


def test_self():
    with pytest.raises(CycleError, match="x -> x"):
        order({"x": ["x"]})


def test_needed_by():
    graph = {"app": ["lib"], "lib": ["core"], "tool": []}
    assert needed_by(graph, "core") == {"lib", "app"}
    assert needed_by(graph, "tool") == set()
