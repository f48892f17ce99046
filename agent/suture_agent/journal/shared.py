"""Episodes as they travel between machines: one JSON line each, complete in itself, and the manifest that says what a bundle holds.

A bundle is a folder: `records.jsonl.zst`, `manifest.json` with the SHA-256 of the records, where it is signed also `manifest.json.sig`.
It holds no path of the machine that it comes from: workspaces have pseudonyms, which differ from what any machine would call its own. What
it takes to work on a problem again (the texts of its files, the results of all checks) stays behind.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

from suture_agent.journal.kinds import DecisionKind, Moment, Shown, Source

FORMAT = 1
RECORDS, MANIFEST, SIGNATURE = "records.jsonl.zst", "manifest.json", "manifest.json.sig"
NOTHING = msgspec.Raw(b"null")
"""In the place of a blob that is not kept; msgspec has no union of raw JSON and None."""
LARGEST = 256 << 20
"""Bytes of one line; more is no episode."""

Identifier = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-z]{16}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Name = Annotated[str, msgspec.Meta(max_length=500)]
Kind = Literal["environment", "harness", "policy"]


class SharedIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """An environment, harness or policy; its fields travel with the first episode that names it."""

    identity: Digest
    name: Name = ""
    fields: msgspec.Raw = NOTHING


class SharedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that an episode is of."""

    id: Identifier
    level: Literal["metadata", "full"]
    started: float
    versions: Name


class SharedProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem."""

    id: Name
    workspace: Name
    check: Name
    snapshot: Name
    finding_count: int
    findings: msgspec.Raw
    created: float


class SharedPatch(msgspec.Struct, frozen=True, kw_only=True):
    """A patch."""

    edits: msgspec.Raw
    diff: msgspec.Raw
    files: int
    added: int
    removed: int
    redacted: bool


class SharedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict."""

    verdict: msgspec.Raw
    passed: bool
    infrastructure: bool
    reruns: int
    seconds: float


class SharedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody decided."""

    id: Identifier
    kind: DecisionKind
    edits: msgspec.Raw
    redacted: bool
    created: float
    latency: float | None
    source: Source | None
    reason: str | None


class SharedSurvival(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an accepted patch was left."""

    moment: Moment
    tokens: int
    kept: int
    created: float


class SharedOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer with what became of it."""

    id: Identifier
    created: float
    environment: Name | None
    harness: Name | None
    snapshot: Name | None
    shown: Shown | None
    seen: float | None
    decisions: tuple[SharedDecision, ...] = ()
    survivals: tuple[SharedSurvival, ...] = ()


class SharedEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a bundle."""

    id: Identifier
    run: SharedRun
    problem: SharedProblem
    environment: SharedIdentity
    harness: SharedIdentity
    policy: SharedIdentity
    adapter: Name
    outcome: Literal["fixed", "unfixed", "infrastructure", "cancelled"]
    reason: str
    turns: msgspec.Raw
    course: msgspec.Raw = NOTHING
    steps: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    seconds: float
    seconds_policy: float
    seconds_sandbox: float
    seed: int
    versions: Name
    created: float
    patch: SharedPatch | None
    verdict: SharedVerdict | None
    offers: tuple[SharedOffer, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds; this is what is signed."""

    format: int
    episodes: int
    records: Digest
    """SHA-256 of the file of records."""
    created: float
    suture: str


def pseudonym(workspace: str) -> str:
    """What a workspace is called in a bundle: told apart from others, never equal to what a machine calls its own."""
    return hashlib.sha256(f"suture shared {workspace}".encode()).hexdigest()[:16]
