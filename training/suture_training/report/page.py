"""The page that holds a report: head with a strict policy, parts, and nothing that runs or is fetched.

The policy allows one style sheet, by its hash, and nothing else: what a workspace wrote could neither load, send, submit nor restyle
anything, even if it got past `shown`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Literal

from suture_sandbox.identity import Difference
from suture_training.report.text import NONE, shown

Mood = Literal["", "good", "bad", "warn"]


def page(kind: str, title: str, lead: str, parts: Iterable[str], *, made: float | None = None) -> str:
    """The whole document. `kind`, `title` and `lead` are text; `parts` are markup."""
    sheet = resources.files("suture_training.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    when = datetime.fromtimestamp(made, tz=UTC).strftime("%Y-%m-%d %H:%M UTC") if made else ""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{shown(title)}</title><style>{sheet}</style></head><body><main>",
            f'<header><div class="kind">{shown(kind)}</div><h1>{shown(title)}</h1><p class="lead">{shown(lead)}</p></header>',
            *(part for part in parts if part),
            f"<footer>suture {_version()}{f', {when}' if when else ''}</footer>",
            "</main></body></html>\n",
        ]
    )


def section(title: str, *parts: str) -> str:
    """A part with its heading; nothing where it would be empty."""
    inner = "\n".join(part for part in parts if part)
    return f"<section><h2>{shown(title)}</h2>\n{inner}</section>" if inner else ""


def tiles(*items: tuple[str, str, Mood]) -> str:
    """Key figures: value, what it is, mood."""
    made = "".join(f'<div class="tile {mood}"><b>{shown(value)}</b><span>{shown(label)}</span></div>' for value, label, mood in items)
    return f'<div class="tiles">{made}</div>'


def plots(*figures: str, small: bool = False) -> str:
    """Figures side by side."""
    there = [each for each in figures if each]
    return f'<div class="plots{" three" if small else ""}">{"".join(there)}</div>' if there else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table of text; columns in `numbers` are set to the right."""
    marks = [' class="n"' if at in numbers else "" for at in range(len(head))]
    top = "".join(f"<th{mark}>{shown(each)}</th>" for each, mark in zip(head, marks, strict=True))
    body = "".join(f"<tr>{''.join(f'<td{mark}>{shown(each)}</td>' for each, mark in zip(row, marks, strict=True))}</tr>" for row in rows)
    return f'<div class="card scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>' if body else ""


def banner(text: str, mood: Mood = "warn") -> str:
    """Something that a reader has to know before anything else."""
    return f'<div class="banner {mood}">{shown(text)}</div>'


def note(text: str) -> str:
    """A remark."""
    return f'<p class="note">{shown(text)}</p>'


def folded(title: str, inner: str, remark: str = "") -> str:
    """A part that is opened by a click; no script is needed for that."""
    return f"<details><summary>{shown(title)} <span>{shown(remark)}</span></summary><div>{inner}</div></details>"


def fields(tree: Mapping[str, Any]) -> str:
    """Named fields, nested ones by their dotted names."""
    pairs = (f'<dt class="mono">{shown(name)}</dt><dd class="mono">{shown(value)}</dd>' for name, value in _leaves(tree, ""))
    return f"<dl>{''.join(pairs)}</dl>"


def differences(found: Iterable[Difference]) -> str:
    """In what two things differ."""
    return table(("field", "before", "after"), ((each.field, each.before or NONE, each.after or NONE) for each in found))


def _leaves(tree: Mapping[str, Any], above: str) -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, name)  # pyright: ignore[reportUnknownArgumentType]  # of unknown shape
        else:
            yield name, "none" if value is None or value in ({}, [], (), "") else str(value)  # pyright: ignore[reportUnknownArgumentType]  # the same


def _version() -> str:
    from importlib.metadata import version

    return version("suture")
