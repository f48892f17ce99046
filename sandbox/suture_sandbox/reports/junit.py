"""JUnit XML: outcomes and findings per test. Written for pytest's `xunit1` family, reads what others write too.

The parser is expat with entity declarations refused, so that neither entity expansion nor external entities are possible, and it works on
a stream: a report that is cut off gives the test cases that are whole, with `complete=False`.
"""

from __future__ import annotations

import re
from xml.parsers import expat

import msgspec

from suture_sandbox.checks import Outcome, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import Source, bounded, inside, number, relative
from suture_sandbox.reports.failures import Place, failure

_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SUBTESTS = re.compile(r"^contains \d{1,9} failed subtests?$")
_NOT_COLLECTED = "collection failure"
"""pytest's message for every module that it could not collect; the reason is in the text."""
_DEEPEST = 100
_LONGEST_TEXT = 200_000
_MOST_PARTS = 100


class Part(msgspec.Struct):
    """A failure or an error inside a test case."""

    message: str
    kind: str
    text: list[str] = []


class Case(msgspec.Struct):
    """A test case."""

    attributes: dict[str, str]
    outcome: Outcome = "passed"
    parts: list[Part] = []


class _Reader:
    """Collects test cases from expat's events."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.complete = False
        self._case: Case | None = None
        self._part: Part | None = None
        self._room = 0
        self._depth = 0

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.buffer_text = True
        try:
            parser.Parse(_INVALID.sub("?", text[max(text.find("<"), 0) :]), True)  # expat's own signature
            self.complete = True
        except expat.ExpatError:
            self.complete = False

    def _entity(self, *_: object) -> None:
        raise expat.ExpatError("entity declarations are not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise expat.ExpatError("nested too deeply")
        if name == "testcase":
            self._case, self._part, self._room = Case(attributes=attributes), None, _LONGEST_TEXT
        elif self._case is not None and name == "skipped":
            self._case.outcome = "xfailed" if "xfail" in attributes.get("type", "") else "skipped"
        elif self._case is not None and name in ("failure", "error") and len(self._case.parts) < _MOST_PARTS:
            self._case.outcome = "error" if name == "error" and not self._case.parts else "failed"
            self._part = Part(attributes.get("message", ""), attributes.get("type", ""))
            self._case.parts.append(self._part)

    def _text(self, data: str) -> None:
        if self._part is not None and self._room > 0:
            self._part.text.append(data[: self._room])
            self._room -= len(data)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name in ("failure", "error"):
            self._part = None
        elif name == "testcase" and self._case is not None:
            self.cases.append(self._case)
            self._case = None


def parse(given: ReportInput) -> Report:
    """Outcomes and findings of the report file, or of stdout where there is no file."""
    return parse_text(given.report or given.stdout, given, Source(given))


def parse_text(text: str, given: ReportInput, source: Source) -> Report:
    """Outcomes and findings of a JUnit document."""
    reader = _Reader()
    reader.read(text)
    names = _Names(given.root, source)
    tests: dict[str, TestOutcome] = {}
    findings: list[Finding] = []
    for case in reader.cases:
        identifier = names.of(case.attributes) if _is_test(case) else ""
        if identifier and (identifier not in tests or case.parts):
            tests[identifier] = TestOutcome(id=identifier, outcome=case.outcome, seconds=_seconds(case.attributes.get("time", "")))
        findings += _findings(case, identifier, given, source)
    return Report(findings=bounded(findings), tests=tuple(tests.values()), complete=reader.complete)


def _is_test(case: Case) -> bool:
    """Whether a case is a test: pytest reports a module that it could not collect, and its own crash, as cases too."""
    classname, name = case.attributes.get("classname", ""), case.attributes.get("name", "")
    if (classname, name) == ("pytest", "internal"):
        return False
    collected = not case.parts or case.parts[0].message not in (_NOT_COLLECTED, "collection skipped")
    return bool(name) and collected and not (not classname and case.outcome in ("error", "skipped"))


class _Names:
    """Pytest's node ids from the attributes of test cases."""

    def __init__(self, root: str, source: Source) -> None:
        self._root = root
        self._source = source
        self._known: dict[tuple[str, str], str] = {}

    def of(self, attributes: dict[str, str]) -> str:
        """The node id of a case; `classname::name` where no file of the workspace fits."""
        name, classname = attributes.get("name", ""), attributes.get("classname", "")
        key = (classname, attributes.get("file", ""))
        if key not in self._known:
            self._known[key] = self._prefix(classname, relative(key[1], self._root))
        prefix = self._known[key]
        return f"{prefix}::{name}" if prefix else name

    def _prefix(self, classname: str, file: str) -> str:
        """What stands before the test's name. The class name decides: `file` is where the function is written, maybe in a base class."""
        module = file.removesuffix(".py").replace("/", ".")
        if file and (classname == module or classname.startswith(f"{module}.")):
            return "::".join([file, *_parts(classname[len(module) :])])
        parts = classname.split(".")[:_DEEPEST]
        for length in range(len(parts), 0, -1):
            path = "/".join(parts[:length]) + ".py"
            if all(parts[:length]) and self._source.lines(path) is not None:
                return "::".join([path, *parts[length:]])
        if not file:
            return classname
        stem = file.rsplit("/", 1)[-1].removesuffix(".py")
        return "::".join([file, *(parts[parts.index(stem) + 1 :] if stem in parts else [])])


def _parts(dotted: str) -> list[str]:
    return [part for part in dotted.split(".") if part]


def _findings(case: Case, identifier: str, given: ReportInput, source: Source) -> list[Finding]:
    """One finding for each failure of a case: subtests, or a test and its tear-down."""
    file = relative(case.attributes.get("file", ""), given.root)
    at = Place(file, number(case.attributes.get("line"))) if inside(file) else Place()
    parts = [part for part in case.parts if len(case.parts) == 1 or not SUBTESTS.match(part.message)]
    return [
        failure(
            "".join(part.text),
            test=identifier,
            given=given,
            source=source,
            message="" if part.message == _NOT_COLLECTED else part.message,
            kind=part.kind,
            at=at,
        )
        for part in parts
    ]


def _seconds(text: str) -> float:
    try:
        value = float(text[:30])
    except ValueError:
        return 0.0
    return value if 0.0 <= value < 1e9 else 0.0
