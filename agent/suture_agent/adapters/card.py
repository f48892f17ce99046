"""An adapter's card: what it is, what it was trained on and for, how it did, in Markdown. Written from the record alone."""

from __future__ import annotations

import time

import msgspec

from suture_agent.adapters import Adapter, Identified, Score


def card(adapter: Adapter) -> str:
    """The card's text."""
    parts = [
        f"# {adapter.name}",
        _facts(adapter),
        adapter.note.strip(),
        "## Scores",
        _scores(adapter.scores),
        "## Trained for",
        "It serves a workspace where every field below is the same."
        + (
            f" These varied in its training and are not compared: {', '.join(f'`{field}`' for field in adapter.varied)}."
            if adapter.varied
            else ""
        ),
        _fields("environment", adapter.environment),
        _fields("harness", adapter.harness),
        "## Training",
        _json(adapter.training),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def stamp(seconds: float) -> str:
    """A time as people and programs read it, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _facts(adapter: Adapter) -> str:
    rows = {
        "digest": f"`{adapter.digest}`",
        "base": f"{adapter.base.name} `{adapter.base.digest}`" if adapter.base.digest else adapter.base.name,
        "data": f"{adapter.data.name} `{adapter.data.digest}`, {adapter.data.rows} rows".strip(),
        "environment": f"`{adapter.environment.digest}`",
        "harness": f"`{adapter.harness.digest}`",
        "made": stamp(adapter.created),
        **{name: f"`{file.sha256}`, {file.size} bytes" for name, file in sorted(adapter.files.items())},
    }
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _scores(scores: tuple[Score, ...]) -> str:
    if not scores:
        return "Not evaluated yet."
    head = "| of | passed | rate | 95 % | held-out set | environment | harness | evaluation |\n|---|---|---|---|---|---|---|---|"
    rows = (
        f"| {each.subject} | {each.passed} of {each.of} | {100 * each.rate:.1f} % | {100 * each.low:.1f} to {100 * each.high:.1f} % "
        f"| `{each.held_out[:12]}` | `{each.environment[:12]}` | `{each.harness[:12]}` | `{each.evaluation}` |"
        for each in scores
    )
    return "\n".join((head, *rows))


def _fields(name: str, identified: Identified) -> str:
    return f"### {name}\n\n{_json(identified.fields)}"


def _json(value: object) -> str:
    return f"```json\n{msgspec.json.format(msgspec.json.encode(value, order='sorted'), indent=2).decode()}\n```"
