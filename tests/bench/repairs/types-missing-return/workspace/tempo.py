from __future__ import annotations

from enum import Enum


class Tempo(Enum):
    LARGO = "largo"
    ANDANTE = "andante"
    ALLEGRO = "allegro"
    PRESTO = "presto"


def classify(bpm: int) -> Tempo:
    """Name of a tempo; everything from 168 on is presto."""
    if bpm <= 0:
        raise ValueError("a tempo is positive")
    if bpm < 66:
        return Tempo.LARGO
    if bpm < 108:
        return Tempo.ANDANTE
    if bpm < 168:
        return Tempo.ALLEGRO
    if bpm >= 168:
        return Tempo.PRESTO


def beat_seconds(bpm: int) -> float:
    return 60 / bpm


def bars(seconds: float, bpm: int, beats_per_bar: int = 4) -> int:
    return int(seconds / beat_seconds(bpm) // beats_per_bar)
