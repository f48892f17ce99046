import pytest

from version import Version, VersionError, newest


def test_parse_and_print():
    assert str(Version.parse("1.20.3")) == "1.20.3"
    assert str(Version.parse(" 4 ")) == "4.0.0"


def test_compare():
    assert Version.parse("1.10") > Version.parse("1.9.9")


def test_equal():
    assert Version.parse("2") == Version.parse("2.0.0")


def test_too_many_parts():
    with pytest.raises(VersionError):
        Version.parse("1.2.3.4")


@pytest.mark.parametrize("text", ["", "1.x", "v2", "1..2"])
def test_not_a_version(text):
    with pytest.raises(VersionError):
        Version.parse(text)


def test_bump():
    assert str(Version(1, 2, 3).bump(1)) == "1.3.0"
    assert str(Version(1, 2, 3).bump(2)) == "1.2.4"


def test_newest():
    assert str(newest(["1.0", "2.1", "1.9"])) == "2.1.0"
    assert newest([]) is None


def test_newest_skips_other_names():
    assert str(newest(["main", "1.0", "dev-2"])) == "1.0.0"
