"""Figures, closing table, plots and the one HTML page of a bench run.

Reads results, decides nothing: what counts as fixed or as a false offer was judged in `bench_repair`, case by case.
"""

from __future__ import annotations

import base64
import html
import io
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich.console import Console
from rich.table import Table

Outcome = Literal["fixed", "unfixed", "false-offer", "infrastructure", "timeout"]

TARGET_SECONDS = 30
COLOURS = {"fixed": "#2f7d4f", "unfixed": "#b5651d", "false-offer": "#b3202c", "infrastructure": "#7a7a7a", "timeout": "#54487a"}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one case went; one line of results.jsonl."""

    id: str
    kind: str
    split: str
    difficulty: int
    check: str
    policy: str
    """As asked for on the command line."""
    outcome: Outcome
    claimed: tuple[str, ...] = ()
    """The checks that suture says it repaired."""
    reasons: tuple[str, ...] = ()
    """What the proof outside suture found wrong with the result."""
    exit_code: int = 0
    seconds: float = 0.0
    """Wall time of the whole command: detection, environment, checks, policy, proof."""
    seconds_policy: float = 0.0
    seconds_sandbox: float = 0.0
    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    problems: int = 0
    written_by: str = ""
    """Of a fixed case: "policy" when the policy wrote every patch, else what suture says of the one that it did not."""
    environment: str = ""
    harness: str = ""
    model: str = ""
    """The policy's own name, from the summary line."""
    diff: str = ""
    """What is different in the workspace afterwards."""
    noise: int = 0
    """Lines of stdout that were no JSON object; the contract allows none."""
    stderr: str = ""
    """The end of it, kept where the case was not fixed."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A group of results in numbers."""

    total: int
    """Cases that ran; infrastructure failures are not among them, since they say nothing about a repair."""
    fixed: int
    rate: float
    low: float
    """Lower end of the 95 % Wilson interval of the rate."""
    high: float
    median_seconds: float
    p90_seconds: float
    false_offers: int
    infrastructure: int


def wilson(successes: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % Wilson interval of a share; (0, 1) when there is nothing to go by."""
    if total == 0:
        return 0.0, 1.0
    share = successes / total
    centre = share + z * z / (2 * total)
    margin = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def figures(results: Iterable[Result]) -> Figures:
    """The numbers of a group."""
    every = list(results)
    ran = [result for result in every if result.outcome != "infrastructure"]
    fixed = sum(result.outcome == "fixed" for result in ran)
    low, high = wilson(fixed, len(ran))
    seconds = [result.seconds for result in ran]
    return Figures(
        total=len(ran),
        fixed=fixed,
        rate=fixed / len(ran) if ran else 0.0,
        low=low,
        high=high,
        median_seconds=statistics.median(seconds) if seconds else 0.0,
        p90_seconds=percentile(seconds, 90),
        false_offers=sum(result.outcome == "false-offer" for result in ran),
        infrastructure=len(every) - len(ran),
    )


def grouped(results: Sequence[Result], key: Callable[[Result], str]) -> dict[str, Figures]:
    """Figures by a key, in the key's order."""
    return {name: figures(result for result in results if key(result) == name) for name in sorted({key(result) for result in results})}


def summary(results: Sequence[Result], facts: dict[str, Any]) -> dict[str, Any]:
    """What summary.json holds."""
    return {
        "all": figures(results),
        "by_split": grouped(results, lambda result: result.split),
        "by_difficulty": grouped(results, lambda result: str(result.difficulty)),
        "by_kind": grouped(results, lambda result: result.kind),
        "outcomes": {name: sum(result.outcome == name for result in results) for name in COLOURS},
        "written_by": written_by(results),
        "steps": sum(result.steps for result in results),
        "prompt_tokens": sum(result.prompt_tokens for result in results),
        "completion_tokens": sum(result.completion_tokens for result in results),
        "seconds_policy": round(sum(result.seconds_policy for result in results), 3),
        "seconds_sandbox": round(sum(result.seconds_sandbox for result in results), 3),
        "environments": sorted({result.environment for result in results if result.environment}),
        "harnesses": sorted({result.harness for result in results if result.harness}),
        "models": sorted({result.model for result in results if result.model}),
        **facts,
    }


def written_by(results: Sequence[Result]) -> dict[str, int]:
    """Fixed cases by who wrote the patch, most first."""
    return dict(Counter(result.written_by for result in results if result.outcome == "fixed" and result.written_by).most_common())


def print_closing(results: Sequence[Result], console: Console) -> None:
    """The table at the end of a run."""
    table = Table(title="Repair bench")
    for name in ("group", "fixed", "rate", "95 %", "median s", "p90 s", "false offers"):
        table.add_column(name, justify="left" if name == "group" else "right")
    for name, group in grouped(results, lambda result: result.kind).items():
        table.add_row(name, *_cells(group))
    table.add_section()
    for name, group in grouped(results, lambda result: result.split).items():
        table.add_row(name, *_cells(group))
    whole = figures(results)
    table.add_row("all", *_cells(whole), style="bold")
    console.print(table)
    if whole.infrastructure:
        console.print(f"{whole.infrastructure} cases ended in infrastructure failures and are not counted.")
    authors = ", ".join(f"{count} {name}" for name, count in written_by(results).items())
    if authors:
        console.print(f"Who wrote the patches of the fixed cases: {authors}.", markup=False)
    for result in results:
        if result.outcome == "false-offer":
            console.print(f"FALSE OFFER {result.id}: {'; '.join(result.reasons)}", markup=False)


def _cells(group: Figures) -> tuple[str, ...]:
    interval = f"{group.low:.0%}-{group.high:.0%}"
    rate = f"{group.rate:.0%}" if group.total else "-"
    return (
        f"{group.fixed}/{group.total}",
        rate,
        interval,
        f"{group.median_seconds:.1f}",
        f"{group.p90_seconds:.1f}",
        str(group.false_offers),
    )


def write_plots(results: Sequence[Result], folder: Path) -> list[Path]:
    """Three plots, each as SVG and PNG; returns the SVG files. Raises ImportError without matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "suture", "axes.spines.top": False, "axes.spines.right": False})
    ran = [result for result in results if result.outcome != "infrastructure"]
    plots = {"fix-rate": _plot_rate, "seconds": _plot_seconds, "where-time-goes": _plot_shares}
    return [_save(plot(ran), folder / name) for name, plot in plots.items() if ran]


def _canvas(height: float = 4.5) -> tuple[Any, Any]:
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(8, height))


def _save(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot as plt

    svg = path.with_suffix(".svg")
    figure.savefig(svg, metadata={"Date": None}, bbox_inches="tight")
    figure.savefig(path.with_suffix(".png"), dpi=144, metadata={"Software": None}, bbox_inches="tight")
    plt.close(figure)
    return svg


def _plot_rate(results: Sequence[Result]) -> Any:
    groups = sorted(grouped(results, lambda result: result.kind).items(), key=lambda item: (item[1].rate, item[0]))
    figure, axes = _canvas(1 + 0.26 * len(groups))
    axes.margins(y=0.01)
    axes.barh([name for name, _ in groups], [100 * group.rate for _, group in groups], color=COLOURS["fixed"])
    for row, (_, group) in enumerate(groups):
        axes.text(100 * group.rate + 1, row, f"{group.fixed}/{group.total}", va="center", fontsize=8)
    whole = figures(results)
    axes.axvline(100 * whole.rate, color="#333333", linestyle="--", linewidth=1)
    axes.set(xlim=(0, 110), xlabel="fixed, %", title=f"Fixed by kind: {whole.fixed}/{whole.total} ({whole.low:.0%}-{whole.high:.0%})")
    return figure


def _plot_seconds(results: Sequence[Result]) -> Any:
    ordered = sorted(results, key=lambda result: result.seconds)
    figure, axes = _canvas()
    for outcome in dict.fromkeys(result.outcome for result in ordered):
        points = [(result.seconds, 100 * rank / len(ordered)) for rank, result in enumerate(ordered, 1) if result.outcome == outcome]
        axes.scatter(*zip(*points, strict=True), s=18, color=COLOURS[outcome], label=outcome)
    median = statistics.median(result.seconds for result in ordered)
    axes.axvline(median, color="#333333", linewidth=1, label=f"median {median:.1f} s")
    axes.axvline(TARGET_SECONDS, color="#b3202c", linestyle="--", linewidth=1, label=f"target for the median {TARGET_SECONDS} s")
    axes.set(xlabel="seconds for a case, the whole command", ylabel="share of cases, %", title="Seconds", ylim=(0, 103))
    axes.set_xlim(left=0)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=4)
    return figure


def _plot_shares(results: Sequence[Result]) -> Any:
    ordered = sorted(results, key=lambda result: result.seconds)
    policy = [result.seconds_policy for result in ordered]
    sandbox = [result.seconds_sandbox for result in ordered]
    both = [one + other for one, other in zip(policy, sandbox, strict=True)]
    rest = [max(0.0, result.seconds - known) for result, known in zip(ordered, both, strict=True)]
    figure, axes = _canvas()
    positions = range(len(ordered))
    axes.bar(positions, policy, width=1, label="policy", color="#37618e")
    axes.bar(positions, sandbox, width=1, bottom=policy, label="sandbox", color="#d08c2f")
    axes.bar(positions, rest, width=1, bottom=both, label="the rest", color="#c9c9c9")
    axes.set(xlabel="cases, by seconds", ylabel="seconds", title="Where the time goes")
    axes.legend(frameon=False, loc="upper left")
    return figure


STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
img { width: 100%; background: white; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid #8884; }
td.n, th.n { text-align: right; }
pre { overflow: auto; font-size: 12px; }
"""


def write_page(results: Sequence[Result], plots: Sequence[Path], folder: Path) -> Path:
    """One self-contained HTML page with figures, plots and every case."""
    page = io.StringIO()
    whole = figures(results)
    page.write(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Repair bench</title><style>{STYLE}</style><h1>Repair bench</h1>"
    )
    page.write(
        f"<p>Fixed {whole.fixed} of {whole.total} ({whole.rate:.0%}, 95 % interval {whole.low:.0%} to {whole.high:.0%}); median "
        f"{whole.median_seconds:.1f} s, 90th percentile {whole.p90_seconds:.1f} s; false offers: {whole.false_offers}; "
        f"infrastructure failures, not counted: {whole.infrastructure}.</p>"
    )
    for plot in plots:
        data = base64.b64encode(plot.read_bytes()).decode()
        page.write(f"<img alt='{html.escape(plot.stem)}' src='data:image/svg+xml;base64,{data}'>")
    page.write("<table><tr><th>case<th>outcome<th class='n'>seconds<th class='n'>steps<th class='n'>tokens</tr>")
    for result in sorted(results, key=lambda result: result.id):
        page.write(_row(result))
    page.write("</table></html>\n")
    path = folder / "report.html"
    path.write_text(page.getvalue(), encoding="utf-8")
    return path


def _row(result: Result) -> str:
    detail = "\n".join((*result.reasons, result.diff)).strip()
    folded = f"<details><summary>{result.outcome}</summary><pre>{html.escape(detail)}</pre></details>" if detail else result.outcome
    tokens = result.prompt_tokens + result.completion_tokens
    return (
        f"<tr><td>{html.escape(result.id)}<td style='color:{COLOURS[result.outcome]}'>{folded}"
        f"<td class='n'>{result.seconds:.1f}<td class='n'>{result.steps}<td class='n'>{tokens}</tr>"
    )
