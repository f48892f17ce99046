"""Entries: what a run has to say, as rows that are ready to be written. Redaction and the journal's level are applied here, and only here.

At the level `metadata` an entry holds counts, hashes, times and names of checks and models: no path, no source text, no message, no diff.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_agent.harness import Harness
from suture_agent.journal.blobs import Blob, pack
from suture_agent.journal.stored import failure_text, snapshot_hash, store_patch, store_turns, stored_value
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_sandbox.environment import Environment
from suture_sandbox.identity import identity_of
from suture_sandbox.patch import Patch

Level = Literal["metadata", "full"]


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the program over a workspace."""

    id: str
    workspace: str
    path: str | None
    level: Level
    started: float
    versions: str


class IdentityEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An identity with its named fields."""

    kind: Literal["environment", "harness", "policy"]
    identity: str
    name: str = ""
    fields: Blob | None = None


class ProblemEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A problem."""

    id: str
    workspace: str
    environment: IdentityEntry
    check: str
    snapshot: str
    finding_count: int
    findings: Blob | None
    created: float


class PatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A patch, with the text that recall finds it by."""

    edits: Blob | None
    diff: Blob | None
    files: int
    added: int
    removed: int
    redacted: bool
    failure: str = ""
    diff_text: str = ""


class VerdictEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict."""

    verdict: Blob | None
    passed: bool
    infrastructure: bool
    reruns: int
    seconds: float


class EpisodeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A finished problem: everything that is written in its one transaction."""

    problem: ProblemEntry
    harness: IdentityEntry
    policy: IdentityEntry
    adapter: str
    outcome: str
    reason: str
    turns: Blob | None
    steps: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    seconds: float
    seconds_policy: float
    seconds_sandbox: float
    seed: int
    versions: str
    patch: PatchEntry | None
    verdict: VerdictEntry | None
    created: float


def workspace_id(root: Path) -> str:
    """Names a workspace without telling where it lies."""
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:16]


def run_entry(identifier: str, root: Path, level: Level) -> RunEntry:
    """A run that starts now."""
    return RunEntry(
        id=identifier,
        workspace=workspace_id(root),
        path=_text(str(root)) if level == "full" else None,
        level=level,
        started=time.time(),
        versions=_versions(""),
    )


def problem_entry(problem: Problem, environment: Environment, level: Level) -> ProblemEntry:
    """A problem in its environment."""
    return ProblemEntry(
        id=problem.id,
        workspace=workspace_id(problem.snapshot.root),
        environment=IdentityEntry(kind="environment", identity=environment.identity, fields=_blob(environment.fields, level)),
        check=problem.check,
        snapshot=snapshot_hash(problem.snapshot, problem.findings),
        finding_count=len(problem.findings),
        findings=_blob(problem.findings, level),
        created=time.time(),
    )


def episode_entry(done: Repair, environment: Environment, policy: PolicyIdentity, harness: Harness, level: Level) -> EpisodeEntry:
    """What became of a problem."""
    used = done.usage
    return EpisodeEntry(
        problem=problem_entry(done.problem, environment, level),
        harness=IdentityEntry(kind="harness", identity=harness.identity, name=harness.preset, fields=_blob(harness, level)),
        policy=_policy(policy, level),
        adapter=policy.adapter,
        outcome=done.outcome,
        reason=_text(done.reason) if level == "full" else "",
        turns=pack(store_turns(done.turns)) if level == "full" else None,
        steps=used.steps,
        prompt_tokens=used.prompt_tokens,
        completion_tokens=used.completion_tokens,
        cached_tokens=used.cached_tokens,
        seconds=done.seconds,
        seconds_policy=used.seconds_policy,
        seconds_sandbox=used.seconds_sandbox,
        seed=harness.sampling.seed,
        versions=_versions(policy.server),
        patch=patch_entry(done.patch, level, failure=failure_text(done.problem.findings)) if done.patch is not None else None,
        verdict=_verdict(done, level),
        created=time.time(),
    )


def patch_entry(patch: Patch, level: Level, *, failure: str = "") -> PatchEntry:
    """A patch; at the level `metadata` only how large it is."""
    added, removed = patch.counts
    if level == "metadata":
        return PatchEntry(edits=None, diff=None, files=len(patch.edits), added=added, removed=removed, redacted=False)
    stored = store_patch(patch)
    diff = _text(patch.diff())
    return PatchEntry(
        edits=pack(stored),
        diff=pack(diff),
        files=len(patch.edits),
        added=added,
        removed=removed,
        redacted=stored.redacted,
        failure=failure,
        diff_text=diff,
    )


def _policy(policy: PolicyIdentity, level: Level) -> IdentityEntry:
    name = _text(policy.name)
    if level == "metadata" and name.startswith(("/", "~", ".")):
        name = name.rpartition("/")[2]
    return IdentityEntry(kind="policy", identity=identity_of(policy), name=name, fields=_blob(policy, level))


def _verdict(done: Repair, level: Level) -> VerdictEntry | None:
    verdict = done.verdict
    if verdict is None:
        return None
    return VerdictEntry(
        verdict=_blob(verdict, level),
        passed=verdict.passed,
        infrastructure=verdict.infrastructure,
        reruns=verdict.reruns,
        seconds=verdict.seconds,
    )


def _blob(value: Any, level: Level) -> Blob | None:  # noqa: ANN401  # anything msgspec encodes
    return pack(stored_value(value)) if level == "full" else None


def _text(text: str) -> str:
    return str(stored_value(text))


def _versions(engine: str) -> str:
    return msgspec.json.encode({"suture": _suture_version(), "python": platform.python_version(), "engine": engine}).decode()


@cache
def _suture_version() -> str:
    from importlib.metadata import version

    return version("suture")
