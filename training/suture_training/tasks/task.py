"""A task: the cached tuple of the seed (arXiv 2510.22075, section on the simplified pipeline) with everything that a rollout starts from.

A task set holds each healthy workspace once; a task is edits over it. So all tasks of a workspace share one folder, one environment and
one warm process, and a rollout's own directory is a copy-on-write attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.identity import identity_of
from suture_sandbox.snapshot import Snapshot

OriginKind = Literal["mutation", "history", "written", "drift", "journal"]
Split = Literal["train", "validation", "test"]


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """The text of one file; None deletes it."""

    path: str
    text: str | None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task comes from."""

    kind: OriginKind
    repository: str
    """What splits keep together: a normalised project name, never a path of this machine."""
    name: str = ""
    """Mutation operator, commit, policy, drifted dependency, or journal problem."""
    time: str = ""
    """ISO 8601 date of the code, for splits by time; empty where it has none."""


class Difficulty(msgspec.Struct, frozen=True, kw_only=True):
    """How much a mend takes, as recorded fields; integers."""

    lines: int
    """Lines that the gold patch adds and removes."""
    hunks: int
    files: int
    failing: int
    """Findings of the failing check."""
    passing: int
    """Tests that pass beside them."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """How a task was verified, in fresh attempts: it fails each time, gold passes each time, no edit at all never does."""

    runs: int
    failed: int
    """Runs of the broken text in which the same findings showed."""
    mended: int
    """Proofs of the gold patch that passed."""
    unchanged: int
    """Proofs of the empty patch that passed; 0 in a good task."""
    seconds: float
    """Median wall time of the failing check on the broken text: the filter "initial build < N s" is on this."""

    @property
    def good(self) -> bool:
        """Whether the task can be worked on."""
        return self.failed == self.mended == self.runs > 0 and self.unchanged == 0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One failure with a known mend."""

    id: str
    """16 hexadecimal digits; see `task_id`."""
    workspace: str
    """SHA-256 of the healthy workspace's files: `workspaces/HASH.tar.zst` in the set."""
    broken: tuple[Edit, ...]
    """What is laid over the healthy workspace."""
    gold: tuple[Edit, ...]
    """What mends it, as whole files over the broken text. Never shown to a policy."""
    check: str
    findings: tuple[Finding, ...]
    """The failures that a mend must end: the problem's target."""
    results: tuple[CheckResult, ...]
    """All checks on the broken text: the cached build state and logs that every rollout starts from."""
    environment: str
    """Identity of the environment in which it was verified; its fields are in the set."""
    origin: Origin
    difficulty: Difficulty
    proof: Proof
    split: Split = "train"

    def snapshot(self, healthy: Snapshot) -> Snapshot:
        """The broken text over a healthy workspace."""
        return healthy.with_edits(contents(self.broken))


def contents(edits: Sequence[Edit]) -> Mapping[str, bytes | None]:
    """Edits as a snapshot takes them."""
    return {edit.path: None if edit.text is None else edit.text.encode() for edit in edits}


def task_id(workspace: str, broken: Sequence[Edit], check: str) -> str:
    """Name of a task: the same text that fails the same check has the same name, wherever it was made."""
    return identity_of([workspace, sorted((edit.path, edit.text) for edit in broken), check])[:16]
