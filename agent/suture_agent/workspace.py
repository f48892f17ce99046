"""Opening a workspace: settings, environment, checks and sandbox, in the order in which they depend on each other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from suture_agent.errors import SettingsError
from suture_agent.harness import Harness, harness_for
from suture_agent.places import cache_folder, data_folder, expanded, user_configuration
from suture_agent.policies import Policy, PolicyIdentity
from suture_agent.record import JournalRecorder, NoRecorder, Recorder
from suture_agent.settings import CheckSettings, Loaded, Settings, load
from suture_sandbox.backends import default_backend
from suture_sandbox.capture import installed
from suture_sandbox.checks import Check
from suture_sandbox.detect import detect
from suture_sandbox.environment import Limits
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import read_head
from suture_sandbox.guard import GuardPolicy
from suture_sandbox.identity import Difference
from suture_sandbox.local.masks import SecretIndex, refused_glob
from suture_sandbox.lockfile import lock_path, read_lock, sentences, verify
from suture_sandbox.reports.parsers import PARSERS
from suture_sandbox.resolve import find_runtime, recapture
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

ORDER = ("build", "lint", "types", "tests")
"""Kinds of checks, cheapest deciding one first."""


TEST_FOLDERS = frozenset({"test", "tests", "testing", "fixtures", "testdata", "test_data"})
"""Names of folders in which tests keep what they need."""


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace that is ready to be checked and repaired."""

    root: Path
    loaded: Loaded
    sandbox: Sandbox
    notes: tuple[str, ...]
    """What a user should know about what was found: checks, environment."""
    drift: tuple[Difference, ...] = ()
    """Where the environment differs from suture.lock; empty without a lock."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.loaded.settings

    @property
    def snapshot(self) -> Snapshot:
        """The workspace as it is on disk."""
        return Snapshot(self.root)

    def hidden_from_tests(self) -> tuple[str, ...]:
        """Files in folders of tests that appear empty inside, because their names look secret."""
        hidden = SecretIndex(self.root).refresh(self.sandbox.environment.unmasked).files
        return tuple(path for path in hidden if not TEST_FOLDERS.isdisjoint(path.split("/")[:-1]) and read_head(self.root / path, 1))

    def refuse_drift(self) -> None:
        """Raise when the environment is not the one in suture.lock: what is proven here would be recorded under a wrong identity."""
        if self.drift:
            listed = "; ".join(sentences(self.drift)[:5])
            raise ConfigurationError(
                f"the environment is not the one in suture.lock: {listed}",
                remedy="suture env verify shows all of it; suture env lock accepts the present environment",
            )

    def policy(self) -> Policy:
        """The policy that the settings name, not yet started."""
        from suture_agent.policies.registry import open_policy

        chosen = self.settings.policy
        return open_policy(
            chosen.spec,
            api_key=os.environ.get(chosen.api_key_variable),
            timeout_seconds=chosen.timeout_seconds,
            models=models_folder(self.settings),
        )

    def harness_of(self, policy: Policy, identity: PolicyIdentity) -> Harness:
        """The harness for a policy under these settings."""
        return configured_harness(self.settings, policy, identity)

    async def close(self) -> None:
        """Stop what is kept warm."""
        await self.sandbox.close()


@contextmanager
def open_journal(workspace: Workspace) -> Generator[Recorder, None, None]:
    """The journal that the settings name, closed at the end. Raises JournalError: a run must not go unrecorded unless a user says so."""
    level = workspace.settings.journal.level
    if level == "off":
        yield NoRecorder()
        return
    from suture_agent.journal.store import Journal

    journal = Journal.open(journal_path(workspace.settings), level)
    try:
        recorder = JournalRecorder(journal, workspace.sandbox.environment, workspace.root)
        yield recorder
        recorder.end()
    finally:
        journal.close()


async def open_workspace(
    root: Path, *, overrides: Mapping[str, object] | None = None, progress: Callable[[str], None] = lambda _text: None
) -> Workspace:
    """Open a workspace. Raises SettingsError, ConfigurationError or InfrastructureError with what to do next."""
    root = _existing(root)
    loaded = load(root, user_file=user_configuration(), environ=os.environ, overrides=overrides)
    settings = loaded.settings
    runtime = await find_runtime(
        root, cache=cache_folder(), python=_python(settings), progress=progress, offline=settings.environment.offline
    )
    detection = await asyncio.to_thread(lambda: detect(root, installed=installed(runtime)))
    checks = merge_checks(detection.checks, settings.checks)
    backend = default_backend(settings.sandbox.backend)
    environment = await recapture(
        runtime,
        root=root,
        checks=checks,
        limits=limits_of(settings),
        isolation={"backend": settings.sandbox.backend, "network": "none", **unmasking(loaded)},
        cache=cache_folder(),
    )
    locked = await asyncio.to_thread(read_lock, root) if lock_path(root).exists() else None
    return Workspace(
        root=root,
        loaded=loaded,
        sandbox=Sandbox(backend, environment),
        notes=(*environment.runtime.notes, *detection.notes),
        drift=verify(locked, environment.fields) if locked is not None else (),
    )


def _existing(root: Path) -> Path:
    if not root.is_dir():
        raise ConfigurationError(f"{root} is not a folder", remedy="name the workspace's folder")
    return root.resolve()


def merge_checks(found: Sequence[Check], wanted: Mapping[str, CheckSettings]) -> tuple[Check, ...]:
    """The detected checks with the settings' changes and additions, cheapest kind first."""
    merged = {check.name: check for check in found}
    for name, change in wanted.items():
        if not change.enabled:
            merged.pop(name, None)
            continue
        merged[name] = _merged(name, merged.get(name), change)
    return tuple(sorted(merged.values(), key=lambda check: ORDER.index(check.kind)))


def unmasking(loaded: Loaded) -> dict[str, str]:
    """The isolation's field for `sandbox.unmask`; none without it, so that identities stay as they are. Raises SettingsError."""
    globs = loaded.settings.sandbox.unmask
    for glob in globs:
        if reason := refused_glob(glob):
            raise SettingsError(
                f"{loaded.origins['sandbox.unmask']}: sandbox.unmask = {glob!r}: {reason}",
                remedy="name files below a folder of the workspace, such as tests/certs/*.pem",
            )
    return {"unmasked": " ".join(sorted(set(globs)))} if globs else {}


def limits_of(settings: Settings) -> Limits:
    """The sandbox's limits under these settings."""
    return Limits(**{field: getattr(settings.sandbox, field) for field in Limits.__struct_fields__})


def configured_harness(settings: Settings, policy: Policy, identity: PolicyIdentity) -> Harness:
    """The preset that fits the policy, with what the settings change."""
    chosen = settings.harness
    preset = None if chosen.preset == "auto" else chosen.preset
    harness = harness_for(policy.capability, preset=preset, template=identity.template)
    budgets, sampling = harness.budgets, harness.sampling
    by_rule = harness.edits_by_rule if chosen.edits_by_rule == "auto" or harness.preset != "direct" else chosen.edits_by_rule
    return msgspec.structs.replace(
        harness,
        pipeline=chosen.pipeline,
        recall="off" if settings.journal.level == "off" else harness.recall,
        thinking=chosen.thinking,
        edits_by_rule=by_rule,
        rules=harness.rules if by_rule != "off" else "",
        budgets=msgspec.structs.replace(
            budgets, steps=chosen.steps or budgets.steps, tokens=chosen.tokens or budgets.tokens, seconds=chosen.seconds
        ),
        sampling=msgspec.structs.replace(sampling, candidates=chosen.candidates or sampling.candidates),
        guard_policy=GuardPolicy(**{field: getattr(settings.guard, field) for field in GuardPolicy.__struct_fields__}),
        reruns=settings.verdict.reruns,
    )


def models_folder(settings: Settings) -> Path | None:
    """The user's own folder of model weights."""
    return expanded(settings.policy.models, "policy.models") if settings.policy.models else None


def journal_path(settings: Settings) -> Path:
    """The journal's file."""
    return expanded(settings.journal.path, "journal.path") if settings.journal.path else data_folder() / "journal.sqlite3"


def _python(settings: Settings) -> Path | None:
    return expanded(settings.environment.python, "environment.python") if settings.environment.python else None


def _merged(name: str, found: Check | None, change: CheckSettings) -> Check:
    if found is None and change.command is None:
        raise ConfigurationError(
            f"checks.{name} names a check that was not found and gives no command", remedy=f"add checks.{name}.command"
        )
    report = change.report or (found.report if found is not None and change.command is None else _guess(change, found))
    if report not in PARSERS:
        raise ConfigurationError(f"checks.{name}.report = {report!r} is not a report format", remedy=f"use one of {', '.join(PARSERS)}")
    base = found or Check(name=name, kind=change.kind or "tests", command=(), report=report)
    return msgspec.structs.replace(
        base,
        kind=change.kind or base.kind,
        command=change.command or base.command,
        report=report,
        timeout=change.timeout or base.timeout,
        selectable=base.selectable if change.selectable is None else change.selectable,
    )


def _guess(change: CheckSettings, found: Check | None) -> str:
    """The report format of a command that was given without one: the detected check's where it writes a report file, else generic."""
    writes = any("{report}" in argument for argument in change.command or ())
    return found.report if found is not None and writes else "junit" if writes else "generic"
