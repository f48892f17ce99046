"""mypy's text (`--show-column-numbers --no-error-summary`, with or without `--show-error-end`)."""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.findings import Finding, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_MESSAGE, Source, bounded, lines_of, nowhere, number, relative
from suture_sandbox.reports.tracebacks import tracebacks

_LINE = re.compile(r"^(.{1,1000}?):(\d{1,8})(?::(\d{1,8}))?(?::(\d{1,8}):(\d{1,8}))?: (error|warning|note): (.*)$")
_CODE = re.compile(r"^(.*)  \[([a-z][a-z0-9-]{0,60})\]$")
_FATAL = re.compile(r"^(?:mypy: (?:error: )?|.*INTERNAL ERROR)(.*)$")
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "note": "information"}


def parse(given: ReportInput) -> Report:
    """One finding an error; notes go into the detail of the error before them."""
    source = Source(given)
    findings: list[Finding] = []
    for line in lines_of(given.stdout):
        finding = _finding(line, given, source)
        if finding is None:
            continue
        if finding.severity == "information" and findings and findings[-1].path == finding.path:
            before = findings[-1]
            findings[-1] = msgspec.structs.replace(before, detail=f"{before.detail}\n{finding.message}".strip()[:LONGEST_MESSAGE])
        else:
            findings.append(finding)
    if any(finding.severity == "error" for finding in findings):
        return Report(findings=bounded(findings))
    crashed = tracebacks(given.stderr, given, source) + _fatal(given)
    return Report(findings=bounded([*findings, *crashed]), complete=not crashed)


def _finding(line: str, given: ReportInput, source: Source) -> Finding | None:
    found = _LINE.match(line)
    if found is None:
        return None
    path, row, column = relative(found[1], given.root), number(found[2]) - 1, number(found[3]) - 1
    end = (number(found[4]) - 1, number(found[5])) if found[4] else None
    said = _CODE.match(found[7])
    return Finding(
        check=given.check,
        path=path,
        range=source.span(path, (row, column), end) if found[3] else source.line(path, row),
        severity=_SEVERITIES[found[6]],
        code=said[2] if said else "",
        message=(said[1] if said else found[7])[:LONGEST_MESSAGE],
    )


def _fatal(given: ReportInput) -> list[Finding]:
    said = [found[0] for line in lines_of(f"{given.stdout}\n{given.stderr}") if (found := _FATAL.match(line))]
    return [Finding(check=given.check, path="", range=nowhere(), code="mypy", message=line[:LONGEST_MESSAGE]) for line in said[:5]]
