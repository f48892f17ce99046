"""The card of a dataset: `README.md` (which the Hugging Face hub and `load_dataset` read too), `card.html` on one page, `summary.json`.

A card says what the rows were made in, what was left out and why, what was mixed knowingly, and what the dataset does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suture_training.data.figures import Lengths
from suture_training.data.svg import bars

if TYPE_CHECKING:
    from suture_training.data.build import Summary

PLOTS: Mapping[str, str] = {
    "source": "Rows by source",
    "outcome": "Rows by outcome",
    "decision": "Rows by what a person decided",
    "label": "Answers that are good or bad",
    "check": "Rows by check",
    "tool": "Calls by tool",
    "policy": "Rows by policy",
    "repository": "Rows by workspace (pseudonyms)",
    "month": "Rows by month in which they were made",
    "secrets": "Rows in which secrets were found",
    "thinking": "Rows by thinking",
}
LENGTHS: Mapping[str, str] = {
    "characters": "Characters of a row, as JSON",
    "messages": "Messages of a row",
    "answer": "Characters of the last answer, as JSON",
    "tokens": "Tokens of all requests of an episode, as the server counted them",
}
USES: Mapping[str, str] = {
    "sft": "Conversations to learn from. `masked` has the indices of assistant messages that nothing is learnt from (calls answered by an"
    " error, refused submissions), `prefill` the beginning of the last answer that the harness wrote.",
    "kto": "Single answers that a person liked or not, shuffled with rows of one prompt kept apart: take them in order. `weight` says how"
    " much the decision says.",
    "dpo": "Answers that a person rejected, and what they wrote instead, proven in the same sandbox.",
}
NOT_SHOWN = (
    "Whether a fix is right beyond what its checks test; whether people who decide otherwise would have liked it. Repetitions in other"
    " words and held-out mistakes that were made again elsewhere are not found, nor secrets that look like words and stand in prose."
)
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --bar: #3b6ea5; --rule: #d9d9de; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6ea; --paper: #17171a; --bar: #7fb0e6; --rule: #3a3a40; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; }
body { padding: 0 1rem; }
table { border-collapse: collapse; } td, th { border-bottom: 1px solid var(--rule); padding: .2rem .8rem .2rem 0; text-align: left; }
code { overflow-wrap: anywhere; } section { display: flex; flex-wrap: wrap; gap: 1rem 2rem; } h2 { margin-top: 2rem; }
figure { margin: 0; } svg.bars { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg rect { fill: var(--bar); }
"""


def write_card(folder: Path, summary: Summary) -> None:
    """Write the three files."""
    packed = msgspec.json.format(msgspec.json.encode(summary), indent=1)
    (folder / "summary.json").write_bytes(packed + b"\n")
    (folder / "README.md").write_text(markdown(summary), encoding="utf-8")
    (folder / "card.html").write_text(page(summary), encoding="utf-8")


def markdown(summary: Summary) -> str:
    """The card as Markdown, with the head that the hub reads."""
    head = ["---", "configs:", "- config_name: default", "  data_files:", "  - split: train", "    path:"]
    files = [f"    - {shard.file}" for shard in summary.shards]
    lines = [*head, *files, "---", "", f"# A dataset of suture ({summary.kind})", "", USES[summary.kind], ""]
    lines += _table(("", ""), dict(_facts(summary)))
    if summary.identity.admitted:
        lines += ["", "## Mixed knowingly", "", "Rows of other identities were let in, which differ in these fields:", ""]
        lines += ["| field | here | there | rows |", "|---|---|---|---|"]
        lines += [f"| {each.field} | {_cell(each.ours)} | {_cell(each.theirs)} | {each.rows} |" for each in summary.identity.admitted]
    lines += ["", "## Left out", "", *_table(("why", "rows or episodes"), summary.left_out)]
    lines += ["", "## Lengths", "", "| what | least | mean | most |", "|---|---|---|---|"]
    lines += [f"| {title} | {each.least:,} | {each.mean:,.0f} | {each.most:,} |" for title, each in _lengths(summary)]
    for name, title in PLOTS.items():
        if counts := summary.figures.counts.get(name):
            lines += ["", f"## {title}", "", *_table(("", "count"), dict(list(counts.items())[:40]))]
    return "\n".join([*lines, "", "## What it does not show", "", NOT_SHOWN, ""])


def page(summary: Summary) -> str:
    """The card as one page that needs nothing else."""
    facts = "".join(f"<tr><th>{escape(name)}</th><td><code>{escape(value)}</code></td></tr>" for name, value in _facts(summary))
    plots = [bars(title, _bins(each)) for title, each in _lengths(summary)]
    titles = [title for title, _ in _lengths(summary)]
    for name, title in PLOTS.items():
        if counts := summary.figures.counts.get(name):
            titles.append(title)
            plots.append(bars(title, counts))
    if summary.left_out:
        titles.append("Left out, and why")
        plots.append(bars("Left out, and why", summary.left_out))
    figures = "".join(f"<figure><h3>{escape(title)}</h3>{plot}</figure>" for title, plot in zip(titles, plots, strict=True))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Dataset {summary.digest[:12]}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>A dataset of suture ({summary.kind})</h1><p>{escape(USES[summary.kind])}</p>"
        f"<table>{facts}</table>{_admitted(summary)}\n<h2>Figures</h2><section>{figures}</section>"
        f"<h2>What it does not show</h2><p>{escape(NOT_SHOWN)}</p></body></html>\n"
    )


def _facts(summary: Summary) -> Iterator[tuple[str, str]]:
    figures, identity = summary.figures, summary.identity
    yield "rows", f"{figures.rows:,}"
    yield "digest", summary.digest
    yield "environment", identity.environment
    yield "harness", identity.harness
    if summary.kind == "sft":
        yield "assistant messages", f"{figures.learnt:,} learnt from, {figures.masked:,} masked"
    if summary.kind == "kto":
        yield "weights together", f"{figures.weight:,}"
    yield "held out", f"{summary.held_out:,} tasks were held against it" if summary.held_out else "nothing was held against it"
    yield "repetitions", f"left out by {summary.alike.near}, at most {summary.alike.most} with the same patch"
    yield "files", f"{len(summary.shards)}, {sum(shard.bytes for shard in summary.shards):,} bytes"
    yield "built", f"{datetime.fromtimestamp(summary.created, tz=UTC):%Y-%m-%d %H:%M UTC} by suture {summary.suture}"


def _lengths(summary: Summary) -> Iterator[tuple[str, Lengths]]:
    for name, title in LENGTHS.items():
        found: Lengths | None = getattr(summary.figures, name)
        if found is not None:
            yield title, found


def _bins(lengths: Lengths) -> dict[str, int]:
    """Every bin between the first and the last, empty ones too: a gap must be seen."""
    least, most = min(lengths.bins), max(lengths.bins)
    sizes = [1 << bits for bits in range(least.bit_length() - 1, most.bit_length())]
    return {f"up to {size:,}": lengths.bins.get(size, 0) for size in sizes}


def _admitted(summary: Summary) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each.field)}</code></td><td>{escape(_cell(each.ours))}</td><td>{escape(_cell(each.theirs))}</td>"
        f"<td>{each.rows}</td></tr>"
        for each in summary.identity.admitted
    )
    head = "<tr><th>field</th><th>here</th><th>there</th><th>rows</th></tr>"
    return f"<h2>Mixed knowingly</h2><table>{head}{rows}</table>" if rows else ""


def _table(head: tuple[str, str], entries: Mapping[str, object]) -> list[str]:
    if not entries:
        return ["nothing"]
    return [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {_cell(name)} | {_cell(str(value))} |" for name, value in entries.items())]


def _cell(text: str | None) -> str:
    """A cell of a table; what a workspace named must not end it."""
    return "nothing" if text is None else " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
