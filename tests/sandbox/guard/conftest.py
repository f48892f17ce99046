"""Loads the corpus's report for the tests, and builds small problems."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from suture_sandbox.findings import Finding
from suture_sandbox.guard import GuardContext, GuardFinding, GuardPolicy, inspect
from suture_sandbox.patch import patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

NAME = "guard_report"
Refused = Callable[..., tuple[GuardFinding, ...]]


@pytest.fixture(scope="session")
def report() -> ModuleType:
    """The script `report.py` as a module."""
    if NAME not in sys.modules:
        spec = importlib.util.spec_from_file_location(NAME, Path(__file__).parent / "report.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[NAME] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[NAME])
    return sys.modules[NAME]


def guard(before, after, *, test="", files=None, check="tests", code="", **policy):
    """What the guard says to one file's change, or to a mapping of files."""
    old = {"mod.py": before} if isinstance(before, str) else dict(before)
    new = {"mod.py": after} if isinstance(after, str | None) else dict(after)
    encoded = {path: text.encode() if isinstance(text, str) else text for path, text in {**old, **(files or {})}.items()}
    snapshot = Snapshot(Path("/nonexistent"), {path: text for path, text in encoded.items() if text is not None})
    edits = {path: text.encode() if isinstance(text, str) else text for path, text in new.items()}
    place = Range(Position(0, 0), Position(0, 0))
    finding = Finding(check=check, path="", range=place, message="", test=test, code=code)
    return inspect(patch_between(snapshot, edits), snapshot, GuardContext(findings=(finding,)), GuardPolicy(**policy))


@pytest.fixture
def refused() -> Refused:
    """`refused(before, after)`: the findings of the guard."""
    return guard


@pytest.fixture
def rules() -> Callable[..., set[str]]:
    """`rules(before, after)`: names of the rules that refuse."""
    return lambda *args, **kwargs: {finding.rule for finding in guard(*args, **kwargs)}
