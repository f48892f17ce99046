"""pytest: its JUnit report for outcomes, its text for what the report does not hold.

The report file is written when the session ends, so a run that is stopped, hangs or crashes has none. With one line a test on stdout
(`-v`, or `verbosity_test_cases=1`) the text then still tells how far it came and which test was running.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import Source, bounded, lines_of, nowhere, whole
from suture_sandbox.reports.failures import Place, failure, in_plugin
from suture_sandbox.reports.junit import SUBTESTS, parse_text
from suture_sandbox.reports.tracebacks import tracebacks

_SUMMARY = re.compile(r"^(FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS) ([^\s:][^:]{0,1000}::.+)$")
_SUBTEST = re.compile(r"^SUBFAILED.{0,300}? ([^\s:]{1,1000}\.py::.+)$")
_VERBOSE = re.compile(
    r"^([^\s:][^:]{0,1000}\.py::.{1,3000}?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: \(.{0,300}\))?\s{0,80}(?:\[ {0,3}\d{1,3}%\])?$"
)
_RUNNING = re.compile(r"^([^\s:][^:]{0,1000}\.py::\w[\w:]{0,1000}(?:\[.{0,1000}\])?) ?")
_TITLE = re.compile(r"^_+ (.*) _+$")
_CLOSING = re.compile(r"^(?:=+ )?(?:no tests ran|\d{1,9} [a-z]{1,20}[^=]{0,300}) in \d[\d.]{0,20}s")
_RAN = re.compile(r"\d (?:passed|failed|error|skipped|xfailed|xpassed)")
_ENDED = re.compile(r"^!{2,80} (KeyboardInterrupt|_pytest\.outcomes\.Exit: .{0,500}?) !{2,80}$")
_WRONG = re.compile(
    r"^(?:ERROR: |INTERNALERROR> ?|[\w ./-]{1,100}: error: |pytest\.\w{1,40}Warning: "
    r"|  [^\s:][^:]{0,1000}:\d{1,8}: PytestCollectionWarning: )(.*)$"
)
_COLLECTING = "ERROR collecting "
_OUTCOMES: dict[str, Outcome] = {
    "FAILED": "failed",
    "ERROR": "error",
    "PASSED": "passed",
    "SKIPPED": "skipped",
    "XFAIL": "xfailed",
    "XPASS": "passed",  # as in the JUnit report: it does not fail the run; a strict one is printed as FAILED
}


class Block(msgspec.Struct):
    """One titled block of the sections ERRORS and FAILURES."""

    title: str
    lines: list[str] = []


def parse(given: ReportInput) -> Report:
    """The report file where there is one, completed by the text."""
    source = Source(given)
    if not given.report.strip():
        return _from_text(given, source)
    report = parse_text(given.report, given, source)
    if report.complete and (report.findings or report.tests) and not _ended_early(lines_of(given.stdout)):
        return report
    extra = _from_text(given, source)
    known = {test.id for test in report.tests}
    return Report(
        findings=bounded((*report.findings, *(finding for finding in extra.findings if finding.test not in known))),
        tests=(*report.tests, *(test for test in extra.tests if test.id not in known)),
        complete=report.complete and (extra.complete or bool(extra.findings)),
    )


def parse_output(given: ReportInput) -> Report:
    """The text alone."""
    return _from_text(given, Source(given))


def _from_text(given: ReportInput, source: Source) -> Report:
    lines = lines_of(given.stdout)
    tests = _outcomes(lines)
    findings = _failures(lines, tests, given, source)
    ended = _ended_early(lines)
    if not ended and any(_CLOSING.match(line) for line in lines[-50:]):
        return Report(findings=bounded(findings or _nothing_ran(lines, tests, given, source)), tests=tuple(tests.values()))
    running = _running(lines, tests, source)
    findings += _stopped(running, ended, given, source) if running else _never_ran(given, source) if not findings else []
    if running:
        tests[running] = TestOutcome(id=running, outcome="error")
    return Report(findings=bounded(findings), tests=tuple(tests.values()), complete=False)


def _outcomes(lines: Iterable[str]) -> dict[str, TestOutcome]:
    """Outcomes from verbose lines and from the short summary; of several for a test the bad one counts."""
    outcomes: dict[str, TestOutcome] = {}
    for line in lines:
        if found := _VERBOSE.match(line):
            identifier, word = found[1], found[2]
        elif found := _SUMMARY.match(line):
            identifier, word = _summary_id(found[2]), found[1]
        elif found := _SUBTEST.match(line):
            identifier, word = _summary_id(found[1]), "FAILED"
        else:
            continue
        test = TestOutcome(id=identifier.strip(), outcome=_OUTCOMES[word])
        if test.id not in outcomes or not test.good:
            outcomes[test.id] = test
    return outcomes


def _summary_id(text: str) -> str:
    """The id in `id - message`: a parameter in brackets may hold the separator itself."""
    head, bracket, rest = text.partition("[")
    if not bracket or " - " in head:
        return text.partition(" - ")[0]
    closing = rest.find("] - ")
    return f"{head}[{rest[:closing]}]" if closing >= 0 else text


def _failures(lines: list[str], tests: dict[str, TestOutcome], given: ReportInput, source: Source) -> list[Finding]:
    titles: dict[str, list[str]] = {}
    for test in tests.values():
        if not test.good:
            titles.setdefault(_title(test.id), []).append(test.id)
    findings: list[Finding] = []
    for block in _blocks(lines):
        text = "\n".join(block.lines)
        if text.strip() and not SUBTESTS.match(text.strip()):
            finding = failure(text, test="", given=given, source=source)
            findings.append(_named(finding, block.title, titles, source))
    return findings


def _title(identifier: str) -> str:
    """How pytest titles the failure of a test: `Class.test[parameter]`."""
    head, bracket, rest = identifier.partition("::")[2].partition("[")
    return head.replace("::", ".") + bracket + rest


def _named(finding: Finding, title: str, titles: dict[str, list[str]], source: Source) -> Finding:
    """The finding with its test's id; tests of the same name in several files are told apart by the failure's frames, else by order."""
    for prefix in ("ERROR at setup of ", "ERROR at teardown of "):
        title = title.removeprefix(prefix)
    waiting = titles.get(title, [])[:50] or titles.get(title.split(" ", 1)[0], [])[:50]
    paths = {place.path for place in finding.related}
    test = next((each for each in waiting if each.partition("::")[0] in paths), waiting[0] if waiting else "")
    if title.startswith(_COLLECTING) and not finding.path:
        path = title.removeprefix(_COLLECTING)
        return msgspec.structs.replace(finding, path=path, range=source.line(path, 0))
    if not test or finding.path:
        return msgspec.structs.replace(finding, test=test)
    path, line = _definition(test, source)
    return msgspec.structs.replace(finding, test=test, path=path, range=source.line(path, line) if path else nowhere())


def _blocks(lines: Iterable[str]) -> list[Block]:
    blocks: list[Block] = []
    section = ""
    for line in lines:
        if line.startswith("===") and line.endswith("==="):
            section = line.strip("= ")
        elif section in ("ERRORS", "FAILURES"):
            if (title := _TITLE.match(line)) and title[1].strip("_ "):
                blocks.append(Block(title[1]))
            elif blocks:
                blocks[-1].lines.append(line)
    return blocks


def _running(lines: list[str], tests: dict[str, TestOutcome], source: Source) -> str:
    """The id of the test that was running when the output ended, empty where none was."""
    for line in reversed(lines[-200:]):
        found = _RUNNING.match(line)
        if found is not None:
            done = _VERBOSE.match(line) is not None or found[1] in tests
            return "" if done or not _definition(found[1], source)[0] else found[1]
    return ""


def _definition(identifier: str, source: Source) -> tuple[str, int]:
    """Path and line of the function that a node id names; an empty path where it is not found."""
    path, _, rest = identifier.partition("::")
    line = source.definition(path, rest.partition("[")[0].rsplit("::", 1)[-1])
    return ("", 0) if line is None else (path, line)


def _ended_early(lines: list[str]) -> str:
    """What a test said to end the whole run; pytest then writes a report as if nothing had been missing."""
    return next((found[1] for line in lines[-200:] if (found := _ENDED.match(line))), "")


def _stopped(running: str, ended: str, given: ReportInput, source: Source) -> list[Finding]:
    """A test during which the run ended: a hang, a crash of the interpreter, an exit."""
    dumps = [
        finding for finding in tracebacks(f"{given.stdout}\n{given.stderr}", given, source) if finding.code in ("Timeout", "FatalError")
    ]
    if dumps:
        said = f"{running} did not end: {dumps[-1].message}" if dumps[-1].code == "Timeout" else dumps[-1].message
        return [msgspec.structs.replace(dumps[-1], test=running, message=said)]
    path, line = _definition(running, source)
    message = f"the run ended while {running} was running" + (f": {ended}" if ended else "")
    return [failure("", test=running, given=given, source=source, message=message, at=Place(path, line))]


def _never_ran(given: ReportInput, source: Source) -> list[Finding]:
    """A run that never came to its tests: a broken conftest, an internal error, options that pytest does not know."""
    stripped = "\n".join(line.removeprefix("INTERNALERROR> ") for line in lines_of(f"{given.stdout}\n{given.stderr}"))
    begin = stripped.find("ImportError while loading conftest")
    if begin >= 0:
        return [failure(stripped[begin:], test="", given=given, source=source)]
    found = tracebacks(stripped, given, source)[-1:]
    return [in_plugin(each, given, source) for each in found] or _said_wrong(given)


def _nothing_ran(lines: list[str], tests: dict[str, TestOutcome], given: ReportInput, source: Source) -> list[Finding]:
    if tests or any(_RAN.search(line) for line in lines if _CLOSING.match(line)):
        return []
    if "INTERNALERROR>" in given.stdout:
        return _never_ran(given, source)
    return _said_wrong(given) or [whole(given, "pytest", "no tests ran", given.stdout)]


def _said_wrong(given: ReportInput) -> list[Finding]:
    text = f"{given.stdout}\n{given.stderr}"
    said = [found[1] for line in lines_of(text) if (found := _WRONG.match(line)) and found[1].strip()]
    errors = [line for line in said if not line.startswith("usage:")]
    return [whole(given, "pytest", "\n".join(errors[:6]), text.strip())] if errors else []
