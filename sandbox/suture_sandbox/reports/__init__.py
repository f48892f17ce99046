"""Report parsers: one file each, one line each in `PARSERS`.

A parser is a plain function from what a command left behind to a `Report`. It never raises, whatever the input, and its time is linear in
the input's length: `tests/sandbox/reports` fuzzes both. A parser does not decide pass or fail; `sandbox` does, from the exit code and
the report together.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from suture_sandbox.checks import TestOutcome
from suture_sandbox.findings import Finding


class ReportInput(msgspec.Struct, frozen=True, kw_only=True):
    """What a command left behind, decoded with what is no UTF-8 replaced: findings are written as JSON, which has no lone surrogates."""

    check: str
    """Name of the check, to put into the findings."""
    root: str
    """Absolute path of the workspace inside the sandbox; findings' paths are made relative to it."""
    stdout: str = ""
    stderr: str = ""
    report: str = ""
    """Content of the report file, empty when the command writes none."""
    read_text: Callable[[str], str | None] = lambda _path: None
    """Text of a workspace file by relative path, to turn columns into UTF-16 units."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a parser understood."""

    findings: tuple[Finding, ...] = ()
    tests: tuple[TestOutcome, ...] = ()
    complete: bool = True
    """False when the report is cut off, damaged or missing: the check did not run to its end."""


Parser = Callable[[ReportInput], Report]
