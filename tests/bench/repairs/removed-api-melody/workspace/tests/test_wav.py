import wave
from array import array

import pytest

from melody.tones import join, rest, tone
from melody.wav import load, save, seconds


def test_seconds():
    assert seconds(rest(0.25)) == 0.25


def test_the_bytes_are_little_endian(tmp_path):
    save(tmp_path / "short.wav", array("h", [1, -2, 256]))
    with wave.open(str(tmp_path / "short.wav")) as file:
        assert file.readframes(3) == b"\x01\x00\xfe\xff\x00\x01"


def test_read_what_another_program_wrote(tmp_path):
    with wave.open(str(tmp_path / "other.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x05\x00\xff\xff")
    assert load(tmp_path / "other.wav") == array("h", [5, -1])


def test_there_and_back(tmp_path):
    samples = join([tone(60, 0.1), rest(0.1), tone(67, 0.2)])
    save(tmp_path / "tune.wav", samples)
    assert load(tmp_path / "tune.wav") == samples


def test_stereo_is_refused(tmp_path):
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
    with pytest.raises(ValueError, match="not 16-bit mono: stereo.wav"):
        load(tmp_path / "stereo.wav")
