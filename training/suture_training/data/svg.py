"""Bars as inline SVG: all that the pages of this package plot with. No scripts, no fonts, no library; colours follow the page's."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH = 520
ROW = 20
LABEL = 150
FIGURE = 70


def bars(title: str, counts: Mapping[str, float], *, most: int = 16) -> str:
    """Horizontal bars, one a name, in the order given; names beyond `most` are told as one."""
    shown = dict(list(counts.items())[:most])
    if len(counts) > most:
        shown[f"{len(counts) - most} more"] = sum(list(counts.values())[most:])
    longest = max(shown.values(), default=0) or 1
    height = ROW * len(shown) + 6
    lines = [
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" class="bars">',
        f"<title>{escape(title)}</title>",
    ]
    for number, (name, value) in enumerate(shown.items()):
        top = ROW * number + 3
        width = (WIDTH - LABEL - FIGURE) * value / longest
        lines += [
            f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end">{escape(shortened(name))}</text>',
            f'<rect x="{LABEL}" y="{top + 2}" width="{width:.1f}" height="{ROW - 6}"><title>{escape(name)}: {value:g}</title></rect>',
            f'<text x="{LABEL + width + 6:.1f}" y="{top + 13}" class="figure">{value:,.6g}</text>',
        ]
    return "\n".join([*lines, "</svg>"])


def shortened(name: str, most: int = 22) -> str:
    """A name that fits beside a bar."""
    return name if len(name) <= most else f"{name[: most - 1]}\u2026"
