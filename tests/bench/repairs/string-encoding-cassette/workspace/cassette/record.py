"""Records of 48 bytes: title, artist and side in UTF-8, padded with spaces, then seconds as four digits."""

from __future__ import annotations

from dataclasses import dataclass

TITLE = 24
ARTIST = 18
SIDE = 2
SECONDS = 4
SIZE = TITLE + ARTIST + SIDE + SECONDS


@dataclass(frozen=True)
class Track:
    title: str
    artist: str
    side: str
    seconds: int


def fixed(text: str, width: int) -> bytes:
    """A text in exactly so many bytes; what is too long loses whole characters at its end."""
    return text[:width].ljust(width).encode("utf-8")


def pack(track: Track) -> bytes:
    if not 0 <= track.seconds <= 9999:
        raise ValueError(f"cannot store {track.seconds} seconds")
    return (
        fixed(track.title, TITLE)
        + fixed(track.artist, ARTIST)
        + fixed(track.side, SIDE)
        + b"%04d" % track.seconds
    )


def unpack(data: bytes) -> Track:
    if len(data) != SIZE:
        raise ValueError(f"a record of {len(data)} bytes")
    parts, start = [], 0
    for width in (TITLE, ARTIST, SIDE, SECONDS):
        parts.append(data[start : start + width].decode("utf-8").rstrip())
        start += width
    title, artist, side, seconds = parts
    return Track(title, artist, side, int(seconds))
