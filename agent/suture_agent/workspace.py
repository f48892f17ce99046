"""Opening a workspace: settings, environment, checks and sandbox, in the order in which they depend on each other."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suture_agent.adapters import Identified
from suture_agent.configured import configured_harness
from suture_agent.errors import SettingsError
from suture_agent.harness import Harness, judge_field
from suture_agent.images import backend_of, open_image
from suture_agent.pipelines.judge import Judge
from suture_agent.places import cache_folder, data_folder, expanded, user_configuration
from suture_agent.policies import Policy, PolicyIdentity
from suture_agent.policies.lora import Adaptable
from suture_agent.record import JournalRecorder, NoRecorder, Recorder
from suture_agent.settings import CheckSettings, Loaded, Settings, load
from suture_sandbox.capture import installed
from suture_sandbox.checks import Check
from suture_sandbox.detect import detect
from suture_sandbox.detect.testing import NO_RUNNER
from suture_sandbox.environment import Limits
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import read_head
from suture_sandbox.globs import is_excluded, refused
from suture_sandbox.identity import Difference
from suture_sandbox.local.masks import SecretIndex, refused_glob
from suture_sandbox.lockfile import lock_path, read_lock, sentences, verify
from suture_sandbox.memo import Memo
from suture_sandbox.reports.parsers import PARSERS
from suture_sandbox.resolve import find_runtime, freeze, recapture
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from suture_agent.adapters.policy import AdaptedPolicy

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

    @property
    def missing(self) -> tuple[str, ...]:
        """The notes on tests that are there and cannot be run."""
        return tuple(note for note in self.notes if note.startswith(NO_RUNNER))

    def hidden_from_tests(self) -> tuple[str, ...]:
        """Files in folders of tests that appear empty inside, because their names look secret."""
        environment = self.sandbox.environment
        secret = SecretIndex(self.root).refresh(environment.unmasked).files
        hidden = [path for path in secret if not is_excluded(path, environment.excluded)]
        return tuple(path for path in hidden if not TEST_FOLDERS.isdisjoint(path.split("/")[:-1]) and read_head(self.root / path, 1))

    def refuse_drift(self) -> None:
        """Raise when the environment is not the one in suture.lock: what is proven here would be recorded under a wrong identity."""
        if self.drift:
            listed = "; ".join(sentences(self.drift)[:5])
            raise ConfigurationError(
                f"the environment is not the one in suture.lock: {listed}",
                remedy="suture env verify shows all of it; suture env lock accepts the present environment",
            )

    def policy(self, tell: Callable[[str], None] = lambda _text: None) -> AdaptedPolicy:
        """The policy that the settings name, not yet started, with the adapter that fits; `tell` hears of that."""
        from suture_agent.adapters.policy import AdaptedPolicy, Picker, Wanted
        from suture_agent.adapters.registry import Registry

        chosen = self.settings.policy
        wanted = Wanted(adapters=chosen.adapters, require=chosen.require_matched_adapter)
        environment = Identified.of(self.sandbox.environment.fields)
        picker = Picker(Registry(), wanted, environment, self.harness_of)
        return AdaptedPolicy(self._opened(chosen.spec), picker, tell, judged=self.judged)

    def _opened(self, spec: str) -> Policy:
        from suture_agent.policies.registry import open_policy

        chosen = self.settings.policy
        return open_policy(
            spec,
            api_key=os.environ.get(chosen.api_key_variable),
            timeout_seconds=chosen.timeout_seconds,
            models=models_folder(self.settings),
        )

    def judge(self, policy: Policy) -> Judge | None:
        """The judge that the settings name, not yet started; `policy` is the one that repairs."""
        spec = self.settings.harness.judge
        if spec in ("off", "policy"):
            return Judge(policy, shared=True) if spec == "policy" else None
        return Judge(self._opened(spec))

    async def judged(self, identity: PolicyIdentity) -> str:
        """What the harness says of the judge, where that is who repairs without an adapter. Raises PolicyUnavailable."""
        spec = self.settings.harness.judge
        if spec in ("off", "policy"):
            return "off" if spec == "off" else judge_field(identity)
        judge = self._opened(spec)
        try:
            return judge_field(await (judge.introduce() if isinstance(judge, Adaptable) else judge.start()))
        finally:
            await judge.close()

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
        yield NoRecorder(quarantine_days=workspace.settings.verdict.quarantine_days)
        return
    from suture_agent.journal.store import Journal

    journal = Journal.open(journal_path(workspace.settings), level)
    try:
        days = workspace.settings.verdict.quarantine_days
        recorder = JournalRecorder(journal, workspace.sandbox.environment, workspace.root, quarantine_days=days)
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
    locked = await asyncio.to_thread(read_lock, root) if lock_path(root).exists() else None
    isolation: dict[str, str | int] = {"backend": settings.sandbox.backend, "network": "none", **unmasking(loaded), **excluding(loaded)}
    if settings.sandbox.backend == "docker":
        opened = await open_image(settings, locked)
        found, capture = opened.installed, opened.environment
    else:
        runtime = await find_runtime(
            root, cache=cache_folder(), python=_python(settings), progress=progress, offline=settings.environment.offline
        )
        runtime = await freeze(runtime, settings.environment.frozen_time, root=root, cache=cache_folder())
        found, capture = installed(runtime), functools.partial(recapture, runtime)
    detection = await asyncio.to_thread(lambda: detect(root, installed=found))
    checks = merge_checks(detection.checks, settings.checks)
    backend = backend_of(settings)
    environment = await capture(root=root, checks=checks, limits=limits_of(settings), isolation=isolation, cache=cache_folder())
    return Workspace(
        root=root,
        loaded=loaded,
        sandbox=Sandbox(backend, environment, memo=memo_of(settings)),
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
    _refuse(loaded, "sandbox.unmask", refused_glob, remedy="name files below a folder of the workspace, such as tests/certs/*.pem")
    return _field("unmasked", loaded.settings.sandbox.unmask)


def excluding(loaded: Loaded) -> dict[str, str]:
    """The isolation's field for `privacy.exclude`; none without it. Raises SettingsError."""
    remedy = "name files or folders such as internal/, *.secret or data/**/*.csv; ? stands for a space"
    _refuse(loaded, "privacy.exclude", refused, remedy=remedy)
    return _field("excluded", loaded.settings.privacy.exclude)


def _refuse(loaded: Loaded, key: str, why: Callable[[str], str], *, remedy: str) -> None:
    section, _, name = key.partition(".")
    for glob in getattr(getattr(loaded.settings, section), name):
        if reason := why(glob):
            raise SettingsError(f"{loaded.origins[key]}: {key} = {glob!r}: {reason}", remedy=remedy)


def _field(name: str, globs: Sequence[str]) -> dict[str, str]:
    return {name: " ".join(sorted(set(globs)))} if globs else {}


def limits_of(settings: Settings) -> Limits:
    """The sandbox's limits under these settings."""
    return Limits(**{field: getattr(settings.sandbox, field) for field in Limits.__struct_fields__})


def memo_of(settings: Settings) -> Memo | None:
    """The memo of check results that the settings ask for; on the disk only where the journal may keep texts, too."""
    if settings.sandbox.memo == "off":
        return None
    kept = settings.sandbox.memo == "disk" and settings.journal.level == "full"
    return Memo(cache_folder() / "results" if kept else None)


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
