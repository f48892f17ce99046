"""Entries: what a run has to say, as rows that are ready to be written. Redaction and the journal's level are applied here, and only here.

At the level `metadata` an entry holds counts, hashes, times and names of checks and models: no path, no source text, no message, no diff.
What touches a file that `privacy.exclude` names is kept at that level whatever the journal's own is.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_agent.harness import Harness
from suture_agent.journal.blobs import Blob, pack
from suture_agent.journal.stored import (
    PackedResults,
    StoredStart,
    failure_text,
    signature_text,
    snapshot_hash,
    store_course,
    store_patch,
    store_start,
    store_turns,
    stored_value,
)
from suture_agent.pipelines.start import named_files, start_of
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.recall import label
from suture_agent.repair import Repair
from suture_sandbox.environment import Environment
from suture_sandbox.globs import is_excluded
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
    start: Blob | None = None
    results: Blob | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work of a run comes from, as an exclusion set names it (`recall.HeldOut`); kept as digests only."""

    repository: str = ""
    """Name of the repository; the workspace stands in for it where it is empty."""
    task: str = ""
    """Name of the task in its task set."""


class PatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A patch, with the text that recall finds it by and what recall is kept from it by."""

    edits: Blob | None
    diff: Blob | None
    files: int
    added: int
    removed: int
    redacted: bool
    signature: str = ""
    failure: str = ""
    diff_text: str = ""
    mark: str = ""
    repository: str = ""
    task: str = ""


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
    course: Blob | None = None


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


def level_for(paths: Iterable[str], environment: Environment, level: Level) -> Level:
    """The level at which that is kept which touches these files."""
    return "metadata" if any(is_excluded(path, environment.excluded) for path in paths) else level


def problem_entry(problem: Problem, environment: Environment, level: Level, *, results: PackedResults | None = None) -> ProblemEntry:
    """A problem in its environment; with a place for `results` also what it takes to work on it again."""
    kept = level_for(named_files(problem), environment, level)
    shared = results if kept == "full" else None
    return ProblemEntry(
        id=problem.id,
        workspace=workspace_id(problem.snapshot.root),
        environment=IdentityEntry(kind="environment", identity=environment.identity, fields=_blob(environment.fields, level)),
        check=problem.check,
        snapshot=snapshot_hash(problem.snapshot, problem.findings),
        finding_count=len(problem.findings),
        findings=_blob(problem.findings, kept),
        created=time.time(),
        start=pack(_start(problem, environment)) if shared is not None else None,
        results=shared.of(problem.before) if shared is not None else None,
    )


def _start(problem: Problem, environment: Environment) -> StoredStart:
    """The problem's start, without the text of files that nobody may see."""
    start = store_start(start_of(problem, environment.identity))
    texts = {path: text for path, text in start.texts.items() if not is_excluded(path, environment.excluded)}
    return msgspec.structs.replace(start, texts=texts)


def episode_entry(
    done: Repair, environment: Environment, policy: PolicyIdentity, harness: Harness, level: Level, *, origin: Origin | None = None
) -> EpisodeEntry:
    """What became of a problem."""
    used = done.usage
    touched = (*named_files(done.problem), *(done.patch.paths if done.patch is not None else ()))
    kept = level_for(touched, environment, level)
    return EpisodeEntry(
        problem=problem_entry(done.problem, environment, level),
        harness=IdentityEntry(kind="harness", identity=harness.identity, name=harness.preset, fields=_blob(harness, level)),
        policy=_policy(policy, level),
        adapter=policy.adapter,
        outcome=done.outcome,
        reason=_text(done.reason) if kept == "full" else "",
        turns=pack(store_turns(done.turns)) if kept == "full" else None,
        course=_course(done) if kept == "full" else None,
        steps=used.steps,
        prompt_tokens=used.prompt_tokens,
        completion_tokens=used.completion_tokens,
        cached_tokens=used.cached_tokens,
        seconds=done.seconds,
        seconds_policy=used.seconds_policy,
        seconds_sandbox=used.seconds_sandbox,
        seed=harness.sampling.seed,
        versions=_versions(policy.server),
        patch=_found_by(patch_entry(done.patch, kept), done.problem, origin or Origin()) if done.patch is not None else None,
        verdict=_verdict(done, kept),
        created=time.time(),
    )


def _course(done: Repair) -> Blob | None:
    course = store_course(done.course)
    return pack(course) if course is not None else None


def _found_by(entry: PatchEntry, problem: Problem, origin: Origin) -> PatchEntry:
    """The entry with what recall finds it by; as it is where no text of it is kept."""
    if not entry.diff_text:
        return entry
    return msgspec.structs.replace(
        entry,
        signature=signature_text(problem.findings),
        failure=failure_text(problem.findings),
        mark=problem.mark,
        repository=label(origin.repository) or workspace_id(problem.snapshot.root),
        task=label(origin.task),
    )


def patch_entry(patch: Patch, level: Level) -> PatchEntry:
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
        diff_text=diff,
    )


def reason_text(reason: str, level: Level) -> str:
    """Why a person decided so, in their own words."""
    return _text(reason) if level == "full" else ""


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
