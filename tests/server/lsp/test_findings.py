"""The index of findings against one that is built from scratch."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from suture_sandbox.findings import Finding, Place
from suture_sandbox.text import Position, Range
from suture_server.lsp.documents import Document
from suture_server.lsp.findings import Findings
from suture_server.worker.wire import ProblemInfo

CHECKS = ("tests", "types", "lint")
PATHS = ("a.py", "b.py", "pkg/c.py", "")


def found(path: str, line: int, *, check: str = "tests", message: str = "wrong", last: int | None = None, **more: object) -> Finding:
    where = Range(Position(line, 0), Position(line if last is None else last, 4))
    return Finding(check=check, path=path, range=where, message=message, **more)


FINDING = st.builds(found, st.sampled_from(PATHS), st.integers(0, 3), message=st.sampled_from(["wrong", "bad"]))
STEP = st.tuples(st.just("replace"), st.sampled_from(CHECKS), st.lists(FINDING, max_size=4)) | st.tuples(
    st.just("keep"), st.lists(st.sampled_from(CHECKS), max_size=3), st.none()
)


def in_files(by_check: dict[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    built: dict[str, list[Finding]] = {}
    for findings in by_check.values():
        for each in findings:
            built.setdefault(each.path, []).append(each)
    return built


@given(st.lists(STEP, max_size=8))
def test_the_index_is_what_a_rebuild_gives(steps: list):
    findings, model = Findings(), {}
    for kind, argument, given_findings in steps:
        before = in_files(model)
        if kind == "replace":
            changed = findings.replace(argument, given_findings, {})
            model[argument] = given_findings
            after = in_files(model)
            assert changed == {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        else:
            gone = findings.keep(argument)
            assert gone == {each.path for check, known in model.items() if check not in argument for each in known}
            model = {check: known for check, known in model.items() if check in argument}
        built = in_files(model)
        assert set(findings.paths) == built.keys()
        assert {path: [each.finding for each in findings.at(path)] for path in built} == built
        assert [findings.count(check) for check in CHECKS] == [len(model.get(check, ())) for check in CHECKS]


def test_what_is_shown_elsewhere_belongs_to_what_differs():
    findings = Findings()
    there = Place("b.py", Range(Position(1, 0), Position(1, 1)), "helper")
    assert findings.replace("tests", [found("a.py", 1)], {}) == {"a.py"}
    assert findings.replace("tests", [found("a.py", 1)], {}) == set()
    assert findings.replace("tests", [found("a.py", 1, related=(there,))], {}) == {"a.py"}
    assert findings.replace("tests", [found("a.py", 1, related=(there,), detail="longer")], {}) == set()
    assert findings.replace("tests", [found("a.py", 2, related=(there,))], {}) == {"a.py"}
    assert findings.replace("tests", [], {}) == {"a.py"}


def test_problems_name_their_findings():
    findings = Findings()
    findings.replace("tests", [found("a.py", 1), found("b.py", 2), found("a.py", 3, severity="warning")], {})
    findings.replace("types", [found("a.py", 5, check="types")], {})
    findings.group("tests", [ProblemInfo(mark="one", findings=(0, 1, 9))])
    findings.group("types", [ProblemInfo(mark="two", findings=(0,))])
    assert [each.mark for each in findings.at("a.py")] == ["one", "", "two"]
    assert findings.problems["one"].paths == ("a.py", "b.py")
    assert findings.problems["two"].check == "types"
    findings.replace("tests", [found("a.py", 1)], {})
    findings.group("tests", [])
    assert list(findings.problems) == ["two"]
    assert findings.keep(["tests"]) == {"a.py"}
    assert findings.problems == {}
    assert findings.clear() == {"a.py"}
    assert list(findings.paths) == []


@given(st.integers(0, 6), st.integers(0, 6), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=6))
def test_between_has_what_touches_the_lines(first: int, last: int, places: list[tuple[int, int]]):
    first, last = sorted((first, last))
    findings = Findings()
    findings.replace("tests", [found("a.py", line, last=line + more) for line, more in places], {})
    expected = [(line, line + more) for line, more in places if set(range(line, line + more + 1)) & set(range(first, last + 1))]
    assert [(each.start.line, each.end.line) for each in findings.between("a.py", first, last)] == expected


def test_findings_follow_edits_made_while_the_check_ran():
    document = Document("file:///a.py", "python", 1, "x\ny\n")
    since = document.sequence
    document.change(change((0, 0), (0, 0), "new\n"), "utf-16")
    findings = Findings()
    findings.replace("tests", [found("a.py", 1), found("b.py", 1)], {"a.py": (document, since)})
    assert [each.start.line for each in findings.at("a.py")] == [2]
    assert [each.start.line for each in findings.at("b.py")] == [1]
    findings.move("a.py", document.change(change((0, 0), (1, 0), ""), "utf-16"))
    assert [each.range for each in findings.at("a.py")] == [Range(Position(1, 0), Position(1, 4))]
    assert findings.replace("tests", [found("a.py", 1), found("b.py", 1)], {}) == set()


def test_a_finding_whose_text_is_gone_is_empty():
    document = Document("file:///a.py", "python", 1, "abcd\nefgh\n")
    findings = Findings()
    findings.replace("tests", [found("a.py", 0)], {})
    findings.move("a.py", document.change(change((0, 0), (1, 0), ""), "utf-16"))
    (only,) = findings.at("a.py")
    assert only.start <= only.end == Position(0, 0)


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(range=types.Range(types.Position(*start), types.Position(*end)), text=text)
