"""Runs as they could have been told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from suture_agent.batch import Summary
from suture_agent.events import RepairDone
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict
from suture_server.report.gathered import Item, Run


def finding(**given: Any) -> Finding:
    fields = {"check": "tests", "path": "test_a.py", "range": Range(Position(2, 4), Position(2, 9)), "message": "assert 4 == 3"}
    return Finding(**{**fields, "code": "AssertionError", "test": "test_a.py::test_a", **given})


def edit(path: str, before: str | None, after: str | None) -> FileEdit:
    return FileEdit(path=path, before=None if before is None else before.encode(), after=None if after is None else after.encode())


def item(outcome: str = "fixed", **given: Any) -> Item:
    done = RepairDone(problem="0123456789ab", outcome=outcome, seconds=5.0, seconds_policy=3.0, seconds_sandbox=1.0, **given)  # type: ignore[arg-type]  # a word of Outcome
    return Item(check="tests", findings=(finding(),), done=done, verdicts=(Verdict(passed=True, reruns=3, fixed=("tests::test_a",)),))


def run(*items: Item, **given: Any) -> Run:
    fields = {"workspace": "shop", "began": 0.0, "seconds": 7.0, "applied": False, "environment": "e" * 64, "policy": "light"}
    return Run(**{**fields, "items": items, **given})


@pytest.fixture
def repaired(tmp_path: Path) -> Any:
    """A summary of repairs in a workspace with these files: each a finding, how it ended, and the edits of its patch."""

    def make(files: dict[str, str], *repairs: tuple[Finding, str, tuple[FileEdit, ...]]) -> tuple[Summary, Snapshot]:
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode())
        snapshot = Snapshot(tmp_path)
        results = (CheckResult(check="tests", status="failed", findings=tuple(each for each, _, _ in repairs)),)
        done = []
        for each, outcome, edits in repairs:
            problem = Problem(id="0" * 12, snapshot=snapshot, target=Target(check="tests", findings=(each,)), before=results)
            done.append(Repair(problem=problem, outcome=outcome, patch=Patch(edits)))  # type: ignore[arg-type]  # a word of Outcome
        return Summary(repairs=tuple(done), results=results, policy="light", harness="h" * 64), snapshot

    return make
