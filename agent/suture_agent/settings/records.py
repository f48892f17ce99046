"""The tree of settings. Every field's docstring is what `suture doctor` users read in the README's table."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
Steps = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What isolates, and how much an attempt may use."""

    backend: Literal["local", "docker"] = "local"
    """What isolates: local (bubblewrap), or docker (containers made from an image that suture env lock pins)."""
    docker_mode: Literal["fast", "strict"] = "fast"
    """fast: warm containers, each attempt in namespaces of its own inside one; strict: a new container for each attempt."""
    docker_image: str = ""
    """Digest of the image to run in (sha256:...); the one in suture.lock, if it was adopted on this machine, where empty."""
    docker_runtime: str = ""
    """An OCI runtime that the daemon knows, such as runsc or kata; the daemon's default where empty."""
    docker_socket: str = ""
    """Where the daemon listens, such as unix:///run/user/1000/podman/podman.sock; DOCKER_HOST, then the usual places where empty."""
    docker_containers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Containers at once; 0 for as many as there are processors."""
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
    memo: Literal["off", "memory", "disk"] = "memory"
    """Whether results of checks on equal content are kept: off, memory, or disk for a day in the user's cache. No proof rests on them."""
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
    frozen_time: str = ""
    """The time that every command sees, such as 2024-01-01T00:00:00Z; the real one where empty. Needs libfaketime."""


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
    adapters: Annotated[str, msgspec.Meta(min_length=1)] = "matched"
    """matched: the adapter in use that was trained for this environment and harness, if any; off: none; or a name or digest: that one."""
    require_matched_adapter: bool = False
    """Whether nothing is repaired without an adapter that was trained for exactly this environment and harness."""


class HarnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the policy sees and may do. 0 and auto mean: as the preset that fits the policy, or the pipeline, says (docs/pipelines.md)."""

    preset: Literal["auto", "agent", "direct", "line"] = "auto"
    """agent: a conversation with tools; direct: one function at a time, for small models."""
    pipeline: Literal["full", "simplified"] = "simplified"
    """simplified: one episode a problem; full: root causes first, past fixes, progress that is kept, retries; it may take hours."""
    steps: Steps = 0
    """Requests to the policy."""
    tokens: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    """Generated tokens."""
    seconds: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    """Wall time of a problem; 0 for 600 in the pipeline simplified, 19200 in full (600 where a workspace chose it)."""
    episode_seconds: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)] = 0
    """Wall time of one episode; in full 4800."""
    tool_seconds: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    """Wall time of one tool call; in full 3600, sandbox.seconds permitting."""
    tool_calls: Steps = 0
    """Tool calls of one episode; in full 50."""
    retries: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """How often full tries a main error anew; 3."""
    errors: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """How many main errors full works on for one problem; 10."""
    past_fixes: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """Past fixes that the model is shown, one an episode; in full 4, in simplified none."""
    recall: Literal["auto", "off", "journal"] = "auto"
    """Whether the model may be shown past fixes of this machine's journal: off, journal."""
    judge: str = "off"
    """Who must accept a proven patch too: off; policy for the model that repairs; or a policy as in policy.spec."""
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
    reproduced: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    """How often a failure must show before it is worked on, the run that found it included; what passes unchanged is dropped."""
    controls: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3
    """How often the failing tests must fail without a patch that is proven otherwise."""
    shaken: Annotated[int, msgspec.Meta(ge=0, le=6)] = 1
    """Under how many other circumstances the failing tests must pass too: another hash seed, a stalling machine (slow), and so on."""
    quarantine_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 14
    """How long a test that was seen to be flaky decides nothing, unless its file changes; 0 to forget at once."""


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a patch may touch."""

    allow_test_edits: bool = False
    """Whether tests may be edited."""
    allow_configuration_edits: bool = False
    """Whether configuration, lock files and CI may be edited."""
    allow_suppressions: bool = False
    """Whether comments such as noqa or type: ignore may be added."""
    allow_deletions: bool = False
    """Whether public functions, methods and classes may be deleted."""
    protected: tuple[str, ...] = ()
    """Globs of files that no patch may touch."""


class JournalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is recorded on this machine."""

    level: Literal["off", "metadata", "full"] = "full"
    """off: nothing; metadata: counts and hashes; full: messages and patches too, secrets taken out."""
    path: str = ""
    """The journal's file; in the user's data folder where empty."""


class EditorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the language server does by itself."""

    check_on: Literal["change", "save", "manual"] = "save"
    """When the checks run: as text is typed, when a file is opened or saved, or only when asked for."""
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 400
    """Quiet time before they do."""
    episodes: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Repairs at once; 0 for as many as the policy answers side by side, at most 4."""
    background: bool = False
    """Whether new failures are repaired ahead of time, while the editor is idle."""
    background_minutes: Annotated[int, msgspec.Meta(ge=0, le=60)] = 10
    """Wall time of such repairs in an hour."""
    idle_seconds: Amount = 30
    """Time without a change after which the editor counts as idle."""
    notice: bool = True
    """Whether a notice says at the first start what suture does and what it keeps."""
    worker_idle_minutes: Amount = 10
    """Time without work after which the worker process ends."""


class PrivacySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What nobody but the user sees."""

    exclude: tuple[str, ...] = ()
    """Globs of files whose content no policy is shown and the journal never keeps; they appear empty to commands and checks too."""


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
    editor: EditorSettings = EditorSettings()
    privacy: PrivacySettings = PrivacySettings()
