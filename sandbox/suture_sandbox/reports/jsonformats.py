"""Reports in JSON: pyright, ruff, SARIF. Each is decoded into the few fields that are used; anything else in them is ignored."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import unquote

import msgspec

from suture_sandbox.findings import Finding, Place, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import (
    LONGEST_DETAIL,
    LONGEST_MESSAGE,
    LONGEST_PATH,
    MOST_FINDINGS,
    MOST_PLACES,
    Source,
    bounded,
    lines_of,
    nowhere,
    relative,
    whole,
)
from suture_sandbox.text import Encoding


class _Point(msgspec.Struct):
    line: int = 0
    character: int = 0


class _Span(msgspec.Struct):
    start: _Point = msgspec.field(default_factory=_Point)
    end: _Point = msgspec.field(default_factory=_Point)


class _Diagnostic(msgspec.Struct):
    file: str = ""
    severity: str = "error"
    message: str = ""
    rule: str | None = None
    range: _Span | None = None


class _Pyright(msgspec.Struct, rename="camel"):
    general_diagnostics: list[_Diagnostic]


class _Location(msgspec.Struct):
    row: int = 1
    column: int = 1


class _Fix(msgspec.Struct):
    message: str | None = None
    applicability: str | None = None


class _Violation(msgspec.Struct):
    filename: str
    message: str
    code: str | None = None
    location: _Location | None = None
    end_location: _Location | None = None
    fix: _Fix | None = None


def parse_pyright(given: ReportInput) -> Report:
    """`pyright --outputjson`: zero-based UTF-16 positions."""
    source = Source(given)
    try:
        report = msgspec.json.decode(_document(given, "{"), type=_Pyright)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _unreadable(given, "pyright")
    return Report(findings=bounded(_of_pyright(each, given, source) for each in report.general_diagnostics[:MOST_FINDINGS]))


def _of_pyright(each: _Diagnostic, given: ReportInput, source: Source) -> Finding:
    path = relative(each.file, given.root)
    span = each.range
    where = (
        source.span(path, (span.start.line, span.start.character), (span.end.line, span.end.character), unit="utf-16")
        if span
        else nowhere()
    )
    return Finding(
        check=given.check,
        path=path,
        range=where,
        severity=_severity(each.severity),
        code=each.rule or "",
        message=each.message[:LONGEST_MESSAGE] or "no message",
    )


def parse_ruff(given: ReportInput) -> Report:
    """`ruff check --output-format=json`: one-based code points; ruff's own suggestion goes into the detail."""
    source = Source(given)
    try:
        violations = msgspec.json.decode(_document(given, "["), type=list[_Violation])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _unreadable(given, "ruff")
    return Report(findings=bounded(_of_ruff(each, given, source) for each in violations[:MOST_FINDINGS]))


def _of_ruff(each: _Violation, given: ReportInput, source: Source) -> Finding:
    path = relative(each.filename, given.root)
    start, end = each.location, each.end_location
    where = nowhere()
    if start is not None:
        where = source.span(path, (start.row - 1, start.column - 1), (end.row - 1, end.column - 1) if end else None)
    suggestion = f"suggested ({each.fix.applicability or 'unknown'}): {each.fix.message}" if each.fix and each.fix.message else ""
    return Finding(
        check=given.check,
        path=path,
        range=where,
        code=each.code or "syntax",
        message=each.message[:LONGEST_MESSAGE] or "no message",
        detail=suggestion[:LONGEST_DETAIL],
    )


def parse_sarif(given: ReportInput) -> Report:
    """SARIF 2.1.0, from the report file or stdout: results with their first location, the others as related places."""
    source = Source(given)
    try:
        document = msgspec.json.decode(_document(given, "{"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _unreadable(given, "sarif")
    runs = _list(_get(document, "runs"))[:MOST_FINDINGS]
    findings = (_of_sarif(result, _unit(run), given, source) for run in runs for result in _list(_get(run, "results")) if _stands(result))
    return Report(findings=bounded(findings), complete=bool(runs))


def _unit(run: object) -> Encoding:
    return "utf-16" if _get(run, "columnKind") == "utf16CodeUnits" else "utf-32"


def _stands(result: object) -> bool:
    """Whether a result is a problem: not a pass or a remark, and not suppressed."""
    return (_text(_get(result, "kind")) or "fail") in ("fail", "open", "review") and not _list(_get(result, "suppressions"))


def _of_sarif(result: object, unit: Encoding, given: ReportInput, source: Source) -> Finding:
    places = [_sarif_place(each, unit, given, source) for each in _list(_get(result, "locations"))[:MOST_PLACES]]
    related = [_sarif_place(each, unit, given, source) for each in _list(_get(result, "relatedLocations"))[:MOST_PLACES]]
    first = places[0] if places else Place("", nowhere())
    message = _get(result, "message")
    return Finding(
        check=given.check,
        path=first.path,
        range=first.range,
        severity=_severity(_text(_get(result, "level")) or "warning"),
        code=(_text(_get(result, "ruleId")) or _text(_get(_get(result, "rule"), "id")))[:200],
        message=(_text(_get(message, "text")) or _text(_get(message, "markdown")) or _text(_get(message, "id")))[:LONGEST_MESSAGE]
        or "no message",
        related=(*places[1:], *related),
    )


def _sarif_place(location: object, unit: Encoding, given: ReportInput, source: Source) -> Place:
    physical = _get(location, "physicalLocation")
    uri = _text(_get(_get(physical, "artifactLocation"), "uri"))[:LONGEST_PATH]
    path = relative(unquote(uri.removeprefix("file://")), given.root)
    said = _text(_get(_get(location, "message"), "text"))[:200]
    region = _get(physical, "region")
    row, column = _int(_get(region, "startLine")), _int(_get(region, "startColumn"))
    last_row, last_column = _int(_get(region, "endLine")) or row, _int(_get(region, "endColumn"))
    if not column:
        return Place(path, source.line(path, row - 1), said)
    end = (last_row - 1, last_column - 1) if last_column else None
    return Place(path, source.span(path, (row - 1, column - 1), end, unit=unit), said)


def _unreadable(given: ReportInput, tool: str) -> Report:
    """No whole document: what the tool said instead, such as that it cannot read its configuration."""
    said = [line.strip() for line in lines_of(given.stderr) if line.strip() and not line.startswith("warning:")]
    findings = (whole(given, tool, "\n".join(said[:6]), given.stderr),) if said else ()
    return Report(findings=findings, complete=False)


def _document(given: ReportInput, start: str) -> str:
    """The JSON of a report: tools print remarks before it."""
    text = (given.report or given.stdout).strip()
    if text.startswith(start):
        return text
    begin = text.find(f"\n{start}")
    return text[begin:] if begin >= 0 else ""


def _severity(name: str) -> Severity:
    known: dict[str, Severity] = {"error": "error", "warning": "warning"}
    return known.get(name, "information")


def _get(tree: object, key: str) -> object:
    return cast("dict[str, Any]", tree).get(key) if isinstance(tree, dict) else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]  # JSON of unknown shape


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10_000_000 else 0
