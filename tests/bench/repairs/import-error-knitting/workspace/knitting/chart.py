"""Knitting charts: rows of stitches, the lowest row first."""

from __future__ import annotations

from dataclasses import dataclass

STITCHES = {"k": "knit", "p": "purl", "o": "yarn over", "t": "knit two together"}


@dataclass(frozen=True)
class Chart:
    name: str
    rows: tuple[str, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            unknown = set(row) - STITCHES.keys()
            if unknown:
                raise ValueError("no such stitch: " + ", ".join(sorted(unknown)))

    def count(self, stitch: str) -> int:
        return sum(row.count(stitch) for row in self.rows)
