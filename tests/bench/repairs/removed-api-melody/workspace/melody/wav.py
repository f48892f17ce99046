"""Reads and writes mono WAV files."""

from __future__ import annotations

import sys
import wave
from array import array
from pathlib import Path

from melody.tones import RATE


def save(path: Path, samples: array) -> None:
    ordered = array(samples.typecode, samples)
    if sys.byteorder == "big":
        ordered.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(ordered.itemsize)
        file.setframerate(RATE)
        file.writeframes(ordered.tostring())


def load(path: Path) -> array:
    with wave.open(str(path), "rb") as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"not 16-bit mono: {path.name}")
        frames = file.readframes(file.getnframes())
    samples = array("h")
    samples.fromstring(frames)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def seconds(samples: array) -> float:
    return len(samples) / RATE
