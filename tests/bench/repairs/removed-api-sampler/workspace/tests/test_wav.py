import pytest

from sampler.clip import Clip
from sampler.wav import dump, load


def test_header():
    file = dump(Clip([7], rate=11025))
    assert file[:4] == b"RIFF"
    assert len(file) == 46
    assert file[-2:] == b"\x07\x00"


def test_there_and_back():
    clip = load(dump(Clip([5, -6, 700], rate=22050)))
    assert clip.rate == 22050
    assert list(clip.samples) == [5, -6, 700]


def test_too_short():
    with pytest.raises(ValueError, match="short"):
        load(b"RIFF")


def test_something_else():
    with pytest.raises(ValueError, match="plain"):
        load(bytes(60))
