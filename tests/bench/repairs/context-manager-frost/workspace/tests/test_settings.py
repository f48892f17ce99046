import pytest

from frost.settings import Settings, variables


@pytest.fixture
def settings():
    return Settings({"colour": "auto", "width": 80})


def test_default(settings):
    assert settings["width"] == 80


def test_set_and_reset(settings):
    settings.set("width", 100)
    assert settings["width"] == 100
    settings.reset("width")
    assert settings["width"] == 80


def test_unknown(settings):
    with pytest.raises(KeyError):
        settings.set("height", 1)


def test_override(settings):
    with settings.override(width=40) as inside:
        assert inside["width"] == 40
        assert inside["colour"] == "auto"
    assert settings["width"] == 80


def test_override_of_a_set_value(settings):
    settings.set("width", 100)
    with settings.override(width=40):
        assert settings["width"] == 40
    assert settings["width"] == 100


def test_override_within_override(settings):
    with settings.override(width=40):
        with settings.override(width=20, colour="never"):
            assert settings["width"] == 20
        assert settings["width"] == 40
        assert settings["colour"] == "auto"


def test_override_when_the_block_fails(settings):
    settings.set("colour", "always")
    with pytest.raises(ZeroDivisionError), settings.override(colour="never"):
        raise ZeroDivisionError
    assert settings["colour"] == "always"


def test_variables():
    environment = {"HOME": "/a"}
    with variables(environment, HOME="/b", TERM="dumb"):
        assert environment == {"HOME": "/b", "TERM": "dumb"}
    assert environment == {"HOME": "/a"}
