"""Tools that print `path:line:col: message` and its relatives; the parser for everything without one of its own."""

from __future__ import annotations

import re

from suture_sandbox.findings import Finding, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_MESSAGE, Source, bounded, lines_of, number, relative
from suture_sandbox.reports.tracebacks import tracebacks

_COLONS = re.compile(r"^\s{0,8}([^\s:(\[][^:\n(]{0,500}):(\d{1,8})(?::(\d{1,8}))?[:,]?\s+(.+)$")
_PARENTHESES = re.compile(r"^\s{0,8}([^\s:(][^:\n(]{0,500})\((\d{1,8})(?:,(\d{1,8}))?\):\s+(.+)$")
_SEVERITY = re.compile(r"^(fatal error|error|warning|note|info|information|hint)\b[:\s]*", re.IGNORECASE)
_CODE = re.compile(r"^\(?\[?([A-Z]{1,10}-?\d{1,6})\]?\)?[:\s]+")


def parse(given: ReportInput) -> Report:
    """Lines with a place on stdout and stderr, and Python tracebacks."""
    source = Source(given)
    text = f"{given.stdout}\n{given.stderr}"
    findings = [finding for line in lines_of(text) if (finding := _finding(line, given, source)) is not None]
    return Report(findings=bounded([*findings, *tracebacks(text, given, source)]))


def _finding(line: str, given: ReportInput, source: Source) -> Finding | None:
    found = _COLONS.match(line) or _PARENTHESES.match(line)
    if found is None or "://" in found[1]:
        return None
    path, row, column = relative(found[1], given.root), number(found[2]) - 1, number(found[3]) - 1
    severity, message = _take_severity(found[4])
    code = _CODE.match(message)
    return Finding(
        check=given.check,
        path=path,
        range=source.span(path, (row, column)) if found[3] else source.line(path, row),
        severity=severity,
        code=code[1] if code else "",
        message=(message[code.end() :] if code else message)[:LONGEST_MESSAGE] or found[4][:LONGEST_MESSAGE],
    )


def _take_severity(message: str) -> tuple[Severity, str]:
    found = _SEVERITY.match(message)
    if found is None:
        return "error", message
    word = found[1].lower()
    severity: Severity = "error" if word.endswith("error") else "warning" if word == "warning" else "information"
    return severity, message[found.end() :]
