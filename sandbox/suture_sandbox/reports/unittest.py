"""`python -m unittest -v`: outcomes from its verbose lines, failures from its tracebacks."""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import Source, bounded, lines_of
from suture_sandbox.reports.tracebacks import tracebacks

_RESULT = re.compile(r"^(\w{1,300}) \(([\w.]{1,500})\)(?:.{0,300}?) \.\.\. (ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b")
_NAME = re.compile(r"^(\w{1,300}) \(([\w.]{1,500})\)$")
_WORD = re.compile(r"^.{0,500}? \.\.\. (ok|FAIL|ERROR|skipped|expected failure|unexpected success)\b")
_TITLE = re.compile(r"^(FAIL|ERROR): (\w{1,300})(?: \(([\w.]{1,500})\))?")
_OUTCOMES: dict[str, Outcome] = {
    "ok": "passed",
    "FAIL": "failed",
    "ERROR": "error",
    "skipped": "skipped",
    "expected failure": "xfailed",
    "unexpected success": "xpassed",
}


def parse(given: ReportInput) -> Report:
    """Ids are dotted, `package.module.Class.test`, as unittest takes them on its command line."""
    source = Source(given)
    lines = lines_of(f"{given.stderr}\n{given.stdout}")
    findings: list[Finding] = []
    for identifier, block in _failures(lines):
        own = tracebacks("\n".join(block), given, source)
        findings += [msgspec.structs.replace(own[-1], test=identifier)] if own else []
    complete = any(line.startswith(("Ran ", "NO TESTS RAN")) for line in lines)
    return Report(findings=bounded(findings), tests=tuple(_outcomes(lines)), complete=complete)


def _outcomes(lines: list[str]) -> list[TestOutcome]:
    """A verbose line is `test (id) ... ok`; with a docstring the name and the outcome stand on two lines."""
    outcomes: list[TestOutcome] = []
    pending = ""
    for line in lines:
        if found := _RESULT.match(line):
            outcomes.append(TestOutcome(id=_identifier(found[1], found[2]), outcome=_OUTCOMES[found[3]]))
        elif found := _NAME.match(line):
            pending = _identifier(found[1], found[2])
        elif pending and (found := _WORD.match(line)):
            outcomes.append(TestOutcome(id=pending, outcome=_OUTCOMES[found[1]]))
            pending = ""
    return outcomes


def _failures(lines: list[str]) -> list[tuple[str, list[str]]]:
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        if found := _TITLE.match(line):
            blocks.append((_identifier(found[2], found[3] or ""), []))
        elif blocks:
            blocks[-1][1].append(line)
    return blocks


def _identifier(name: str, owner: str) -> str:
    """Python 3.11 and later print the test's name in the parentheses too."""
    return owner if owner.endswith(f".{name}") else f"{owner}.{name}" if owner else name
