import pytest

from settings import DEFAULTS, SettingsError, address, load


def test_defaults():
    assert load({}) == DEFAULTS


def test_strings():
    assert load({"APP_HOST": "0.0.0.0"})["HOST"] == "0.0.0.0"


@pytest.mark.parametrize("raw,value", [("yes", True), ("OFF", False), ("1", True), ("", False)])
def test_switches(raw, value):
    assert load({"APP_DEBUG": raw})["DEBUG"] is value


def test_bad_switch():
    with pytest.raises(SettingsError, match="DEBUG"):
        load({"APP_DEBUG": "maybe"})


def test_numbers():
    values = load({"APP_PORT": "9000", "APP_WORKERS": "16"})
    assert values["PORT"] == 9000
    assert values["WORKERS"] == 16
    assert address(values) == "localhost:9000"


def test_bad_number():
    with pytest.raises(SettingsError, match="WORKERS"):
        load({"APP_WORKERS": "many"})


def test_port_out_of_range():
    with pytest.raises(SettingsError, match="out of range"):
        load({"APP_PORT": "70000"})
