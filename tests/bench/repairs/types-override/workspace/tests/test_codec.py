import pytest

from codec.base import round_trip
from codec.hexa import HexCodec, SpacedHexCodec


def test_encode() -> None:
    assert HexCodec().encode(b"\x00\xff") == "00ff"


def test_spaced() -> None:
    assert SpacedHexCodec().encode(b"\x00\xff") == "00 ff"


@pytest.mark.parametrize("codec", [HexCodec(), SpacedHexCodec()])
def test_round_trip(codec) -> None:
    assert round_trip(codec, b"hello")


def test_bad_text() -> None:
    with pytest.raises(ValueError):
        HexCodec().decode("xyz")
