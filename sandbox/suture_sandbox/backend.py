"""The seam between suture and whatever isolates: one protocol, several backends (`local`, `memory`, later `docker`).

A backend does one thing: it runs one command in one fresh attempt, a copy-on-write view of a snapshot, and throws the attempt away.
Attempts share nothing: what a command wrote is gone when it ends, except what `Command.keep` asks to be handed back. That is what makes
kill -9 harmless and one command unable to prepare a trap for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from suture_sandbox.environment import Environment
from suture_sandbox.snapshot import Snapshot

Ended = Literal["exited", "signalled", "timeout", "memory", "processes", "disk", "output"]
"""How a command ended: by itself, by a signal of its own making, or stopped by the sandbox at the limit that is named."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command to run inside an attempt."""

    argv: tuple[str, ...]
    """`{report}` in an argument stands for a path whose content comes back as `Completed.report`."""
    folder: str = "."
    """Working folder relative to the workspace."""
    variables: Mapping[str, str] = {}
    """Set inside on top of the environment's variables."""
    stdin: bytes = b""
    seconds: int | None = None
    """Wall-clock limit; the environment's limit where None. It can only shorten."""
    warm: bool = False
    """Whether it may run in a process that is forked from one in which its tool and the environment's packages are loaded. Quicker, and as
    isolated; but not what a fresh process is to the last, so nothing is proven by it alone."""
    nice: int = 0
    """How much it yields the processor to others, from 0 to 19, as in nice(1)."""
    keep: bool = False
    """Whether files that the command changes in the workspace come back as `Completed.changes`."""


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    ended: Ended
    exit_code: int | None
    """Exit code; -N for signal N; None when the sandbox stopped it."""
    stdout: bytes = b""
    stderr: bytes = b""
    report: bytes = b""
    """Content of the report file, empty when none was written."""
    changes: Mapping[str, bytes | None] = {}
    """With `keep`: path -> new content, None for deleted."""
    kept_all: bool = True
    """False when `keep` was asked and something that changed could not be handed back (too large, a link, a device)."""
    seconds: float = 0.0
    """Wall time from the request to the end of the last process."""
    cpu_seconds: float = 0.0
    """User and system time of all processes, where it can be told; else 0."""
    warm: bool = False
    """Whether it ran in a forked process; it does not where a backend cannot, or is not ready to."""
    overflow: bool = False
    """Whether output was cut at the limit."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend can do on this machine, for `suture doctor`."""

    available: bool
    level: str
    """Short name of the isolation that is active, such as `bubblewrap 0.11 + cgroup v1`."""
    contains: tuple[str, ...] = ()
    """What is contained, one line each."""
    gaps: tuple[str, ...] = ()
    """What is not contained, one line each."""
    problem: str = ""
    remedy: str = ""


class Backend(Protocol):
    """Runs commands in attempts. Implementations are safe to use from many tasks of one event loop at once."""

    @property
    def name(self) -> str:
        """`local`, `docker` or `memory`."""
        ...

    async def probe(self) -> Probe:
        """Find out, once and cheaply, what isolation this machine allows."""
        ...

    async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
        """Run `command` in a fresh attempt on `snapshot`.

        Cancelling the task kills every process of the attempt before CancelledError leaves this method. Raises BackendUnavailable
        when this machine cannot isolate, SandboxFailed when the sandbox itself fails; a command that fails is a `Completed`.
        """
        ...

    async def warm_up(self, snapshot: Snapshot, environment: Environment, command: Command) -> str:
        """Get ready to run a command warm, and wait for it; why it cannot be, empty where it can."""
        ...

    async def close(self) -> None:
        """Stop whatever is kept warm; idempotent."""
        ...
