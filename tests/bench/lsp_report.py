"""Figures, limits, table and plot of the bench of the language server. Reads samples, measures nothing."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from repair_report import percentile
from rich.console import Console
from rich.table import Table

SUTURE = "suture"
COLOURS = {"suture": "#2f7d4f", "python-lsp-server": "#37618e", "jedi-language-server": "#d08c2f"}


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one program."""

    program: str
    what: str
    unit: str
    values: tuple[float, ...]

    def at(self, figure: str) -> float:
        """`median`, `worst`, or a percentile such as `p99`."""
        if figure == "median":
            return statistics.median(self.values)
        return max(self.values) if figure == "worst" else percentile(self.values, float(figure[1:]))


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What suture promises."""

    what: str
    figure: str
    most: float


LIMITS = (
    Limit(what="initialized handled", figure="median", most=300),
    Limit(what="idle memory", figure="median", most=60),
    Limit(what="didChange", figure="p99", most=5),
    Limit(what="codeAction", figure="p50", most=2),
    Limit(what="codeAction", figure="p99", most=10),
    Limit(what="cancel to everything dead", figure="worst", most=100),
)


def facts() -> dict[str, Any]:
    """The machine."""
    return {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version(), "load": os.getloadavg()}


def missed(samples: Sequence[Samples]) -> list[str]:
    """The limits that suture did not keep, of those that were measured."""
    own = {each.what: each for each in samples if each.program == SUTURE}
    return [
        f"{limit.what}: {limit.figure} {own[limit.what].at(limit.figure):.1f} {own[limit.what].unit}, at most {limit.most:g}"
        for limit in LIMITS
        if limit.what in own and own[limit.what].at(limit.figure) > limit.most
    ]


def print_table(samples: Sequence[Samples]) -> None:
    """Every figure, and its median's ratio to suture's."""
    table = Table(title="Language servers")
    for name in ("what", "program", "n", "median", "p99", "worst", "unit", "ratio", "limit"):
        table.add_column(name, justify="left" if name in ("what", "program", "unit", "limit") else "right")
    own = {each.what: each.at("median") for each in samples if each.program == SUTURE}
    for each in samples:
        limits = ", ".join(f"{limit.figure} {limit.most:g}" for limit in LIMITS if limit.what == each.what and each.program == SUTURE)
        base = own.get(each.what, 0.0)
        ratio = f"{each.at('median') / base:.2f}" if base else "-"
        numbers = [f"{each.at(figure):.2f}" for figure in ("median", "p99", "worst")]
        table.add_row(each.what, each.program, str(len(each.values)), *numbers, each.unit, ratio, limits)
    Console(width=140).print(table)


def write_plot(samples: Sequence[Samples], path: Path) -> None:
    """One panel for each thing that was measured, as SVG and PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "suture", "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(each.what for each in samples))
    if not names:
        return
    rows = -(-len(names) // 3)
    figure, panels = plt.subplots(rows, 3, figsize=(13, 3.4 * rows), squeeze=False, layout="constrained")
    for panel, name in zip(panels.flat, names, strict=False):
        _panel(panel, name, [each for each in samples if each.what == name])
    for panel in panels.flat[len(names) :]:
        panel.axis("off")
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=120, metadata={"Software": None})
    plt.close(figure)


def _panel(axes: Any, name: str, samples: Sequence[Samples]) -> None:
    """Few samples as bars with their points, many as shares."""
    limits = [limit for limit in LIMITS if limit.what == name]
    if max(len(each.values) for each in samples) > 50:
        for each in samples:
            ordered = sorted(each.values)
            shares = [100 * (rank + 1) / len(ordered) for rank in range(len(ordered))]
            axes.plot(ordered, shares, color=COLOURS[each.program], label=each.program)
        axes.set(xscale="log", xlabel=samples[0].unit, ylabel="share, %")
        for limit in limits:
            axes.axvline(limit.most, color="#b3202c", linestyle="--", linewidth=1, label=f"limit of suture's {limit.figure}")
        axes.legend(frameon=False, fontsize=7)
    else:
        for row, each in enumerate(samples):
            axes.barh(row, each.at("median"), color=COLOURS[each.program])
            axes.scatter(each.values, [row] * len(each.values), s=8, color="#333333", zorder=3)
        axes.set_yticks(range(len(samples)), [each.program for each in samples])
        axes.set(xlabel=samples[0].unit)
        axes.set_xlim(left=0)
        for limit in limits:
            axes.axvline(limit.most, color="#b3202c", linestyle="--", linewidth=1)
    axes.set_title(name, fontsize=10)


def write_soak(samples: Sequence[Any], path: Path) -> None:
    """What a server held on the way of a soak: `lsp_traces.Sample`, one panel for memory, one for what is counted."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "suture", "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot as plt

    figure, (memory, counts) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    sent = [each.sent for each in samples]
    for name, label, colour in (("server_mb", "server", COLOURS[SUTURE]), ("workers_mb", "worker", "#54487a")):
        memory.plot(sent, [getattr(each, name) for each in samples], label=label, color=colour)
    memory.set(ylabel="resident memory, MB", title="Somebody at an editor")
    memory.set_ylim(bottom=0)
    for name in ("server_files", "worker_files", "processes", "zombies", "temporary", "groups"):
        counts.plot(sent, [getattr(each, name) for each in samples], label=name.replace("_", " "), linewidth=1)
    counts.set(xlabel="messages sent", ylabel="count")
    for axes in (memory, counts):
        axes.legend(frameon=False, fontsize=8, ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=120, metadata={"Software": None})
    plt.close(figure)
