from __future__ import annotations

from itertools import groupby

from knitting.chart import STITCHES, Chart


def render(chart: Chart) -> str:
    """Each row in words, such as `Row 1: 2 knit, 1 purl`."""
    lines = []
    for number, row in enumerate(chart.rows, start=1):
        runs = ((stitch, len(list(run))) for stitch, run in groupby(row))
        lines.append(f"Row {number}: " + ", ".join(f"{length} {STITCHES[stitch]}" for stitch, length in runs))
    return "\n".join(lines)
