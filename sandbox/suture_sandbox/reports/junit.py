"""JUnit XML: outcomes and findings per test. Written for pytest's `xunit1` family, reads what others write too.

The parser is expat by way of `xml.parsers.expat` with entity declarations refused, so that neither entity expansion nor external entities
are possible, and it works on a stream: a report that is cut off gives the test cases that are whole, with `complete=False`.
"""

from __future__ import annotations

import re
from xml.parsers import expat

import msgspec

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import (
    LONGEST_DETAIL,
    LONGEST_MESSAGE,
    Source,
    bounded,
    cut,
    inside,
    nowhere,
    number,
    place,
    plain,
    relative,
)

_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHORT_FRAME = re.compile(r"^(\S[^\n:]{0,1000}):(\d{1,8}): in (.{1,300})$")
_LONG_FRAME = re.compile(r"^(\S[^\n:]{0,1000}):(\d{1,8}): ?([A-Za-z_][\w.]{0,200})?$")
_INNER_FRAME = re.compile(r'^E {2,}File "([^"\n]{1,1000})", line (\d{1,8})(?:, in (\S{1,200}))?')
_CLASS = re.compile(r"^([A-Za-z_][\w.]{0,200})(?::|$)")
_RAISED = re.compile(r"^[A-Za-z_][\w.]{0,200}(?:Error|Exception|Exit|Interrupt|Warning): ")
_DEEPEST = 100


class Case(msgspec.Struct):
    """A test case while it is read."""

    attributes: dict[str, str]
    outcome: Outcome = "passed"
    message: str = ""
    text: str = ""


class _Reader:
    """Collects test cases from expat's events."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.complete = False
        self._case: Case | None = None
        self._part = ""
        self._depth = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.buffer_text = True
        try:
            parser.Parse(_INVALID.sub("?", text), True)  # expat's own signature
            self.complete = bool(text.strip())
        except expat.ExpatError:
            self.complete = False

    def _entity(self, *_: object) -> None:
        raise expat.ExpatError("entity declarations are not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise expat.ExpatError("nested too deeply")
        if name == "testcase":
            self._case = Case(attributes=attributes)
        elif self._case is not None and name in ("failure", "error", "skipped"):
            self._part = name
            self._note(name, attributes)

    def _note(self, name: str, attributes: dict[str, str]) -> None:
        assert self._case is not None
        if name == "skipped":
            expected = "xfail" in attributes.get("type", "")
            self._case.outcome = "xfailed" if expected else "skipped"
        elif self._case.outcome not in ("failed", "error"):
            self._case.outcome = "failed" if name == "failure" else "error"
            self._case.message = attributes.get("message", "")

    def _text(self, data: str) -> None:
        if self._case is not None and self._part in ("failure", "error") and len(self._case.text) < 200_000:
            self._case.text += data

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "testcase" and self._case is not None:
            self.cases.append(self._case)
            self._case = None
        elif name == self._part:
            self._part = ""


def parse(given: ReportInput) -> Report:
    """Outcomes and findings of the report file, or of stdout where there is no file."""
    return parse_text(given.report or given.stdout, given, Source(given))


def parse_text(text: str, given: ReportInput, source: Source) -> Report:
    """Outcomes and findings of a JUnit document."""
    reader = _Reader()
    reader.read(text)
    tests: list[TestOutcome] = []
    findings: list[Finding] = []
    for case in reader.cases:
        identifier = node_id(case.attributes, given.root)
        collected = bool(case.attributes.get("classname")) or case.outcome != "error"
        if collected:
            tests.append(TestOutcome(id=identifier, outcome=case.outcome, seconds=_seconds(case.attributes.get("time", ""))))
        if case.outcome in ("failed", "error"):
            findings.append(_finding(case, identifier if collected else "", given, source))
    return Report(findings=bounded(findings), tests=tuple(_last_word(tests)), complete=reader.complete)


def node_id(attributes: dict[str, str], root: str) -> str:
    """Pytest's node id from a test case's attributes; `classname::name` where the report names no file."""
    name, classname = attributes.get("name", ""), attributes.get("classname", "")
    file = relative(attributes.get("file", ""), root)
    if not file:
        return f"{classname}::{name}" if classname else name
    module = file.removesuffix(".py").replace("/", ".")
    rest = classname.removeprefix(module).strip(".") if classname.startswith(module) else _behind_file(classname, file)
    return "::".join([file, *(part for part in rest.split(".") if part), name])


def frames_in(text: str, root: str) -> list[tuple[str, int, str]]:
    """(path, zero-based line, function) of the workspace's frames in a pytest failure text, outermost first."""
    frames: list[tuple[str, int, str]] = []
    for line in plain(text).split("\n"):
        found = _SHORT_FRAME.match(line) or _LONG_FRAME.match(line) or _INNER_FRAME.match(line)
        path = relative(found[1], root) if found else ""
        if found and inside(path):
            name = "" if found.re is _LONG_FRAME else (found[3] or "")
            frames.append((path, max(int(found[2]) - 1, 0), name))
    return frames


def said_in(text: str) -> list[str]:
    """What pytest's `E` lines say."""
    return [line[1:].strip() for line in plain(text).split("\n") if line.startswith("E  ")]


def failure(text: str, *, test: str, fallback: str, at: tuple[str, int], given: ReportInput, source: Source) -> Finding:
    """The finding of one failure's text; `at` is where it is put when the text names no place of the workspace."""
    frames = frames_in(text, given.root)
    said = said_in(text) or [line for line in fallback.split("\n") if line.strip()]
    if said and said[0].startswith("File "):
        said = [line for line in said if _RAISED.match(line)][-1:] or said
    path, line, _ = frames[-1] if frames else (*at, "")
    code = _CLASS.match(said[0]) if said else None
    return Finding(
        check=given.check,
        path=path,
        range=source.line(path, line) if path else nowhere(),
        code=code[1].rsplit(".", 1)[-1] if code else "AssertionError",
        message="\n".join(said[:6])[:LONGEST_MESSAGE] or f"{test or path} failed",
        test=test,
        detail=cut(plain(text), LONGEST_DETAIL),
        related=tuple(place(*frame, source) for frame in frames[-20:]),
    )


def _finding(case: Case, identifier: str, given: ReportInput, source: Source) -> Finding:
    file = relative(case.attributes.get("file", ""), given.root)
    at = (file if inside(file) else "", number(case.attributes.get("line")))
    return failure(case.text, test=identifier, fallback=case.message, at=at, given=given, source=source)


def _behind_file(classname: str, file: str) -> str:
    """Classes in a classname whose module part is written otherwise than the file: what follows the file's own name."""
    stem = file.rsplit("/", 1)[-1].removesuffix(".py")
    parts = classname.split(".")
    return ".".join(parts[parts.index(stem) + 1 :]) if stem in parts else ""


def _last_word(tests: list[TestOutcome]) -> list[TestOutcome]:
    """One outcome a test: a failed set-up or tear-down is a second case of the same name, and the bad one counts."""
    kept: dict[str, TestOutcome] = {}
    for test in tests:
        if test.id not in kept or not test.good:
            kept[test.id] = test
    return list(kept.values())


def _seconds(text: str) -> float:
    try:
        value = float(text[:30])
    except ValueError:
        return 0.0
    return value if 0.0 <= value < 1e9 else 0.0
