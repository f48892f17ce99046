import pytest

from mount.register import Register, mask


def test_mask():
    assert mask() == 0
    assert mask("power", "slewing") == 0b101


def test_mask_of_an_unknown_name():
    with pytest.raises(KeyError):
        mask("laser")


def test_too_many_bits():
    with pytest.raises(ValueError, match="0x100 has more than 8 bits"):
        Register(0x100)


def test_on_and_off():
    register = Register()
    register.on("power", "heater")
    register.off("heater")
    assert list(register) == ["power"]


def test_off_twice():
    register = Register(mask("power", "heater"))
    register.off("heater")
    register.off("heater")
    assert list(register) == ["power"]
    assert register.log == [mask("power", "heater")]


def test_toggle():
    register = Register(mask("brake"))
    register.toggle("brake", "alarm")
    assert list(register) == ["alarm"]


def test_has_needs_all():
    register = Register(mask("power", "tracking"))
    assert register.has("power", "tracking")
    assert not register.has("power", "alarm")
    assert register.any_of(["power", "alarm"])
