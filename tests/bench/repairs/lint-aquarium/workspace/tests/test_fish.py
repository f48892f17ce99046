import pytest

from aquarium.fish import BadRecord, Fish, parse


def test_parse():
    assert parse("guppy, 3.5, A") == Fish("guppy", 3.5, "A")


def test_too_few_parts():
    with pytest.raises(BadRecord, match="2 parts: guppy, 3.5"):
        parse("guppy, 3.5")


def test_not_a_length():
    with pytest.raises(BadRecord, match="not a length: long"):
        parse("guppy, long, A")
