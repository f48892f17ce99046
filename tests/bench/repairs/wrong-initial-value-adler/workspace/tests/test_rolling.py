import zlib

import pytest

from blocksync.rolling import RollingSum


@pytest.mark.parametrize("data", [b"", b"a", b"Wikipedia", bytes(range(256)) * 20])
def test_agrees_with_zlib(data):
    assert RollingSum(data).value == zlib.adler32(data)


def test_adding():
    window = RollingSum(b"ab")
    window.add(ord("c"))
    assert window.size == 3
    assert window.value == RollingSum(b"abc").value


def test_rolling_is_like_starting_afresh():
    window = RollingSum(b"brea")
    window.roll(ord("b"), ord("d"))
    assert window.size == 4
    assert window.value == zlib.adler32(b"read")
