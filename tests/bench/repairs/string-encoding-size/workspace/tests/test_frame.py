import pytest

from framing.frame import LIMIT, FrameError, decode, decode_all, encode


def test_encode():
    assert encode("ping") == b"0004:ping"


def test_empty():
    assert decode(encode("")) == ("", b"")


def test_rest():
    assert decode(b"0002:okmore") == ("ok", b"more")


def test_several():
    assert decode_all(encode("a") + encode("bc")) == ["a", "bc"]


def test_not_only_ascii():
    assert decode_all(encode("żółw") + encode("naïve")) == ["żółw", "naïve"]


def test_limit():
    assert len(encode("x" * LIMIT)) == LIMIT + 5
    with pytest.raises(FrameError):
        encode("x" * (LIMIT + 1))


def test_cut_off():
    with pytest.raises(FrameError, match="cut off"):
        decode(b"0009:abc")


def test_no_length():
    with pytest.raises(FrameError):
        decode(b"hello")
