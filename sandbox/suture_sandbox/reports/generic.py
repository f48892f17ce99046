"""Tools that print `path:line:col: message` and its relatives; the parser for everything without one of its own."""

from __future__ import annotations

import re

from suture_sandbox.findings import Finding, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_MESSAGE, Source, bounded, lines_of, number, relative
from suture_sandbox.reports.tracebacks import tracebacks

_COLONS = re.compile(r"^ {0,8}([^\s:(\[<][^:\n(]{0,500}):(\d{1,8})(?::(\d{1,8}))?(?::|,|(?= )) {0,4}(.+)$")
_PARENTHESES = re.compile(r"^ {0,8}([^\s:(\[<][^:\n(]{0,500})\((\d{1,8})(?:,(\d{1,8}))?\) ?: (.+)$")
_QUOTED = re.compile(r'^ {0,8}File "([^"]{1,500})", line (\d{1,8})(?:, (?:column|col|char) (\d{1,8}))?[:,] (?!in )(.+)$')
_SEVERITY = re.compile(r"^\[?(fatal error|fatal|error|err|warning|warn|note|info|information|hint)\b\]?[:\s]{0,4}", re.IGNORECASE)
_CODE = re.compile(r"^[(\[]?([A-Z][A-Za-z]{0,9}-?\d{1,6})[)\]]?(?::|\s)\s*")
_TRAILING_CODE = re.compile(r" [(\[]([a-z][a-z0-9-]{2,60}|[A-Z]{1,5}\d{2,6})[)\]]$")
_PATH = re.compile(r"[./\\]")


def parse(given: ReportInput) -> Report:
    """Lines with a place on stdout and stderr, and Python tracebacks."""
    source = Source(given)
    text = f"{given.report}\n{given.stdout}\n{given.stderr}"
    findings = [finding for line in lines_of(text) if (finding := _finding(line, given, source)) is not None]
    return Report(findings=bounded([*findings, *tracebacks(text, given, source)]))


def _finding(line: str, given: ReportInput, source: Source) -> Finding | None:
    found = _COLONS.match(line) or _PARENTHESES.match(line) or _QUOTED.match(line)
    if found is None or not _PATH.search(found[1]) or "://" in line[: found.end(2) + 3]:
        return None
    path, row = relative(found[1], given.root), number(found[2]) - 1
    severity, message = _take_severity(found[4])
    code = _CODE.match(message)
    trailing = None if code else _TRAILING_CODE.search(message[-80:])
    message = message[code.end() :] if code else message
    return Finding(
        check=given.check,
        path=path,
        range=source.span(path, (row, number(found[3]) - 1)) if number(found[3]) else source.line(path, row),
        severity=severity,
        code=code[1] if code else trailing[1] if trailing else "",
        message=message.strip()[:LONGEST_MESSAGE] or line.strip()[:LONGEST_MESSAGE],
    )


def _take_severity(message: str) -> tuple[Severity, str]:
    found = _SEVERITY.match(message)
    if found is None:
        return "error", message
    word = found[1].lower()
    severity: Severity = "error" if word.startswith(("err", "fatal")) else "warning" if word.startswith("warn") else "information"
    return severity, message[found.end() :]
