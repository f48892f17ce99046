"""Workspaces of a few files, findings about them, and a meter over the real sandbox with this interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_agent.meter import Meter
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.findings import Finding, Place
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")


@pytest.fixture
def snapshot_with(tmp_path: Path) -> Callable[[Mapping[str, str]], Snapshot]:
    def make(files: Mapping[str, str]) -> Snapshot:
        root = tmp_path / "shop"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
        return Snapshot(root)

    return make


@pytest.fixture
def finding_at() -> Callable[..., Finding]:
    """A finding at a one-based line; `frames` are (path, one-based line), outermost first."""

    def make(path: str, line: int, message: str = "assert 1 == 2", *, test: str = "", frames: tuple = (), **more) -> Finding:
        related = tuple(Place(each, _line(at)) for each, at in frames)
        code = more.pop("code", "AssertionError" if test else "E1")
        return Finding(
            check="tests" if test else "types", path=path, range=_line(line), code=code, message=message, test=test, related=related, **more
        )

    return make


def _line(line: int) -> Range:
    return Range(Position(line - 1, 0), Position(line - 1, 1))


@pytest.fixture
def own_tests() -> Check:
    return Check(name="tests", kind="tests", command=COMMAND, report="pytest", selectable=True, tool="pytest")


@pytest.fixture
async def real_meter(play, harness, told):
    """Runs commands in bubblewrap with this environment's pytest."""
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin",), readonly=(sys.prefix, sys.base_prefix))
    sandbox = Sandbox(LocalBackend(), Environment(EnvironmentFields(), runtime, Limits(seconds=60, memory_mib=512)))
    yield Meter("p", play.policy(), sandbox, harness, told)
    await sandbox.close()
