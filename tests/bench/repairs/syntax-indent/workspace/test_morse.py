import pytest

from morse import decode, encode


def test_letter():
    assert encode("E") == "."


def test_words():
    assert encode("so it") == "... --- / .. -"


def test_unknown_letters_are_dropped():
    assert encode("t?") == "-"


def test_decode():
    assert decode("... --- ...") == "sos"


def test_round_trip():
    assert decode(encode("no cat sat")) == "no cat sat"


def test_decode_unknown():
    with pytest.raises(KeyError):
        decode("......")
