"""Past fixes: the index of proven patches by the failures that they mended, and recall from it.

One row a proven patch in an FTS5 table: the error's signature (codes and messages without numbers and names in quotes), its text, the code
as it was before, the diff. They are ranked by bm25, in that order of weight. Secrets are taken out of all of it before it is written; at
the level `metadata` there is nothing to index. `origins` says what a fix belongs to, as digests: what an evaluation holds out is left out
in the query itself, so that no number of held-out fixes can crowd out the others.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from suture_agent.journal.entries import PatchEntry
from suture_agent.journal.stored import mended_code
from suture_agent.recall import HeldOut, PastFix

if TYPE_CHECKING:
    from suture_agent.journal.store import Journal

MOST_WORDS = 64
"""Words of a query, and of the code beside it, that are looked for."""
WEIGHTS = (4.0, 1.0, 0.5, 0.25)
"""Of signature, failure, code and diff."""

_WANTED = """
    SELECT fixes.failure, fixes.diff, e.id, p.id, coalesce(o.mark, ''), coalesce(o.repository, ''), coalesce(o.task, '')
    FROM fixes JOIN patches a ON a.key = fixes.rowid JOIN episodes e ON e.id = a.episode
    JOIN verdicts v ON v.episode = e.id JOIN problems p ON p.key = e.problem LEFT JOIN origins o ON o.patch = a.key
    WHERE fixes MATCH :match AND v.passed = 1 AND p.id NOT IN (SELECT value FROM json_each(:without))
"""
_KNOWN = """
    AND o.patch IS NOT NULL AND p.id NOT IN (SELECT value FROM json_each(:problems))
    AND o.mark NOT IN (SELECT value FROM json_each(:marks))
    AND o.repository NOT IN (SELECT value FROM json_each(:repositories)) AND o.task NOT IN (SELECT value FROM json_each(:tasks))
"""
_RANKED = " ORDER BY round(bm25(fixes, :w0, :w1, :w2, :w3), 9), e.id DESC LIMIT :most"


def index_fix(connection: sqlite3.Connection, patch: int | None, entry: PatchEntry) -> None:
    """Put a proven patch into the index."""
    connection.execute(
        "INSERT INTO fixes (rowid, signature, failure, code, diff) VALUES (?, ?, ?, ?, ?)",
        (patch, entry.signature, entry.failure, mended_code(entry.diff_text), entry.diff_text),
    )
    connection.execute(
        "INSERT INTO origins (patch, mark, repository, task) VALUES (?, ?, ?, ?)", (patch, entry.mark, entry.repository, entry.task)
    )


def recall(
    journal: Journal, query: str, limit: int = 3, *, code: str = "", without: Collection[str] = (), held_out: HeldOut | None = None
) -> tuple[PastFix, ...]:
    """Proven fixes whose failures resemble the query, and whose code resembles `code`; best first, the newest first among equals.

    Not those of the problems `without`, and nothing that is held out; then nothing either of which it is not known where it comes from.
    """
    match = _match(query, code)
    if not match or limit < 1:
        return ()
    given: dict[str, object] = {f"w{number}": weight for number, weight in enumerate(WEIGHTS)}
    given |= {"match": match, "without": _json(without), "most": limit * 8}
    if held_out is not None:
        given |= {name: _json(getattr(held_out, name)) for name in ("problems", "marks", "repositories", "tasks")}
    with journal.reading() as connection:
        rows: Sequence[tuple[str, ...]] = connection.execute(f"{_WANTED}{_KNOWN if held_out else ''}{_RANKED}", given).fetchall()
    found: dict[tuple[str, str], PastFix] = {}
    for failure, diff, episode, problem, mark, repository, task in rows:
        fix = PastFix(failure=failure, diff=diff, episode=episode, problem=problem, mark=mark, repository=repository, task=task)
        found.setdefault((failure, diff), fix)
    return tuple(found.values())[:limit]


def _match(query: str, code: str) -> str:
    """An FTS5 query for any of the words, those of a failure and those of code each in the columns where they may stand."""
    parts = [
        f"{{{columns}}} : ({' OR '.join(words)})"
        for columns, words in (("signature failure diff", _words(query)), ("code", _words(code)))
        if words
    ]
    return " OR ".join(parts)


def _words(text: str) -> list[str]:
    """Words in quotes, so that nothing in them is read as FTS5's own language."""
    words = dict.fromkeys(word.lower() for word in re.findall(r"\w{2,40}", text[:20_000]) if word.strip("_"))
    return [f'"{word}"' for word in list(words)[:MOST_WORDS]]


def _json(values: Collection[str]) -> str:
    return msgspec.json.encode(sorted(values)).decode()
