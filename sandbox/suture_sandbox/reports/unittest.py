"""`python -m unittest -v`: outcomes from its verbose lines, failures from its tracebacks.

Ids are dotted, `package.module.Class.test`, as unittest takes them on its command line. A module that cannot be imported and a failed
`setUpClass` are findings without a test: what fails there is not a test that can be run alone.
"""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, bounded, cut, lines_of, whole
from suture_sandbox.reports.tracebacks import tracebacks

_NAMED = re.compile(r"^ {0,2}([\w.]{1,300}) \(([\w.]{1,500})\)(.{0,2000})$")
_RESULT = re.compile(r"(?:^|\.\.\. )(ok|FAIL|ERROR|skipped|expected failure|unexpected success)(?: .{0,1000})?$")
_TITLE = re.compile(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): ([\w.]{1,300})(?: \(([\w.]{1,500})\))?")
_OUTCOMES: dict[str, Outcome] = {
    "ok": "passed",
    "FAIL": "failed",
    "ERROR": "error",
    "skipped": "skipped",
    "expected failure": "xfailed",
    "unexpected success": "xpassed",
    "UNEXPECTED SUCCESS": "xpassed",
}
_NO_TESTS = ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")


class Block(msgspec.Struct):
    """One titled failure below the verbose lines."""

    word: str
    name: str
    test: str
    """Empty where what failed is no test."""
    lines: list[str] = []


def parse(given: ReportInput) -> Report:
    """Outcomes and findings; unittest prints on stderr."""
    source = Source(given)
    lines = lines_of(f"{given.stderr}\n{given.stdout}")
    outcomes = _outcomes(lines)
    blocks = _blocks(lines)
    for block in blocks:
        if block.test and (block.test not in outcomes or outcomes[block.test] == "passed"):
            outcomes[block.test] = _OUTCOMES[block.word]
    complete = any(line.startswith(("Ran ", "NO TESTS RAN")) for line in lines)
    findings = [_finding(block, given, source) for block in blocks]
    if not findings and not complete:
        findings = tracebacks(f"{given.stderr}\n{given.stdout}", given, source)
    tests = tuple(TestOutcome(id=identifier, outcome=outcome) for identifier, outcome in outcomes.items())
    return Report(findings=bounded(findings), tests=tests, complete=complete)


def _outcomes(lines: list[str]) -> dict[str, Outcome]:
    """A verbose line is `test (id) ... ok`; with a docstring, or when the test prints, the outcome stands on a later line."""
    outcomes: dict[str, Outcome] = {}
    pending = ""
    for line in lines:
        if line.startswith(("======", "Ran ")):
            break
        named = _NAMED.match(line)
        if named:
            pending = _identifier(named[1], named[2])
        result = _RESULT.search(named[3] if named else line)
        if result and pending:
            outcome = _OUTCOMES[result[1]]
            if outcomes.get(pending) not in ("failed", "error"):
                outcomes[pending] = outcome
            pending = ""
    return outcomes


def _blocks(lines: list[str]) -> list[Block]:
    """The failures: a title stands right below a double rule, so that what a test prints is never taken for one."""
    blocks: list[Block] = []
    place = "outside"
    for line in lines:
        if line.startswith("======"):
            place = "title"
        elif line.startswith("Ran "):
            place = "outside"
        elif place == "title" and (found := _TITLE.match(line)):
            blocks.append(Block(found[1], found[2], _identifier(found[2], found[3] or "")))
            place = "block"
        elif place == "block" and line.strip("-"):
            blocks[-1].lines.append(line)
    return blocks


def _finding(block: Block, given: ReportInput, source: Source) -> Finding:
    text = "\n".join(block.lines).strip()
    own = tracebacks(text, given, source)
    if not own:
        return _without_traceback(block, text, given, source)
    message = "\n".join(_behind(block.lines, own[-1].message)) or own[-1].message
    return msgspec.structs.replace(
        own[-1], test=block.test, message=message[:LONGEST_MESSAGE], detail=cut(text, LONGEST_DETAIL) or own[-1].detail
    )


def _behind(lines: list[str], last: str) -> list[str]:
    """The exception's line and what follows it: unittest's own comparison of two values."""
    first = last.split("\n", 1)[0]
    begin = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].startswith(first)), None)
    return [] if begin is None else [line for line in lines[begin:] if line.strip()][:6]


def _without_traceback(block: Block, text: str, given: ReportInput, source: Source) -> Finding:
    """An unexpected success, or a name that cannot be loaded."""
    finding = whole(
        given, "UnexpectedSuccess" if block.word.startswith("UNEXPECTED") else "LoadError", text or f"{block.word}: {block.name}"
    )
    parts = block.test.split(".")
    for length in range(min(len(parts), 20) - 1, 0, -1):
        path = "/".join(parts[:length]) + ".py"
        line = source.definition(path, block.name)
        if line is not None:
            return msgspec.structs.replace(finding, test=block.test, path=path, range=source.line(path, line))
    return msgspec.structs.replace(finding, test=block.test)


def _identifier(name: str, owner: str) -> str:
    """Python 3.11 and later print the test's name in the parentheses too. Empty for what is no test."""
    if name in _NO_TESTS or owner.startswith("unittest.loader._FailedTest"):
        return ""
    return owner if owner.endswith(f".{name}") else f"{owner}.{name}" if owner else name
