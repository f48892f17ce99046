"""pytest: its JUnit report for outcomes, its text for what the report does not hold (collection, conftest and usage errors)."""

from __future__ import annotations

import re

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, bounded, cut, lines_of, nowhere
from suture_sandbox.reports.junit import failure, frames_in, parse_text, said_in
from suture_sandbox.reports.tracebacks import tracebacks

_RULE = re.compile(r"^(=|_|-){3,}[ ]?(.{0,300}?)[ ]?(=|_|-){3,}$")
_SUMMARY = re.compile(r"^(FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS) (\S+::.*?)(?: - (.*))?$")
_CLOSING = re.compile(r"^(?:=+ )?(?:\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)(?:, )?)+ in [\d.]+s")
_USAGE = re.compile(r"^(?:ERROR|INTERNALERROR|E  ?)[:> ]+(.*)$")
_OUTCOMES: dict[str, Outcome] = {
    "FAILED": "failed",
    "ERROR": "error",
    "PASSED": "passed",
    "SKIPPED": "skipped",
    "XFAIL": "xfailed",
    "XPASS": "xpassed",
}


def parse(given: ReportInput) -> Report:
    """The report file where there is one, completed by the text."""
    source = Source(given)
    if not given.report.strip():
        return _from_text(given, source)
    report = parse_text(given.report, given, source)
    if report.complete and (report.findings or report.tests):
        return report
    extra = _from_text(given, source)
    return Report(
        findings=bounded((*report.findings, *extra.findings)),
        tests=report.tests or extra.tests,
        complete=report.complete and extra.complete,
    )


def parse_output(given: ReportInput) -> Report:
    """The text alone."""
    return _from_text(given, Source(given))


def _from_text(given: ReportInput, source: Source) -> Report:
    lines = lines_of(given.stdout)
    tests = [test for line in lines if (test := _outcome(line)) is not None]
    findings = [finding for title, block in _blocks(lines) if (finding := _failure(title, block, tests, given, source)) is not None]
    complete = any(_CLOSING.match(line) for line in lines) or "no tests ran in" in given.stdout
    if not findings:
        findings = tracebacks(f"{given.stdout}\n{given.stderr}", given, source) or _usage(given)
    return Report(findings=bounded(findings), tests=tuple(tests), complete=complete)


def _outcome(line: str) -> TestOutcome | None:
    found = _SUMMARY.match(line)
    return TestOutcome(id=found[2].strip(), outcome=_OUTCOMES[found[1]]) if found else None


def _blocks(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The titled blocks of the sections ERRORS and FAILURES."""
    blocks: list[tuple[str, list[str]]] = []
    section = ""
    for line in lines:
        rule = _RULE.match(line)
        if rule and rule[1] == "=":
            section = rule[2].strip()
        elif section in ("ERRORS", "FAILURES"):
            if rule and rule[1] == "_" and rule[2].strip() not in ("", "_") and set(rule[2].strip()) != {"_", " "}:
                blocks.append((rule[2].strip(), []))
            elif blocks:
                blocks[-1][1].append(line)
    return blocks


def _failure(title: str, block: list[str], tests: list[TestOutcome], given: ReportInput, source: Source) -> Finding | None:
    text = "\n".join(block)
    if not said_in(text) and not frames_in(text, given.root):
        return None
    wanted = title.replace(".", "::")
    test = "" if title.startswith("ERROR collecting") else next((each.id for each in tests if each.id.endswith(f"::{wanted}")), "")
    return failure(text, test=test, fallback=title, at=("", 0), given=given, source=source)


def _usage(given: ReportInput) -> list[Finding]:
    """A run that never came to its tests: usage errors, internal errors, a broken conftest."""
    said = [found[1] for line in lines_of(f"{given.stdout}\n{given.stderr}") if (found := _USAGE.match(line)) and found[1].strip()]
    if not said:
        return []
    text = cut(f"{given.stdout}\n{given.stderr}".strip(), LONGEST_DETAIL)
    return [Finding(check=given.check, path="", range=nowhere(), code="pytest", message="\n".join(said[:6])[:LONGEST_MESSAGE], detail=text)]
