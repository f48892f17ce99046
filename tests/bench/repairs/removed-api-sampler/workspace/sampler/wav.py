from __future__ import annotations

import struct

from sampler.clip import Clip

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def dump(clip: Clip) -> bytes:
    """The clip as a WAV file."""
    data = clip.frames()
    return HEADER.pack(
        b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, clip.rate, clip.rate * 2, 2, 16, b"data", len(data)
    ) + data


def load(file: bytes) -> Clip:
    """The clip of a WAV file as `dump` writes it; raises ValueError for another one."""
    if len(file) < HEADER.size:
        raise ValueError("too short")
    riff, _, wave, *_, data, size = HEADER.unpack_from(file)
    if (riff, wave, data) != (b"RIFF", b"WAVE", b"data"):
        raise ValueError("not a plain WAV file")
    rate = HEADER.unpack_from(file)[7]
    return Clip.from_frames(file[HEADER.size : HEADER.size + size], rate)
