"""Short sounds of one channel with 16 bits a sample."""

from __future__ import annotations

import sys
from array import array

LIMIT = 32767


class Clip:
    def __init__(self, samples=(), rate: int = 8000) -> None:
        self.samples = array("h", samples)
        self.rate = rate

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def peak(self) -> int:
        return max((abs(sample) for sample in self.samples), default=0)

    def louder(self, factor: float) -> Clip:
        """The clip with every sample times a factor; what is too loud is cut."""
        return Clip((max(-LIMIT, min(LIMIT, round(sample * factor))) for sample in self.samples), self.rate)

    def backwards(self) -> Clip:
        return Clip(reversed(self.samples), self.rate)

    def frames(self) -> bytes:
        """The samples as bytes, the low byte first."""
        ordered = array("h", self.samples)
        if sys.byteorder == "big":
            ordered.byteswap()
        return ordered.tostring()

    @classmethod
    def from_frames(cls, data: bytes, rate: int = 8000) -> Clip:
        """The clip whose frames these are; half a sample at the end is left out."""
        clip = cls(rate=rate)
        clip.samples.fromstring(data[: len(data) // 2 * 2])
        if sys.byteorder == "big":
            clip.samples.byteswap()
        return clip
