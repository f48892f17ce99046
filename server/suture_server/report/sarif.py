"""A SARIF 2.1.0 log (OASIS, 2020) of a run: what the checks found, and the proven fix of each finding that has one.

For whatever shows such logs: code scanning, editors' viewers, other tools of a pipeline. Paths are relative to the workspace (`%SRCROOT%`),
columns count UTF-16 units. After `--apply` only what is left is in it.

A fix is said against the text as it was found. Left out are fixes that delete a file, which SARIF cannot say, and those that touch what an
earlier fix of the run had changed: they are in .suture/patches/, to be applied in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from suture_agent.batch import Summary
from suture_agent.redact import redact
from suture_agent.repair import Repair
from suture_sandbox.align import changes
from suture_sandbox.errors import MergeConflict
from suture_sandbox.findings import Finding, Severity
from suture_sandbox.identity import identity_of
from suture_sandbox.merge import moved
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Range, lines_with_ends, units
from suture_server import __version__

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "information": "note"}
ROOT = "%SRCROOT%"

Log = dict[str, Any]


def sarif(summary: Summary, found_in: Snapshot, *, applied: bool, environment: str) -> Log:
    """The log; `found_in` is the workspace as the checks saw it."""
    repairs = {each.signature: done for done in summary.repairs for each in done.problem.findings}  # later ones have moved
    found = [each for result in summary.results for each in result.findings]
    left = [each for each in found if not (applied and _outcome(repairs.get(each.signature)) == "fixed")]
    rules = sorted({_rule(each) for each in left})
    driver = {"name": "suture", "semanticVersion": __version__, "rules": [{"id": rule} for rule in rules]}
    lost = [result for result in summary.results if result.status == "infrastructure"]
    notes = [{"level": "error", "message": {"text": f"{each.check}: {_plain(each.reason)}"}} for each in lost]
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "invocations": [{"executionSuccessful": not lost, **({"toolExecutionNotifications": notes} if notes else {})}],
        "results": [_result(each, repairs.get(each.signature), found_in, rules) for each in left],
        "properties": {"environment": environment, "harness": summary.harness, "policy": summary.policy},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> str:
    return finding.code or finding.check


def _outcome(done: Repair | None) -> str:
    return done.outcome if done is not None else ""


def _result(finding: Finding, done: Repair | None, found_in: Snapshot, rules: Sequence[str]) -> Log:
    rule = _rule(finding)
    fixes = _fixes(done.patch, found_in) if done is not None and done.outcome == "fixed" and done.patch is not None else []
    related = [_place(each.path, each.range) | _message(each.message) for each in finding.related if each.path]
    about = {"check": finding.check, "test": finding.test, "outcome": _outcome(done)}
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": LEVELS[finding.severity],
        **_message(finding.message or finding.code or f"{finding.check} failed"),
        **({"locations": [_place(finding.path, finding.range)]} if finding.path else {}),
        **({"relatedLocations": related} if related else {}),
        **({"fixes": fixes} if fixes else {}),
        "partialFingerprints": {"suture/v1": identity_of(list(finding.signature))},
        "properties": {name: value for name, value in about.items() if value},
    }


def _message(text: str) -> Log:
    return {"message": {"text": _plain(text)}} if text else {}


def _plain(text: str) -> str:
    return redact(text)[0]


def _place(path: str, where: Range) -> Log:
    region = {
        "startLine": where.start.line + 1,
        "startColumn": where.start.character + 1,
        "endLine": where.end.line + 1,
        "endColumn": where.end.character + 1,
    }
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}


def _artifact(path: str) -> Log:
    return {"uri": f"file://{quote(path)}"} if path.startswith("/") else {"uri": quote(path), "uriBaseId": ROOT}


def _fixes(patch: Patch, found_in: Snapshot) -> list[Log]:
    """The patch as one fix of the text as it was found; none where it cannot be said."""
    try:
        here = moved(patch, found_in)
    except MergeConflict:
        return []
    made = [_change(edit) for edit in here.edits]
    if not made or None in made:
        return []
    return [{"description": {"text": f"proven by suture: {', '.join(here.paths)}"}, "artifactChanges": made}]


def _change(edit: FileEdit) -> Log | None:
    try:
        before, after = (content.decode("utf-8-sig") if content is not None else None for content in (edit.before, edit.after))
    except UnicodeDecodeError:
        return None
    if after is None:
        return None
    if before is None:
        replacements: Iterable[Log] = [{"deletedRegion": {"charOffset": 0, "charLength": 0}, "insertedContent": {"text": after}}]
    else:
        replacements = _replacements(lines_with_ends(before), lines_with_ends(after))
    return {"artifactLocation": _artifact(edit.path), "replacements": list(replacements)}


def _replacements(old: Sequence[str], new: Sequence[str]) -> Iterable[Log]:
    """Whole lines in place of others; a region ends before its end column."""
    for each in changes(old, new):
        start, end = _before(old, each.start), _before(old, each.end)
        region = {"startLine": start[0], "startColumn": start[1], "endLine": end[0], "endColumn": end[1]}
        yield {"deletedRegion": region, "insertedContent": {"text": "".join(new[each.new_start : each.new_end])}}


def _before(lines: Sequence[str], number: int) -> tuple[int, int]:
    """Line and column, from 1, where that line begins; behind the last one the end of the text."""
    if number < len(lines) or not lines or lines[-1].endswith(("\n", "\r")):
        return number + 1, 1
    return len(lines), units(lines[-1]) + 1
