"""Reports in JSON: pyright, ruff, SARIF. Each is decoded into the few fields that are used; anything else in them is ignored."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from suture_sandbox.findings import Finding, Place, Severity
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, MOST_FINDINGS, Source, bounded, nowhere, relative
from suture_sandbox.text import Range


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
        return Report(complete=False)
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
        message=each.message[:LONGEST_MESSAGE],
    )


def parse_ruff(given: ReportInput) -> Report:
    """`ruff check --output-format=json`: one-based code points; ruff's own suggestion goes into the detail."""
    source = Source(given)
    try:
        violations = msgspec.json.decode(_document(given, "["), type=list[_Violation])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Report(complete=False)
    return Report(findings=bounded(_of_ruff(each, given, source) for each in violations[:MOST_FINDINGS]))


def _of_ruff(each: _Violation, given: ReportInput, source: Source) -> Finding:
    path = relative(each.filename, given.root)
    start, end = each.location, each.end_location
    where = nowhere()
    if start is not None:
        where = source.span(path, (start.row - 1, start.column - 1), (end.row - 1, end.column - 1) if end else None)
    suggestion = f"suggested: {each.fix.message}" if each.fix is not None and each.fix.message else ""
    return Finding(
        check=given.check,
        path=path,
        range=where,
        code=each.code or "syntax",
        message=each.message[:LONGEST_MESSAGE],
        detail=suggestion[:LONGEST_DETAIL],
    )


def parse_sarif(given: ReportInput) -> Report:
    """SARIF 2.1.0, from the report file or stdout: results with their first location, the others as related places."""
    source = Source(given)
    try:
        document = msgspec.json.decode(_document(given, "{"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Report(complete=False)
    runs = _list(_get(document, "runs"))
    results = [result for run in runs for result in _list(_get(run, "results"))][:MOST_FINDINGS]
    return Report(findings=bounded(_of_sarif(result, given, source) for result in results), complete=bool(runs))


def _of_sarif(result: object, given: ReportInput, source: Source) -> Finding:
    places = [_sarif_place(each, given, source) for each in _list(_get(result, "locations"))[:20]]
    related = [_sarif_place(each, given, source) for each in _list(_get(result, "relatedLocations"))[:20]]
    path, where = places[0] if places else ("", nowhere())
    return Finding(
        check=given.check,
        path=path,
        range=where,
        severity=_severity(_text(_get(result, "level")) or "warning"),
        code=_text(_get(result, "ruleId"))[:200],
        message=_text(_get(_get(result, "message"), "text"))[:LONGEST_MESSAGE] or "no message",
        related=tuple(Place(path=each, range=span) for each, span in [*places[1:], *related]),
    )


def _sarif_place(location: object, given: ReportInput, source: Source) -> tuple[str, Range]:
    physical = _get(location, "physicalLocation")
    path = relative(_text(_get(_get(physical, "artifactLocation"), "uri")).removeprefix("file://"), given.root)
    region = _get(physical, "region")
    row, column = _int(_get(region, "startLine")), _int(_get(region, "startColumn"))
    last_row, last_column = _int(_get(region, "endLine")) or row, _int(_get(region, "endColumn"))
    if not column:
        return path, source.line(path, row - 1)
    end = (last_row - 1, last_column - 1) if last_column else None
    return path, source.span(path, (row - 1, column - 1), end, unit="utf-16")


def _document(given: ReportInput, start: str) -> str:
    """The JSON of a report: tools print remarks before it."""
    text = given.report or given.stdout
    begin = text.find(start)
    return text[begin:] if begin >= 0 else ""


def _severity(name: str) -> Severity:
    known: dict[str, Severity] = {"error": "error", "warning": "warning"}
    return known.get(name, "information")


def _get(tree: object, key: str) -> object:
    return cast("dict[str, Any]", tree).get(key) if isinstance(tree, dict) else None


def _list(value: object) -> list[Any]:
    return [*cast("list[Any]", value)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 10_000_000 else 0
