from labels import matches, parse, render


def test_parse():
    assert parse("a=1,b=x=y") == {"a": "1", "b": "x=y"}
    assert parse("") == {}


def test_matches():
    labels = {"app": "web", "tier": "front"}
    assert matches(labels, "app=web")
    assert matches(labels, None)
    assert not matches(labels, "app=web,tier=back")


def test_render():
    assert render({"b": "2", "a": "1"}) == "a=1,b=2"
