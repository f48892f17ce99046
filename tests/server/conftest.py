"""The real program as a subprocess, with its own configuration, data and cache folders."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")


class Run:
    """What one run of the program gave."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of stdout; a line that is none fails the test."""
        return [json.loads(line) for line in self.out.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == name]

    @property
    def summary(self) -> dict[str, Any]:
        last = self.lines[-1]
        assert last["event"] == "summary"
        return last


@pytest.fixture
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SUTURE_", "XDG_"))}
    return {**kept, "HOME": str(home), "COLUMNS": "160"}


@pytest.fixture
def suture(environ: Mapping[str, str]) -> Callable[..., Run]:
    def run(*arguments: str | Path, folder: Path | None = None, **variables: str) -> Run:
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=folder,
            env={**environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback (most recent call last)" not in done.stderr, done.stderr
        return Run(done)

    return run


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that several tests may share: what suture knows of the interpreter, which takes a second to find out."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with one failing test of three."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text(
        "def total(prices):\n    result = 1\n    for price in prices:\n        result += price\n    return result\n"
    )
    tests = "def test_two():\n    assert total([1, 2]) == 3\n\n\ndef test_type():\n    assert isinstance(total([]), int)\n"
    (root / "test_cart.py").write_text(f"from cart import total\n\n\n{tests}")
    return root


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """A scripted policy for the direct harness: each text is one answer."""

    def write(*turns: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        path = tmp_path / "script.jsonl"
        lines = [json.dumps(header or {"name": "script", "tools": False, "prefill": True, "context": 8192})] + [
            json.dumps(turn) for turn in turns
        ]
        path.write_text("\n".join(lines) + "\n")
        return f"scripted:{path}"

    return write


@pytest.fixture
def unread(environ: Mapping[str, str]) -> Callable[..., tuple[int, str]]:
    """Run the program with a stdout that nobody reads: its exit code and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        reading, writing = os.pipe()
        os.close(reading)
        command = [*PROGRAM, *map(str, arguments)]
        done = subprocess.run(command, env=dict(environ), stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(writing)
        return done.returncode, done.stderr

    return run


def _obey_permissions() -> None:
    """Take from root, and only from it, the right to write where the mode forbids it."""
    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override)


@pytest.fixture
def unprivileged(environ: Mapping[str, str]) -> Callable[..., Run]:
    """Run the program as a user who has to obey the modes of files."""

    def run(*arguments: str | Path) -> Run:
        command = [*PROGRAM, *map(str, arguments)]
        done = subprocess.run(
            command, env=dict(environ), capture_output=True, text=True, timeout=60, check=False, preexec_fn=_obey_permissions
        )
        assert "Traceback (most recent call last)" not in done.stderr, done.stderr
        return Run(done)

    return run
