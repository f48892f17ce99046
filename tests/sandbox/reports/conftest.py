"""Recorded outputs of the real tools (`samples/`), their workspace's files, and inputs made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.parsers import PARSERS

SAMPLES = Path(__file__).parent / "samples"
ROOT = "/w"

Read = Callable[..., Report]


def files_of(case: str) -> dict[str, str]:
    """The workspace of a recorded case: `tests.unit.test_calc.py.txt` holds tests/unit/test_calc.py."""
    found: dict[str, str] = {}
    for path in sorted((SAMPLES / case).glob("*.py.txt")):
        name = path.name.removesuffix(".py.txt").replace(".", "/") + ".py"
        found[name] = path.read_bytes().decode("utf-8-sig")
    return found


@pytest.fixture
def sample() -> Callable[[str], str]:
    """Text of a recorded output, `case/file`."""
    return lambda name: (SAMPLES / name).read_text("utf-8")


@pytest.fixture
def read() -> Read:
    """Run a parser: `read("junit", "suite", report=...)`; the second argument names a recorded workspace or is one."""

    def parse(parser: str, workspace: str | Mapping[str, str] = "", **parts: str) -> Report:
        files = files_of(workspace) if isinstance(workspace, str) and workspace else workspace or {}
        assert not isinstance(files, str)
        return PARSERS[parser](ReportInput(check="c", root=ROOT, read_text=files.get, **parts))

    return parse
