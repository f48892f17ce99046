"""The fixes of a workspace that were proven, and that nobody rejected: what repair tasks can be made of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from suture_agent.journal.blobs import get
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import StoredPatch
from suture_sandbox.patch import Patch

REJECTED = ("rejected", "rejected_with_correction", "reverted", "withdrawn")
"""Decisions after which a proven patch is no fix that anybody wants."""

_FIXES = """
    SELECT e.id, p.id, e.created, a.edits,
           (SELECT d.kind FROM decisions d JOIN offers o ON o.id = d.offer WHERE o.episode = e.id ORDER BY d.id DESC LIMIT 1)
    FROM episodes e JOIN problems p ON p.key = e.problem JOIN patches a ON a.episode = e.id JOIN verdicts v ON v.episode = e.id
    WHERE p.workspace = ? AND e.outcome = 'fixed' AND v.passed = 1 AND a.redacted = 0 AND a.edits IS NOT NULL
    ORDER BY e.id DESC
"""


class ProvenFix(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was proven."""

    episode: str
    problem: str
    created: float
    """Seconds since 1970."""
    patch: Patch
    decision: str | None = None
    """What a person made of it last; None where nobody was asked, as in batch runs."""


def proven_fixes(journal: Journal, workspace: Path) -> tuple[ProvenFix, ...]:
    """The proven fixes of a workspace that were not rejected, newest first; redacted ones, and those kept without text, left out."""
    with journal.reading() as connection:
        rows = connection.execute(_FIXES, (workspace_id(workspace),)).fetchall()
        return tuple(
            ProvenFix(episode=episode, problem=problem, created=created, patch=get(connection, edits, StoredPatch).patch(), decision=kind)
            for episode, problem, created, edits, kind in rows
            if kind not in REJECTED
        )
