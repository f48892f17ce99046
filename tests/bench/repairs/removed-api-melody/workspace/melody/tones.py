"""Tones as 16-bit samples."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable

RATE = 8000
PEAK = 32767


def frequency(note: int) -> float:
    """Hertz of a MIDI note; 69 is the concert pitch."""
    return 440 * 2 ** ((note - 69) / 12)


def tone(note: int, seconds: float, volume: float = 0.5) -> array:
    if not 0 <= volume <= 1:
        raise ValueError(f"not a volume: {volume}")
    step = 2 * math.pi * frequency(note) / RATE
    return array("h", (round(PEAK * volume * math.sin(step * index)) for index in range(round(RATE * seconds))))


def rest(seconds: float) -> array:
    return array("h", [0]) * round(RATE * seconds)


def join(parts: Iterable[array]) -> array:
    samples = array("h")
    for part in parts:
        samples.extend(part)
    return samples
