"""`MemoryBackend`: a backend without processes. Programs are small async functions over a view of the snapshot.

What it is: a real implementation of the `Backend` promises that can be kept without a process (fresh attempts, edits over the disk, kept
changes, time-outs, output limits, cancellation), for tests of everything above it. What it deliberately is not: isolation. Its programs are
the test's own code, trusted and in this process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import PurePosixPath

from suture_sandbox.backend import Command, Completed, Ended, Probe
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.globs import is_excluded
from suture_sandbox.local.masks import is_masked, is_secret
from suture_sandbox.local.output import Output
from suture_sandbox.snapshot import Snapshot

REPORT = "/report"
"""What `{report}` stands for; writing this path writes the report."""


class Flooded(Exception):
    """A program printed more than the sandbox lets it."""


class View:
    """What a program sees: the attempt's files, its variables, and where it prints."""

    def __init__(self, snapshot: Snapshot, command: Command, environment: Environment) -> None:
        variables, limit = environment.runtime.variables, environment.limits.output_mib << 20
        self.stdin = command.stdin
        self.variables = {**variables, **command.variables}
        self.stdout = Output(limit)
        self.stderr = Output(limit)
        self.report = b""
        self._folder = PurePosixPath(command.folder)
        self._snapshot = snapshot
        self._unmasked = environment.unmasked
        self._excluded = environment.excluded
        self.changed: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes:
        """Content of a file; raises FileNotFoundError."""
        content = self._content(self._relative(path))
        if content is None:
            raise FileNotFoundError(path)
        return content

    def write(self, path: str, content: bytes) -> None:
        """Create or replace a file."""
        if path == REPORT:
            self.report = content
        else:
            self.changed[self._relative(path)] = content

    def remove(self, path: str) -> None:
        """Delete a file; raises FileNotFoundError."""
        self.read(path)
        self.changed[self._relative(path)] = None

    def list(self) -> list[str]:
        """Paths of all files, relative to the workspace, sorted."""
        root = self._snapshot.root
        found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
        over = {**self._snapshot.overlay, **self.changed}
        return sorted((found | over.keys()) - {path for path, content in over.items() if content is None})

    def print(self, text: bytes | str, *, error: bool = False) -> None:
        """Print to stdout, or to stderr."""
        stream = self.stderr if error else self.stdout
        stream.add(text.encode() if isinstance(text, str) else text)
        if stream.flooded:
            raise Flooded

    def _content(self, path: str) -> bytes | None:
        if path in self.changed:
            return self.changed[path]
        content = self._snapshot.read(path)
        return b"" if content is not None and is_masked(path, self._unmasked, self._excluded) else content

    def _relative(self, path: str) -> str:
        pure = PurePosixPath(path)
        root = PurePosixPath(self._snapshot.root)
        if pure.is_absolute() and not pure.is_relative_to(root):
            raise FileNotFoundError(path)
        relative = pure.relative_to(root) if pure.is_absolute() else self._folder / pure
        if ".." in relative.parts:
            raise FileNotFoundError(path)
        return relative.as_posix()


Program = Callable[[View, tuple[str, ...]], Awaitable[int]]
"""Takes the view and the arguments after its own name, gives the exit code (-N: ended by signal N)."""


class MemoryBackend:
    """Runs programs of a mapping, by the last part of `argv[0]`."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs

    @property
    def name(self) -> str:
        """`memory`."""
        return "memory"

    async def probe(self) -> Probe:
        """Always available, and contains nothing."""
        return Probe(available=True, level="memory", gaps=("everything: programs are trusted functions of this process",))

    async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
        """Run the program that `argv[0]` names; see `Backend.run`."""
        began = time.monotonic()
        limits = environment.limits
        if PurePosixPath(command.folder).is_absolute() or ".." in PurePosixPath(command.folder).parts:
            raise SandboxFailed(f"{command.folder!r} is not a folder inside the workspace")
        for path in snapshot.overlay:
            snapshot.check_path(path)
        view = View(snapshot, command, environment)
        seconds = limits.seconds if command.seconds is None else min(command.seconds, limits.seconds)
        ended, code = await self._run(view, command.argv, seconds)
        return Completed(
            ended=ended,
            exit_code=code,
            stdout=view.stdout.content(),
            stderr=view.stderr.content(),
            report=view.report,
            changes=_kept(view, snapshot, environment.excluded) if command.keep and code is not None else {},
            kept_all=not command.keep or code is not None,
            seconds=time.monotonic() - began,
            overflow=view.stdout.cut or view.stderr.cut,
        )

    async def warm_up(self, snapshot: Snapshot, environment: Environment, command: Command) -> str:  # noqa: ARG002  # nothing is loaded here
        """There is nothing that could be loaded."""
        return "commands in memory are not run warm"

    async def close(self) -> None:
        """Nothing is kept."""

    async def _run(self, view: View, argv: tuple[str, ...], seconds: int) -> tuple[Ended, int | None]:
        program = self._programs.get(PurePosixPath(argv[0]).name)
        if program is None:
            view.print(f"{argv[0]}: not found\n", error=True)
            return "exited", 127
        try:
            async with asyncio.timeout(seconds):
                code = await program(view, tuple(argument.replace("{report}", REPORT) for argument in argv[1:]))
        except TimeoutError:
            return "timeout", None
        except Flooded:
            return "output", None
        except OSError as error:
            view.print(f"{argv[0]}: {error}\n", error=True)
            return "exited", 1
        return ("exited" if code >= 0 else "signalled"), code


def _kept(view: View, snapshot: Snapshot, excluded: Sequence[str]) -> dict[str, bytes | None]:
    changed = {path: content for path, content in view.changed.items() if snapshot.read(path) != content}
    return {path: content for path, content in changed.items() if not is_secret(path) and not is_excluded(path, excluded)}
