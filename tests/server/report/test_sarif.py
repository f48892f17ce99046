"""The SARIF log: what was found, and fixes that give the proven text when they are applied."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_sandbox.findings import Place
from suture_sandbox.text import Position, Range, lines_with_ends
from suture_server.report.sarif import sarif

from .conftest import edit, finding

TEXT = st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "😀 = 1\n", "c\f\n", "d"]), max_size=8).map("".join)


def results(log: dict[str, Any]) -> list[dict[str, Any]]:
    (one,) = log["runs"]
    return list(one["results"])


def fixed(text: str, change: dict[str, Any]) -> str:
    """A text with the replacements of one file, as a viewer applies them: columns in UTF-16 units, lines by their ends."""
    lines = lines_with_ends(text)

    def offset(line: int, column: int) -> int:
        before = sum(map(len, lines[: line - 1]))
        rest = "".join(lines[line - 1 : line]).encode("utf-16-le")
        return before + len(rest[: 2 * (column - 1)].decode("utf-16-le"))

    for each in reversed(change["replacements"]):
        region = each["deletedRegion"]
        if "charOffset" in region:
            start = end = region["charOffset"]
        else:
            start, end = offset(region["startLine"], region["startColumn"]), offset(region["endLine"], region["endColumn"])
        text = text[:start] + each["insertedContent"]["text"] + text[end:]
    return text


def test_a_finding_and_its_proven_fix(repaired):
    found = finding(related=(Place("a.py", Range(Position(1, 4), Position(1, 9)), "total"),))
    summary, snapshot = repaired({"a b.py": "one\ntwo\n"}, (found, "fixed", (edit("a b.py", "one\ntwo\n", "one\n2\n"),)))
    log = sarif(summary, snapshot, applied=False, environment="e")
    assert (log["version"], log["runs"][0]["columnKind"]) == ("2.1.0", "utf16CodeUnits")
    assert log["runs"][0]["tool"]["driver"]["rules"] == [{"id": "AssertionError"}]
    (result,) = results(log)
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("AssertionError", 0, "error")
    assert result["message"] == {"text": "assert 4 == 3"}
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "test_a.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 10}
    assert result["relatedLocations"][0]["message"] == {"text": "total"}
    assert result["properties"] == {"check": "tests", "test": "test_a.py::test_a", "outcome": "fixed"}
    (change,) = result["fixes"][0]["artifactChanges"]
    assert unquote(change["artifactLocation"]["uri"]) == "a b.py"
    assert fixed("one\ntwo\n", change) == "one\n2\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXT, TEXT)
def test_a_fix_gives_the_proven_text(repaired, before: str, after: str):
    summary, snapshot = repaired({"a.py": before}, (finding(), "fixed", (edit("a.py", before, after),)))
    (result,) = results(sarif(summary, snapshot, applied=False, environment="e"))
    if before == after:
        assert "fixes" not in result
    else:
        (change,) = result["fixes"][0]["artifactChanges"]
        assert fixed(before, change) == after


def test_a_fix_that_was_proven_after_another_one_is_said_of_the_text_as_it_was(repaired):
    first, second, third = "a\n\n\n\nb\n", "1\n2\n3\n\n\n\nb\n", "1\n2\n3\n\n\n\nB\n"
    one, two = finding(test="t::one"), finding(test="t::two")
    summary, snapshot = repaired(
        {"a.py": first}, (one, "fixed", (edit("a.py", first, second),)), (two, "fixed", (edit("a.py", second, third),))
    )
    changed = [result["fixes"][0]["artifactChanges"][0] for result in results(sarif(summary, snapshot, applied=False, environment="e"))]
    assert [fixed(first, each) for each in changed] == [second, "a\n\n\n\nB\n"]


@pytest.mark.parametrize(
    "edits",
    [
        (edit("a.py", "a\n", None),),
        (edit("a.py", "another text\n", "b\n"),),
        (edit("a.py", "a\n", "b\n"), edit("b.py", "b\n", None)),
    ],
)
def test_what_cannot_be_said_is_left_out(repaired, edits):
    summary, snapshot = repaired({"a.py": "a\n", "b.py": "b\n"}, (finding(), "fixed", edits))
    (result,) = results(sarif(summary, snapshot, applied=False, environment="e"))
    assert "fixes" not in result
    assert result["properties"]["outcome"] == "fixed"


def test_a_new_file_is_an_insertion_at_its_beginning(repaired):
    summary, snapshot = repaired({}, (finding(), "fixed", (edit("new.py", None, "x = 1\n"),)))
    (result,) = results(sarif(summary, snapshot, applied=False, environment="e"))
    assert fixed("", result["fixes"][0]["artifactChanges"][0]) == "x = 1\n"


def test_after_applying_only_what_is_left_is_told(repaired):
    one, two = finding(test="t::one"), finding(test="t::two", severity="warning", path="", message="", code="")
    summary, snapshot = repaired({"a.py": "a\n"}, (one, "fixed", (edit("a.py", "a\n", "b\n"),)), (two, "unfixed", ()))
    (result,) = results(sarif(summary, snapshot, applied=True, environment="e"))
    assert result["properties"] == {"check": "tests", "test": "t::two", "outcome": "unfixed"}
    assert (result["level"], result["ruleId"], result["message"]) == ("warning", "tests", {"text": "tests failed"})
    assert "locations" not in result
    assert len(results(sarif(summary, snapshot, applied=False, environment="e"))) == 2
