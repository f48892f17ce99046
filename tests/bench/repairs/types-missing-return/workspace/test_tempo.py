import pytest

from tempo import Tempo, bars, beat_seconds, classify


@pytest.mark.parametrize("bpm, tempo", [(40, Tempo.LARGO), (66, Tempo.ANDANTE), (120, Tempo.ALLEGRO), (200, Tempo.PRESTO)])
def test_classify(bpm, tempo):
    assert classify(bpm) is tempo


def test_not_positive():
    with pytest.raises(ValueError):
        classify(0)


def test_beat():
    assert beat_seconds(120) == 0.5


def test_bars():
    assert bars(60, 120) == 30
