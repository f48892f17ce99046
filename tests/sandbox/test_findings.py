"""What makes two findings of two runs the same problem."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.findings import Finding, Place
from suture_sandbox.text import Position, Range

HERE = Range(Position(1, 2), Position(1, 5))
BASE = Finding(check="types", path="a.py", range=HERE, code="arg-type", message="Argument 1 has type 3")


@pytest.mark.parametrize(
    "change",
    [
        {"range": Range(Position(9, 0), Position(9, 1))},
        {"message": "Argument 2 has type 41"},
        {"detail": "longer"},
        {"related": (Place("b.py", HERE, "f"),)},
        {"severity": "warning"},
    ],
)
def test_the_signature_survives_what_moves(change):
    assert msgspec.structs.replace(BASE, **change).signature == BASE.signature


@pytest.mark.parametrize("change", [{"check": "lint"}, {"path": "b.py"}, {"code": "misc"}, {"message": "Something else"}, {"test": "t"}])
def test_the_signature_tells_other_problems_apart(change):
    assert msgspec.structs.replace(BASE, **change).signature != BASE.signature


@given(first=st.text(max_size=40), second=st.text(max_size=40))
def test_a_failing_test_is_one_problem_whatever_it_says(first, second):
    one = Finding(check="tests", path="t.py", range=HERE, message=first, test="t.py::test_a")
    other = Finding(check="tests", path="t.py", range=HERE, message=second, test="t.py::test_a", code="KeyError")
    assert one.signature == other.signature


def test_addresses_in_messages_do_not_matter():
    one = msgspec.structs.replace(BASE, message="<f at 0x7f12ab> is 1")
    assert one.signature == msgspec.structs.replace(BASE, message="<f at 0x55aa> is 22").signature


def test_findings_are_values():
    assert hash(BASE) == hash(msgspec.structs.replace(BASE))
    with pytest.raises(AttributeError):
        BASE.path = "other.py"  # type: ignore[misc]  # that it is refused is what is tested
    assert msgspec.json.decode(msgspec.json.encode(BASE), type=Finding) == BASE
