"""A backend of containers with a workspace, and what it has left with the daemon."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from suture_sandbox.environment import Environment, Limits

SMALL = Limits(seconds=20, cpu_seconds=20, memory_mib=256, processes=40, disk_mib=48, output_mib=1, open_files=256)


@pytest.fixture
def environment(image_environment: Callable[[Limits], Environment]) -> Environment:
    return image_environment(SMALL)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    return root


@pytest.fixture
def containers() -> Callable[..., list[str]]:
    """`containers(pid)`: what `_containers_of` finds."""
    return _containers_of


def _containers_of(pid: int, *, host: str = "") -> list[str]:
    """Containers, running or not, that a suture process made."""
    docker = ["docker", *(["-H", host] if host else [])]
    told = subprocess.run(
        [*docker, "ps", "-a", "--no-trunc", "--format", '{{.ID}} {{.Label "suture.owner"}}'], capture_output=True, text=True, check=True
    )
    lines = [line.split(" ", 1) for line in told.stdout.splitlines()]
    return [name for name, owner in lines if owner.split("/")[2:3] == [str(pid)]]
