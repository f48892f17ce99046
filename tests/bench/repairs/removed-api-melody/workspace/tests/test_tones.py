import pytest

from melody.tones import frequency, join, rest, tone


def test_frequency():
    assert frequency(69) == 440
    assert frequency(57) == pytest.approx(220)


def test_tone():
    samples = tone(69, 0.5, volume=1)
    assert len(samples) == 4000
    assert max(samples) <= 32767
    assert samples[0] == 0


def test_not_a_volume():
    with pytest.raises(ValueError, match="not a volume: 2"):
        tone(69, 1, volume=2)


def test_join():
    samples = join([tone(60, 0.1), rest(0.05)])
    assert len(samples) == 1200
    assert list(samples[-400:]) == [0] * 400
