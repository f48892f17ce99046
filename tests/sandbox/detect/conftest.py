"""Small workspaces made on the spot, what an environment may hold, and checks run as plain processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

import pytest

from suture_sandbox.checks import Check
from suture_sandbox.detect import Detection, detect
from suture_sandbox.reports import ReportInput
from suture_sandbox.reports.parsers import PARSERS

ALL = {"pytest": "9.2.0", "mypy": "2.4.1", "pyright": "1.1.414", "ruff": "0.17.6", "flake8": "7.1.0", "setuptools": "80.0", "build": "1.2"}
INSTALLED = {distribution.metadata["Name"].lower().replace("_", "-"): distribution.version for distribution in distributions()}
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


class Ran:
    """One check of a workspace, run."""

    def __init__(self, check, root, report_path, select=()):
        argv = [sys.executable if word == "python" else word.replace("{report}", str(report_path)) for word in (*check.command, *select)]
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "COV"))}
        done = subprocess.run(
            argv, cwd=root, capture_output=True, check=False, timeout=120, env={**variables, "PYTHONDONTWRITEBYTECODE": "1"}
        )
        self.code = done.returncode
        self.text = (done.stdout + done.stderr).decode(errors="replace")
        self.argv = argv
        self._given = ReportInput(
            check=check.name,
            root=str(root),
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace"),
            report=report_path.read_text("utf-8", "replace") if report_path.exists() else "",
            read_text=lambda path: (root / path).read_text("utf-8-sig") if (root / path).is_file() else None,
        )
        self.report = self.read(check.report)
        self.outcomes = {test.id: test.outcome for test in self.report.tests}
        self.spots = [(finding.path, finding.range.start.line + 1, finding.code) for finding in self.report.findings]

    def read(self, parser):
        """What another parser makes of it."""
        return PARSERS[parser](self._given)


@pytest.fixture
def run_check(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ran]:
    """Run the detected check of this name in a folder."""

    def start(root: Path, name: str, *, installed: Mapping[str, str] = INSTALLED, select: Sequence[str] = ()) -> Ran:
        check = next(check for check in detect(root, installed=installed).checks if check.name == name)
        assert check.selectable or not select
        return Ran(check, root, tmp_path_factory.mktemp("report") / "report", select)

    return start
