"""The plots of a page as inline SVG. Colours are classes of the page's style, so that they follow its light and dark.

Bars alone, by hand: matplotlib belongs to training, weighs 100 MB, and writes its colours into the picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from suture_server.markup import plain

WIDTH = 760
LABELS = 250
"""Of the width, for the names of the rows."""
ROW, BAR = 22, 14
MOST_ROWS = 40
LEAST = 0.001
"""A drawing in which nothing is longer than that is none."""
LONGEST_LABEL = 38


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: its name, and its parts in order."""

    name: str
    parts: Mapping[str, float]
    """Class -> value."""

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.parts.values())


def shares(title: str, counts: Mapping[str, tuple[str, int]]) -> str:
    """One bar in which each part is as wide as its share; `counts` is class -> what it is called, and how many. Empty for nothing."""
    total = sum(count for _, count in counts.values())
    drawn: list[str] = []
    at = 0.0
    for kind, (said, count) in counts.items():
        if count:
            width = WIDTH * count / total
            about = f"<title>{count} {plain(said)}</title>"
            drawn.append(f'<rect class="{kind}" x="{at:.1f}" y="4" width="{width:.1f}" height="26">{about}</rect>')
            drawn.append(f'<text class="on" x="{at + width / 2:.1f}" y="22" text-anchor="middle">{count}</text>')
            at += width
    return _drawing(title, 34, drawn) if drawn else ""


def bars(title: str, rows: Sequence[Row], unit: str) -> str:
    """Stacked bars, a row each, with an axis below; the longest `MOST_ROWS` of them. Empty for nothing."""
    shown = sorted(rows, key=lambda row: -row.total)[:MOST_ROWS]
    if not shown or shown[0].total < LEAST:
        return ""
    step, count = _scale(shown[0].total)
    wide = (WIDTH - LABELS - 40) / (step * count)
    foot = len(shown) * ROW
    drawn: list[str] = []
    for tick in range(count + 1):
        x = LABELS + tick * step * wide
        said = f"{tick * step:g}{f' {unit}' if tick == count else ''}"
        drawn.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{foot + 4}"/>')
        drawn.append(f'<text class="tick" x="{x:.1f}" y="{foot + 18}" text-anchor="middle">{said}</text>')
    drawn += [line for number, row in enumerate(shown) for line in _row(row, number * ROW, wide, unit)]
    return _drawing(title, foot + 24, drawn)


def _row(row: Row, top: float, wide: float, unit: str) -> list[str]:
    name = row.name if len(row.name) <= LONGEST_LABEL else f"…{row.name[1 - LONGEST_LABEL :]}"
    drawn = [f'<text class="label" x="{LABELS - 8}" y="{top + 15}" text-anchor="end"><title>{plain(row.name)}</title>{plain(name)}</text>']
    at = float(LABELS)
    for kind, value in row.parts.items():
        if value > 0:
            said = f"<title>{plain(kind)} {value:.1f} {unit}</title>"
            drawn.append(f'<rect class="{kind}" x="{at:.1f}" y="{top + 4}" width="{value * wide:.1f}" height="{BAR}">{said}</rect>')
            at += value * wide
    return [*drawn, f'<text class="tick" x="{at + 4:.1f}" y="{top + 15}">{row.total:.1f}</text>']


def _scale(most: float) -> tuple[float, int]:
    """A round step, and how many of them hold `most`: three to six."""
    rough = most / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return step, math.ceil(most / step)


def _drawing(title: str, height: float, drawn: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img"><title>{plain(title)}</title>{"".join(drawn)}</svg>'
