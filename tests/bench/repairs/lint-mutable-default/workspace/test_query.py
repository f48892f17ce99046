from query import build, parse, update


def test_build():
    assert build({"b": 2, "a": "x y"}) == "a=x+y&b=2"


def test_build_drops():
    assert build({"a": 1, "b": 2, "c": None}, drop=["a"]) == "b=2"


def test_parse():
    assert parse("?a=1&b=") == {"a": "1", "b": ""}


def test_update():
    assert update("a=1&b=2", b=None, c=3) == "a=1&c=3"
