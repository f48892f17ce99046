"""Reading offers: what became of them, which of them are still open, and what people made of those that they corrected."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import get
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import StoredPatch
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch
from suture_sandbox.verdict import Verdict

_log = logging.getLogger(__name__)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided about an offer."""

    id: str
    kind: str
    created: float
    latency: float | None = None
    """Seconds since the offer was seen, or made where it is not known to have been seen; None in records of older versions."""
    source: str | None = None
    """`told` by the client, or `inferred` from what it did."""
    reason: str = ""
    edits: StoredPatch | None = None


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an accepted patch was still there at some moment after."""

    moment: str
    tokens: int
    """That the patch added."""
    kept: int
    """Of those, still there."""
    created: float


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that was shown, and what became of it."""

    id: str
    created: float
    environment: str | None = None
    harness: str | None = None
    snapshot: str | None = None
    """Hash of the text that the offer is about."""
    shown: str | None = None
    """How: `action`, `message` or `notification`."""
    seen: float | None = None
    """When a person first looked at it."""
    decisions: tuple[Decision, ...] = ()
    survivals: tuple[Remains, ...] = ()


class OpenOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that waits for a decision, with what it takes to make it again. It may no longer fit the text, or no longer pass."""

    id: str
    episode: str
    problem: str
    check: str
    findings: tuple[Finding, ...]
    patch: Patch
    verdict: Verdict
    """Of the time when it was offered."""
    created: float


_OPEN = """
    WITH latest AS (
        SELECT o.id, o.episode, o.created, p.id AS problem, p.check_name, p.findings,
               row_number() OVER (PARTITION BY p.id ORDER BY o.id DESC) AS number
        FROM offers o JOIN episodes e ON e.id = o.episode JOIN problems p ON p.key = e.problem
        WHERE p.workspace = ? AND o.environment = ?
    )
    SELECT l.id, l.episode, l.problem, l.check_name, l.created, l.findings, a.edits, v.verdict
    FROM latest l JOIN patches a ON a.episode = l.episode JOIN verdicts v ON v.episode = l.episode
    WHERE l.number = 1 AND l.created >= ? AND a.redacted = 0
          AND a.edits IS NOT NULL AND l.findings IS NOT NULL AND v.verdict IS NOT NULL
          AND coalesce((SELECT d.kind FROM decisions d WHERE d.offer = l.id ORDER BY d.id DESC LIMIT 1), 'ignored') = 'ignored'
    ORDER BY l.id DESC
"""


def open_offers(journal: Journal, workspace_root: Path, environment: str, *, since: float) -> tuple[OpenOffer, ...]:
    """Offers of a workspace in an environment that nobody has decided, newest first, made at `since` (seconds since 1970) or later.

    Of a problem only the newest offer counts. An offer that cannot be applied (redacted, or of the level `metadata`) or that this version
    cannot read is left out.
    """
    with journal.reading() as connection:
        rows = connection.execute(_OPEN, (workspace_id(workspace_root), environment, since)).fetchall()
        found = [_open_offer(connection, row) for row in rows]
    return tuple(offer for offer in found if offer is not None)


def _open_offer(connection: sqlite3.Connection, row: tuple[str, str, str, str, float, str, str, str]) -> OpenOffer | None:
    identifier, episode, problem, check, created, findings, edits, verdict = row
    try:
        return OpenOffer(
            id=identifier,
            episode=episode,
            problem=problem,
            check=check,
            findings=get(connection, findings, tuple[Finding, ...]),
            patch=get(connection, edits, StoredPatch).patch(),
            verdict=get(connection, verdict, Verdict),
            created=created,
        )
    except JournalError as error:
        _log.warning("offer %s is not restored: %s", identifier, error)
        return None


def pairs(journal: Journal) -> tuple[tuple[Patch, Patch], ...]:
    """What was offered, and what the person who rejected it made instead, oldest first; redacted patches left out."""
    with journal.reading() as connection:
        rows = connection.execute(
            "SELECT a.edits, d.edits FROM decisions d JOIN offers o ON o.id = d.offer JOIN patches a ON a.episode = o.episode"
            " WHERE d.kind = 'rejected_with_correction' AND d.redacted = 0 AND a.redacted = 0"
            " AND d.edits IS NOT NULL AND a.edits IS NOT NULL ORDER BY d.id"
        ).fetchall()
        return tuple(
            (get(connection, offered, StoredPatch).patch(), get(connection, correction, StoredPatch).patch())
            for offered, correction in rows
        )


def offers_of(connection: sqlite3.Connection, episode: str) -> tuple[Offer, ...]:
    """The offers of an episode, oldest first, with what became of them."""
    rows = connection.execute(
        "SELECT id, created, environment, harness, snapshot, shown, seen FROM offers WHERE episode = ? ORDER BY id", (episode,)
    ).fetchall()
    return tuple(
        Offer(
            id=offer,
            created=created,
            environment=environment,
            harness=harness,
            snapshot=snapshot,
            shown=shown,
            seen=seen,
            decisions=_decisions(connection, offer),
            survivals=_survivals(connection, offer),
        )
        for offer, created, environment, harness, snapshot, shown, seen in rows
    )


def _survivals(connection: sqlite3.Connection, offer: str) -> tuple[Remains, ...]:
    rows = connection.execute("SELECT moment, tokens, kept, created FROM survivals WHERE offer = ? ORDER BY created", (offer,))
    return tuple(Remains(moment=moment, tokens=tokens, kept=kept, created=created) for moment, tokens, kept, created in rows)


def _decisions(connection: sqlite3.Connection, offer: str) -> tuple[Decision, ...]:
    rows = connection.execute(
        "SELECT id, kind, created, latency, source, reason, edits FROM decisions WHERE offer = ? ORDER BY id", (offer,)
    ).fetchall()
    return tuple(
        Decision(
            id=identifier,
            kind=kind,
            created=created,
            latency=latency,
            source=source,
            reason=reason or "",
            edits=get(connection, edits, StoredPatch) if edits else None,
        )
        for identifier, kind, created, latency, source, reason, edits in rows
    )
