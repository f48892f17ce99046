import pytest

from sampler.clip import Clip


def test_seconds():
    assert Clip([0] * 4000).seconds == 0.5


def test_peak():
    assert Clip([3, -8, 5]).peak == 8
    assert Clip().peak == 0


@pytest.mark.parametrize(("factor", "samples"), [(0.5, [50, -15000]), (2, [200, -32767])])
def test_louder(factor, samples):
    assert list(Clip([100, -30000]).louder(factor).samples) == samples


def test_backwards():
    assert list(Clip([1, 2, 3]).backwards().samples) == [3, 2, 1]


def test_frames():
    assert Clip([1, -2, 256]).frames() == b"\x01\x00\xfe\xff\x00\x01"


def test_from_frames():
    assert list(Clip.from_frames(b"\x01\x00\xfe\xff\x00").samples) == [1, -2]
