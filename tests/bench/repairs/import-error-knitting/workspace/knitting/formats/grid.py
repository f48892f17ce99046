from __future__ import annotations

from knitting.chart import Chart

SYMBOLS = str.maketrans({"k": ".", "p": "-", "o": "O", "t": "/"})


def render(chart: Chart) -> str:
    """One line for each row, the lowest row at the bottom."""
    return "\n".join(row.translate(SYMBOLS) for row in reversed(chart.rows))
