"""What the backend tests share: small programs in two forms, a workspace, an environment, and every backend behind one fixture."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from suture_sandbox.backend import Backend, Command, Completed
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.snapshot import Snapshot

SMALL = Limits(seconds=20, cpu_seconds=20, memory_mib=256, processes=40, disk_mib=48, output_mib=1, open_files=256)


async def _cat(view: View, arguments: tuple[str, ...]) -> int:
    for path in arguments:
        view.print(view.read(path))
    return 0


async def _write(view: View, arguments: tuple[str, ...]) -> int:
    view.write(arguments[0], arguments[1].encode())
    return 0


async def _remove(view: View, arguments: tuple[str, ...]) -> int:
    view.remove(arguments[0])
    return 0


async def _copy_stdin(view: View, arguments: tuple[str, ...]) -> int:
    view.print(view.stdin)
    return 0


async def _sleep(view: View, arguments: tuple[str, ...]) -> int:
    view.print("asleep\n")
    await asyncio.sleep(float(arguments[0]))
    return 0


async def _spew(view: View, arguments: tuple[str, ...]) -> int:
    view.print("first\n")
    for _ in range(int(arguments[0])):
        view.print(b"x" * 1023 + b"\n")
    view.print("last\n")
    return 0


async def _exit(view: View, arguments: tuple[str, ...]) -> int:
    return int(arguments[0])


async def _die(view: View, arguments: tuple[str, ...]) -> int:
    return -int(arguments[0])


async def _variable(view: View, arguments: tuple[str, ...]) -> int:
    view.print(view.variables.get(arguments[0], "unset"))
    return 0


async def _complain(view: View, arguments: tuple[str, ...]) -> int:
    view.print(arguments[0], error=True)
    return 1


IN_MEMORY = {
    "cat": _cat,
    "write": _write,
    "remove": _remove,
    "stdin": _copy_stdin,
    "sleep": _sleep,
    "spew": _spew,
    "exit": _exit,
    "die": _die,
    "variable": _variable,
    "complain": _complain,
}

IN_SHELL: Mapping[str, str] = {
    "cat": 'exec cat -- "$@"',
    "write": 'case "$1" in */*) mkdir -p "${1%/*}";; esac; printf %s "$2" > "$1"',
    "remove": 'rm -- "$1"',
    "stdin": "cat",
    "sleep": 'echo asleep; exec sleep "$1"',
    "spew": 'echo first; yes "$(printf %1023s | tr " " x)" | head -n "$1"; echo last',
    "exit": 'exit "$1"',
    "die": 'kill -"$1" $$',
    "variable": 'eval "printf %s \\"\\${$1-unset}\\""',
    "complain": 'printf %s "$1" >&2; exit 1',
}


@dataclass
class Bench:
    """A backend with a workspace, ready to run the programs by name."""

    backend: Backend
    snapshot: Snapshot
    environment: Environment
    argv: Callable[..., tuple[str, ...]]

    async def run(self, name: str, *arguments: str, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run one of the programs."""
        command = Command(argv=self.argv(name, *arguments), **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)

    async def sh(self, script: str, *, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run a shell script (local backend only)."""
        command = Command(argv=("/bin/sh", "-c", script), **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)

    async def python(self, code: str, *, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run Python code (local backend only)."""
        command = Command(argv=("python", "-c", code), **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)


def _make_environment(limits: Limits = SMALL) -> Environment:
    runtime = Runtime(
        python=sys.executable,
        search_path=(f"{sys.prefix}/bin", "/usr/bin", "/bin"),
        readonly=(sys.prefix, sys.base_prefix),
        variables={"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    return Environment(EnvironmentFields(), runtime, limits)


@pytest.fixture
def environment() -> Environment:
    return _make_environment()


@pytest.fixture
def make_environment() -> Callable[..., Environment]:
    return _make_environment


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "src").mkdir(parents=True)
    (root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (root / "src" / "deep.txt").write_text("deep\n")
    (root / "gone.txt").write_text("still here\n")
    (root / ".env").write_text("TOKEN=hunter2\n")
    return root


def _shell(name: str, *arguments: str) -> tuple[str, ...]:
    script = IN_SHELL.get(name)
    return (name, *arguments) if script is None else ("/bin/sh", "-c", script, name, *arguments)


def _plain(name: str, *arguments: str) -> tuple[str, ...]:
    return (name, *arguments)


@pytest.fixture(params=["memory", "local", "local-watchdog"])
async def bench(request: pytest.FixtureRequest, workspace: Path, environment: Environment) -> AsyncIterator[Bench]:
    """Every backend, and every way in which one works."""
    backend: Backend = MemoryBackend(IN_MEMORY) if request.param == "memory" else LocalBackend(control_groups=request.param == "local")
    argv = _plain if request.param == "memory" else _shell
    yield Bench(backend, Snapshot(workspace), environment, argv)
    await backend.close()


@pytest.fixture(params=["control groups", "watchdog"])
async def local(request: pytest.FixtureRequest, workspace: Path, environment: Environment) -> AsyncIterator[Bench]:
    """The local backend, with the kernel's caps where they can be had, and without."""
    backend = LocalBackend(control_groups=request.param == "control groups")
    yield Bench(backend, Snapshot(workspace), environment, _shell)
    await backend.close()
