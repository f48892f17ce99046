import pytest

from inject.container import Container, NotRegistered


def test_values():
    assert Container(port=80).resolve("port") == 80


def test_unknown():
    with pytest.raises(NotRegistered):
        Container().resolve("port")


def test_call():
    assert Container(a=1, b=2).call(lambda a, b: a + b) == 3


def test_given_arguments_win():
    assert Container(a=1).call(lambda a, b: (a, b), b=9) == (1, 9)


def test_optional_arguments():
    assert Container().call(lambda a=5: a) == 5


def test_missing_argument():
    with pytest.raises(NotRegistered, match="b"):
        Container(a=1).call(lambda a, b: None)


def test_factories_run_once():
    container = Container(url="x")
    calls = []

    @container.factory("db")
    def connect(url):
        calls.append(url)
        return url.upper()

    assert container.resolve("db") == "X"
    assert container.resolve("db") == "X"
    assert calls == ["x"]
