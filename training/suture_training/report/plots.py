"""The figures of the reports: lines with bands, bars, intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from suture_training.report.svg import AMBER, BLUE, GRID, MUTED, PALETTE, Axes, caption, figure
from suture_training.report.text import visible

LONGEST_LABEL, LONGEST_WIDE_LABEL = 34, 72
FEW = 12
"""Distinct values that get a bar each."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One curve, with a band where there is one."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    smooth: bool = False
    """Draw the values faintly, and their moving mean over them."""
    marks: bool = False


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate with its interval."""

    label: str
    value: float
    low: float
    high: float
    note: str = ""
    strong: bool = False


def lines(title: str, name: str, curves: Sequence[Line], *, percent: bool = False, x: str = "step", note: str = "") -> str:
    """Curves over steps; nothing where none has a value."""
    there = [each for each in curves if any(math.isfinite(value) for value in each.y)]
    if not there:
        return ""

    def draw(axes: Axes) -> None:
        for curve, colour in zip(there, (PALETTE * len(there)), strict=False):
            _curve(axes, curve, colour)
        _finish(axes, x, percent=percent)
        if len(there) > 1:
            axes.legend(loc="best", fontsize=8.5)

    return caption(title, figure(draw, f"{title}: {_told(there)}", name=name), note)


def stacked(title: str, name: str, steps: Sequence[float], parts: Mapping[str, Sequence[float]], *, y: str, note: str = "") -> str:
    """Shares of a whole over steps."""
    if not parts or not steps:
        return ""

    def draw(axes: Axes) -> None:
        axes.stackplot(steps, list(parts.values()), labels=[_cut(name) for name in parts], colors=PALETTE, alpha=0.85, linewidth=0)
        _finish(axes, "step")
        axes.set_ylabel(y)
        axes.legend(loc="best", fontsize=8.5)

    return caption(title, figure(draw, f"{title}: {', '.join(parts)}", name=name), note)


def bars(title: str, name: str, values: Mapping[str, float], *, percent: bool = False, note: str = "") -> str:
    """Horizontal bars, largest first."""
    if not values:
        return ""
    ordered = sorted(values.items(), key=lambda item: item[1])

    def draw(axes: Axes) -> None:
        made = axes.barh([_cut(label) for label, _ in ordered], [value for _, value in ordered], color=BLUE, height=0.62)
        written = [f"{100 * value:.0f} %" if percent else f"{value:,.0f}" for _, value in ordered]
        axes.bar_label(made, labels=written, padding=4, color=MUTED, fontsize=8.5)
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.margins(x=0.16)

    said = ", ".join(f"{label} {value:g}" for label, value in reversed(ordered))
    return caption(title, figure(draw, f"{title}: {said}", name=name, size=(5.2, 0.7 + 0.32 * len(ordered))), note)


def histogram(title: str, name: str, values: Sequence[float], *, x: str, bins: int = 24, note: str = "") -> str:
    """How often values lie where."""
    there = [value for value in values if math.isfinite(value)]
    distinct = sorted(set(there))
    if not there:
        return ""

    def draw(axes: Axes) -> None:
        if len(distinct) <= FEW:
            axes.bar([f"{value:g}" for value in distinct], [there.count(value) for value in distinct], color=BLUE, width=0.72)
            axes.set_xlabel(x)
        else:
            axes.hist(there, bins=bins, color=BLUE, edgecolor="none", rwidth=0.92)
            _finish(axes, x)

    if len(distinct) == 1:
        return caption(title, f"<p>All {len(there)} are {distinct[0]:g}.</p>", note)
    return caption(title, figure(draw, f"{title}: {len(there)} values from {min(there):g} to {max(there):g}", name=name), note)


def intervals(title: str, name: str, rows: Sequence[Bar], *, x: str, zero: bool = False, note: str = "", wide: bool = False) -> str:
    """Estimates with their intervals, one below the other, in per cent; with a line at zero for differences."""
    there = [row for row in rows if math.isfinite(row.value)]
    if not there:
        return ""
    upwards, longest = list(reversed(there)), LONGEST_WIDE_LABEL if wide else LONGEST_LABEL

    def draw(axes: Axes) -> None:
        for at, row in enumerate(upwards):
            colour = AMBER if row.strong else BLUE
            axes.plot([100 * row.low, 100 * row.high], [at, at], color=colour, linewidth=2.2, solid_capstyle="round")
            axes.plot([100 * row.value], [at], marker="o", color=colour, markersize=6)
        axes.set_yticks(range(len(upwards)), [_cut(row.label, longest) for row in upwards])
        axes.set_ylim(-0.6, len(upwards) - 0.4)
        axes.grid(visible=True, axis="x", color=GRID)
        axes.grid(visible=False, axis="y")
        if zero:
            axes.axvline(0, color=MUTED, linewidth=1)
        axes.set_xlabel(x)

    said = "; ".join(f"{row.label} {100 * row.value:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})" for row in there)
    size = (10.9 if wide else 5.2, 0.9 + 0.34 * len(there))
    return caption(title, figure(draw, f"{title}: {said}", name=name, size=size), note, wide=wide)


def moving(values: Sequence[float]) -> list[float]:
    """Mean over a window of a twentieth of the values, at least 3 wide, gaps left out."""
    half = max(1, len(values) // 40)
    found: list[float] = []
    for at in range(len(values)):
        near = [value for value in values[max(0, at - half) : at + half + 1] if math.isfinite(value)]
        found.append(sum(near) / len(near) if near else math.nan)
    return found


def _curve(axes: Axes, curve: Line, colour: str) -> None:
    if curve.low and curve.high:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0)
    few = len(curve.y) < 8
    if curve.smooth and not few:
        axes.plot(curve.x, curve.y, color=colour, alpha=0.28, linewidth=1)
        axes.plot(curve.x, moving(curve.y), color=colour, label=_cut(curve.label))
    else:
        axes.plot(curve.x, curve.y, color=colour, label=_cut(curve.label), marker="o" if curve.marks or few else None, markersize=4)


def _finish(axes: Axes, x: str, *, percent: bool = False) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, -0.02), min(max(high, 0.1), 1.03))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=x in ("step", "k")))
    axes.set_xlabel(x)


def _told(curves: Sequence[Line]) -> str:
    ends = [(each.label, [value for value in each.y if math.isfinite(value)]) for each in curves]
    return "; ".join(f"{label} from {values[0]:g} to {values[-1]:g}" for label, values in ends)


def _cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """A label that fits, and in which matplotlib sees no formula; a name that begins with _ would be left out of a legend."""
    plain = " ".join(visible(label).split()).replace("$", r"\$").lstrip("_") or "-"
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"
