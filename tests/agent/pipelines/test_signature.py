"""Stages and similarity: what kind of error something is, and when two count as the same mistake."""

from __future__ import annotations

import pytest

from suture_agent.pipelines.signature import Signature, Stage, query_text, signature_of, similar, stage_of
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range


def finding(code: str, message: str = "m", *, check: str = "tests", path: str = "a.py", line: int = 0, test: str = "") -> Finding:
    place = Range(Position(line, 0), Position(line, 1))
    return Finding(check=check, path=path, range=place, code=code, message=message, test=test)


@pytest.mark.parametrize(
    ("code", "kind", "test", "stage"),
    [
        ("SyntaxError", "tests", "", Stage.SYNTAX),
        ("SyntaxError", "build", "", Stage.SYNTAX),
        ("invalid-syntax", "lint", "", Stage.SYNTAX),
        ("syntax", "types", "", Stage.SYNTAX),
        ("ModuleNotFoundError", "tests", "", Stage.IMPORT),
        ("ImportError", "tests", "t::a", Stage.IMPORT),
        ("import-not-found", "types", "", Stage.IMPORT),
        ("NameError", "tests", "", Stage.LOAD),
        ("ValueError", "tests", "", Stage.LOAD),
        ("build-error", "build", "", Stage.LOAD),
        ("NameError", "tests", "t::a", Stage.NAME),
        ("F821", "lint", "", Stage.NAME),
        ("return-value", "types", "", Stage.TYPE),
        ("TypeError", "tests", "t::a", Stage.RUN),
        ("AssertionError", "tests", "t::a", Stage.ASSERT),
        ("Failed", "tests", "t::a", Stage.ASSERT),
        ("E501", "lint", "", Stage.STYLE),
    ],
)
def test_stage(code, kind, test, stage):
    assert stage_of(finding(code, test=test), kind) is stage


def test_signature_leaves_numbers_and_lines_out_and_names_in(tmp_path):
    (tmp_path / "a.py").write_text("class Cart:\n    def total(self):\n        return 1\n")
    found = signature_of(finding("KeyError", "KeyError: 'apple'   at 0x7f3a line 12\nmore", line=2), "tests", Snapshot(tmp_path))
    assert (found.unit, found.words) == ("Cart.total", "KeyError: 'apple' at # line #")
    moved = signature_of(finding("KeyError", "KeyError: 'apple' at 0x99 line 3", line=1), "tests", Snapshot(tmp_path))
    assert found == moved
    assert signature_of(finding("X", path=""), "lint", Snapshot(tmp_path)).unit == ""


def signature(**fields: object) -> Signature:
    base = {"check": "types", "stage": Stage.TYPE, "test": "", "path": "a.py", "unit": "f", "code": "arg-type", "words": "one"}
    return Signature(**{**base, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"words": "two"}, True),  # traded for its like in the same function
        ({}, {"words": "two", "unit": "g"}, False),
        ({}, {"path": "b.py", "unit": "g"}, True),  # the mistake has moved
        ({}, {"code": "return-value"}, False),
        ({}, {"check": "types-pyright"}, False),
        ({"test": "t::a", "stage": Stage.RUN}, {"test": "t::a", "stage": Stage.ASSERT, "code": "x", "words": "y"}, True),
        ({"test": "t::a", "stage": Stage.RUN}, {"test": "t::b", "stage": Stage.RUN, "words": "two"}, False),
        ({"stage": Stage.IMPORT}, {"stage": Stage.IMPORT, "words": "two"}, False),  # it stops: another one may come after it
        ({"stage": Stage.IMPORT}, {"stage": Stage.IMPORT, "path": "b.py"}, True),
    ],
)
def test_similar(one, other, same):
    assert similar(signature(**one), signature(**other)) is same
    assert similar(signature(**other), signature(**one)) is same


def test_query_leaves_out_what_tells_one_occurrence_from_another():
    assert query_text(finding("KeyError", "KeyError: 'apple' at line 12 of `f`")) == "KeyError KeyError: at line of"
