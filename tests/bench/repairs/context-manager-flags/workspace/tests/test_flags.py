import pytest

from flags.registry import Flags


@pytest.fixture
def flags():
    return Flags(dark=True, beta=False)


def test_defaults(flags):
    assert flags.enabled("dark")
    assert not flags.enabled("beta")
    assert not flags.enabled("other")


def test_names(flags):
    assert flags.names() == ["dark"]


def test_override_inside(flags):
    with flags.override(beta=True) as inside:
        assert inside.names() == ["beta", "dark"]


def test_override_ends(flags):
    with flags.override(beta=True, dark=False):
        pass
    assert flags.names() == ["dark"]


def test_override_ends_after_an_error(flags):
    with pytest.raises(RuntimeError):
        with flags.override(beta=True):
            raise RuntimeError("stop")
    assert not flags.enabled("beta")


def test_unknown(flags):
    with pytest.raises(KeyError, match="gamma"):
        with flags.override(gamma=True):
            pass


def test_nested(flags):
    with flags.override(beta=True):
        with flags.override(dark=False):
            assert flags.names() == ["beta"]
        assert flags.names() == ["beta", "dark"]
