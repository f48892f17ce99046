"""The tree of settings. Every field's docstring is what `suture doctor` users read in the README's table."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Steps = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What isolates, and how much an attempt may use."""

    backend: Literal["local"] = "local"
    """What isolates."""
    seconds: Amount = 300
    """Wall time of any command."""
    cpu_seconds: Amount = 600
    """CPU time of any one process."""
    memory_mib: Amount = 4096
    """Memory of all processes of an attempt."""
    processes: Amount = 256
    """Processes and threads at once."""
    disk_mib: Amount = 1024
    """What a command may write."""
    output_mib: Amount = 8
    """Output that is kept."""
    open_files: Amount = 1024
    """Open files of any one process."""
    unmask: tuple[str, ...] = ()
    """Globs of files that checks see although their names look secret, such as tests/certs/*.pem; never in the root folder itself."""


class CheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check: changes one that was found, or names one more."""

    command: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    """Argument vector; `{report}` stands for the report file, `python` for the environment's interpreter."""
    kind: Literal["build", "types", "tests", "lint"] | None = None
    """What it checks; needed for a check that suture does not find by itself (default: tests)."""
    report: str | None = None
    """Report format: pytest, junit, unittest, mypy, pyright, ruff, sarif, traceback, compileall, build, generic."""
    timeout: Amount | None = None
    """Seconds of wall time."""
    selectable: bool | None = None
    """Whether test ids can be appended to the command."""
    enabled: bool = True
    """False leaves the check out."""


class EnvironmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which environment the checks run in."""

    python: str = ""
    """An interpreter, or the folder of an environment; found by itself where empty."""
    offline: bool = False
    """Build environments from the local cache only."""


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who repairs. Only the user sets this: a workspace that could would see its code sent where it likes."""

    spec: str = "embedded"
    """embedded, embedded:MODEL, vllm, a URL that ends in /v1 (#MODEL may follow), or scripted:FILE."""
    api_key_variable: str = "SUTURE_API_KEY"
    """Environment variable that holds the server's key; the key itself is never in a file."""
    timeout_seconds: Amount = 300
    """Wall time of one request."""
    models: str = ""
    """Folder with model weights, looked into before anything is downloaded."""


class HarnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the policy sees and may do. 0 and auto mean: as the preset that fits the policy says."""

    preset: Literal["auto", "agent", "direct"] = "auto"
    """agent: a conversation with tools; direct: one function at a time, for small models."""
    pipeline: Literal["full", "simplified"] = "simplified"
    """simplified: one episode a problem; full: fresh episodes until the retries are used up."""
    steps: Steps = 0
    """Requests to the policy."""
    tokens: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    """Generated tokens."""
    seconds: Amount = 600
    """Wall time of a problem."""
    candidates: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Answers sampled from one prompt."""
    edits_by_rule: Literal["auto", "off", "beside", "first"] = "auto"
    """Small edits that no model writes: off; beside: when the model's first answer did not hold; first: before the model is asked."""
    thinking: bool = False
    """Whether the model thinks aloud before it answers."""


class VerdictSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a patch is proven."""

    reruns: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    """How often the failing check must pass, each time in a fresh attempt."""


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a patch may touch."""

    allow_test_edits: bool = False
    """Whether tests may be edited."""
    allow_configuration_edits: bool = False
    """Whether configuration, lock files and CI may be edited."""
    allow_suppressions: bool = False
    """Whether comments such as noqa or type: ignore may be added."""
    protected: tuple[str, ...] = ()
    """Globs of files that no patch may touch."""


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recorded on this machine."""

    level: Literal["off", "metadata", "full"] = "full"
    """off: nothing; metadata: counts and hashes; full: messages and patches too, secrets taken out."""
    path: str = ""
    """The journal's file; in the user's data folder where empty."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings."""

    sandbox: SandboxSettings = SandboxSettings()
    checks: dict[str, CheckSettings] = {}
    environment: EnvironmentSettings = EnvironmentSettings()
    policy: PolicySettings = PolicySettings()
    harness: HarnessSettings = HarnessSettings()
    verdict: VerdictSettings = VerdictSettings()
    guard: GuardSettings = GuardSettings()
    journal: JournalSettings = JournalSettings()
