from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cassette.record import SIZE, Track, pack, unpack


def write(path: Path, tracks: Iterable[Track]) -> int:
    """Write a catalogue and return its size in bytes."""
    return path.write_bytes(b"".join(pack(track) for track in tracks))


def read(path: Path) -> list[Track]:
    data = path.read_bytes()
    return [unpack(data[start : start + SIZE]) for start in range(0, len(data), SIZE)]


def read_one(path: Path, index: int) -> Track:
    """The track at an index, without reading the others."""
    with path.open("rb") as file:
        file.seek(index * SIZE)
        return unpack(file.read(SIZE))


def length(tracks: Iterable[Track], side: str) -> str:
    """How long a side plays, as minutes and seconds."""
    minutes, seconds = divmod(sum(track.seconds for track in tracks if track.side == side), 60)
    return f"{minutes}:{seconds:02d}"
