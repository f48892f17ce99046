import pytest

from logtools.levels import at_least, split_line


def test_at_least():
    assert at_least("error", "info")
    assert at_least("info", "info")
    assert not at_least("debug", "warning")


def test_split_line():
    assert split_line("INFO: ready \n") == ("info", "ready")


def test_unknown_level():
    with pytest.raises(ValueError):
        at_least("loud", "info")
