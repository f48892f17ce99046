"""mypy's text (`--show-column-numbers --show-error-end --no-error-summary`; the last two may be missing) and its `--output=json`.

mypy's columns are exact only in ASCII: its two parsers count bytes, or code points less what is not ASCII before them. A line with other
characters is therefore reported whole.
"""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.findings import Finding, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_MESSAGE, Source, bounded, lines_of, number, relative, whole
from suture_sandbox.reports.tracebacks import tracebacks
from suture_sandbox.text import Range

_LINE = re.compile(r"^([^:]{1,1000}):(?:(\d{1,8}):(?:(\d{1,8}):(?:(\d{1,8}):(\d{1,8}):)?)?)? (error|warning|note): (.+)$")
_CODE = re.compile(r"  \[([a-z][a-z0-9-]{0,60})\]$")
_FATAL = ("mypy: ", "usage: mypy", "Can't find package")
_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "note": "information"}


class _Error(msgspec.Struct):
    """A line of `--output=json`; lines count from one and columns from zero."""

    file: str
    message: str
    line: int = 0
    column: int = 0
    severity: str = "error"
    code: str | None = None


def parse(given: ReportInput) -> Report:
    """One finding an error; notes go into the detail of the error before them."""
    source = Source(given)
    findings: list[Finding] = []
    notes: list[str] = []
    for line in lines_of(given.stdout):
        finding = _finding(_as_text(line) if line.startswith("{") else line, given, source)
        if finding is None:
            continue
        if finding.severity == "information" and findings and findings[-1].path == finding.path:
            notes.append(finding.message)
            continue
        _annotate(findings, notes)
        findings.append(finding)
    _annotate(findings, notes)
    if any(finding.severity == "error" for finding in findings):
        return Report(findings=bounded(findings))
    broken = tracebacks(f"{given.stdout}\n{given.stderr}", given, source) or _configured_wrongly(given, source) or _fatal(given)
    return Report(findings=bounded([*findings, *broken]), complete=not broken)


def _annotate(findings: list[Finding], notes: list[str]) -> None:
    if findings and notes:
        findings[-1] = msgspec.structs.replace(findings[-1], detail="\n".join(notes)[:LONGEST_MESSAGE])
    notes.clear()


def _as_text(line: str) -> str:
    """A line of JSON as the line of text that mypy would have printed."""
    try:
        said = msgspec.json.decode(line, type=_Error)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    message = said.message.replace("\n", " ")
    return f"{said.file}:{said.line}:{said.column + 1}: {said.severity}: {message}" + (f"  [{said.code}]" if said.code else "")


def _finding(line: str, given: ReportInput, source: Source) -> Finding | None:
    found = _LINE.match(line)
    if found is None or found[1] == "mypy":
        return None
    path = relative(found[1], given.root)
    code = _CODE.search(found[7])
    return Finding(
        check=given.check,
        path=path,
        range=_where(found, path, source),
        severity=_SEVERITIES[found[6]],
        code=code[1] if code else "",
        message=((found[7][: code.start()] if code else "") or found[7])[:LONGEST_MESSAGE],
    )


def _where(found: re.Match[str], path: str, source: Source) -> Range:
    row, column = number(found[2]) - 1, number(found[3]) - 1
    lines = source.lines(path)
    exact = lines is None or (0 <= row < len(lines) and lines[row].isascii())
    if not found[3] or not exact:
        return source.line(path, row)
    end = (number(found[4]) - 1, number(found[5])) if found[4] else None
    if end is not None and lines is not None and not (0 <= end[0] < len(lines) and lines[end[0]].isascii()):
        end = None
    return source.span(path, (row, column), end)


def _configured_wrongly(given: ReportInput, source: Source) -> list[Finding]:
    """Errors with a place on stderr: mypy says there what is wrong with its configuration before it begins."""
    found = (_finding(line, given, source) for line in lines_of(given.stderr))
    return [finding for finding in found if finding is not None and finding.severity == "error"]


def _fatal(given: ReportInput) -> list[Finding]:
    """Wrong options, files that cannot be read, a crash of mypy itself."""
    text = f"{given.stdout}\n{given.stderr}".strip()
    said = [line for line in lines_of(text) if line.startswith(_FATAL) or ": error: INTERNAL ERROR" in line]
    return [whole(given, "mypy", "\n".join(said[:5]), text)] if said else []
