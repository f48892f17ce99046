"""Small workspaces made on the spot, and what an environment may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_sandbox.checks import Check
from suture_sandbox.detect import Detection, detect

ALL = {"pytest": "9.2.0", "mypy": "2.4.1", "pyright": "1.1.414", "ruff": "0.17.6", "flake8": "7.1.0", "setuptools": "80.0", "build": "1.2"}
TEST = "def test_a():\n    assert True\n"


def build(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], Path]:
    """A workspace with these files."""

    def make(files: Mapping[str, str | bytes]) -> Path:
        build(tmp_path, files)
        return tmp_path

    return make


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., Detection]:
    """What is detected in a workspace with these files; `installed` defaults to every tool."""

    def make(files: Mapping[str, str | bytes], installed: Mapping[str, str] = ALL) -> Detection:
        build(tmp_path, files)
        return detect(tmp_path, installed=installed)

    return make


@pytest.fixture
def checks(found: Callable[..., Detection]) -> Callable[..., dict[str, Check]]:
    """The detected checks by name."""
    return lambda *arguments, **named: {check.name: check for check in found(*arguments, **named).checks}
