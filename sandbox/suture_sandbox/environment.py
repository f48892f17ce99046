"""The environment: everything that decides a check's result, with its identity.

`EnvironmentFields` is what the identity is computed from, and holds no path of this machine. `Runtime` is where those things lie here, and
is never part of an identity. Capturing, locking and verifying are in `capture` and `lockfile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import msgspec

from suture_sandbox.checks import Check
from suture_sandbox.identity import identity_of


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one attempt. Integers only: they are part of the identity."""

    seconds: int = 300
    """Wall time of a command; a check's own time-out may be shorter."""
    cpu_seconds: int = 600
    """CPU time of any one process."""
    memory_mib: int = 4096
    """Resident memory of all processes together, files in the attempt's scratch space included."""
    processes: int = 256
    """Processes and threads alive at once."""
    disk_mib: int = 1024
    """What a command may write in all: workspace overlay, /tmp and HOME together."""
    output_mib: int = 8
    """Bytes of stdout and stderr each that are kept; a command that writes 8 times as much is stopped."""
    open_files: int = 1024


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """One installed distribution."""

    version: str
    content: str
    """SHA-256 over the sorted (path, sha256) of the files its RECORD names, caches and installer notes left out."""


class EnvironmentFields(msgspec.Struct, frozen=True, kw_only=True):
    """The named fields of an environment's identity. Every value is a string, an integer, a list or a mapping of those."""

    os: Mapping[str, str] = {}
    """Release and libc: `{"id": "debian", "version": "12", "libc": "glibc 2.36"}`."""
    platform: Mapping[str, str | tuple[str, ...]] = {}
    """Machine, and the CPU features that code was built for or dispatches on."""
    toolchain: Mapping[str, str] = {}
    """Interpreter: implementation, version, ABI, content hash."""
    dependencies: Mapping[str, Dependency] = {}
    """Normalised distribution name -> version and content hash."""
    image: str = ""
    """Digest, for the Docker backend only."""
    layers: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Digests of the image's layers; no field at all without an image, so that identities stay as they are."""
    system_packages: Mapping[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Name -> version of what the image's own package manager has installed; as above."""
    variables: Mapping[str, str] = {}
    """Set inside the sandbox, paths of this machine left out."""
    isolation: Mapping[str, str | int] = {}
    """Backend, level, network, limits."""
    checks: Mapping[str, Check] = {}
    """Name -> command, report format, time-out."""
    policy_updates: Mapping[str, str] = {}
    """Automatic updates by tool: `{"pip": "off", "uv": "off", ...}`."""
    filters: Mapping[str, int] = {}
    """Task-set filters, such as `{"initial_build_seconds_below": 100}`."""


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """Where the environment lies on this machine."""

    python: str
    """Absolute path of the environment's interpreter."""
    search_path: tuple[str, ...]
    """Folders of PATH inside the sandbox, in order."""
    readonly: tuple[str, ...]
    """Absolute host paths bound read-only: toolchain and dependencies. The system's /usr, /lib, /bin and a minimal /etc come on top."""
    variables: Mapping[str, str] = {}
    """Everything that is set inside, PATH and HOME left out."""
    notes: tuple[str, ...] = ()
    """How the environment was found, and what a user should know about it, one line each."""


class Environment(msgspec.Struct, frozen=True, dict=True):
    """A pinned environment, ready to run checks in."""

    fields: EnvironmentFields
    runtime: Runtime
    limits: Limits = Limits()

    @cached_property
    def identity(self) -> str:
        """SHA-256 over the canonical JSON of `fields`; equal on two machines with equal content, whatever the paths."""
        return identity_of(self.fields)

    @property
    def unmasked(self) -> tuple[str, ...]:
        """Globs of files that are seen inside although their names look secret: what a check sees is part of the identity."""
        return tuple(str(self.fields.isolation.get("unmasked", "")).split())

    @property
    def excluded(self) -> tuple[str, ...]:
        """Globs of files that appear empty inside because nobody is to see them; part of the identity for the same reason."""
        return tuple(str(self.fields.isolation.get("excluded", "")).split())

    @property
    def checks(self) -> tuple[Check, ...]:
        """The workspace's checks in the order in which they run."""
        return tuple(self.fields.checks.values())
