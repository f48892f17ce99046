"""The card: what it says, and that nothing a workspace named can break out of it."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from suture_training.data.card import markdown, page
from suture_training.data.figures import Counting, measures_of
from suture_training.data.identity import Gate
from suture_training.data.svg import bars

pytest.importorskip("pyarrow")

from suture_training.data.build import Options, build
from suture_training.data.columns import message_json
from suture_training.data.rows import said

EVIL = "</script><script>alert(1)</script>|x\n# head"


@pytest.fixture
def summary(tmp_path, make_row):
    fields = {("harness", "b" * 64): {"steps": 1}, ("harness", "f" * 64): {"steps": 2}}
    given = [make_row(number, check=EVIL, policy_name="teacher", arguments="{}") for number in range(4)]
    given.append(make_row(9, harness="f" * 64))
    return build(given, tmp_path / "set", Options(kind="sft"), Gate(fields, allowed=["steps"]))


class Strict(HTMLParser):
    """Notes the elements."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]


def test_the_page_needs_nothing_else_and_holds_no_script(summary):
    strict = Strict()
    strict.feed(page(summary))
    assert "script" not in strict.seen
    assert strict.seen.count("svg") >= 8


def test_both_say_what_matters(summary, tmp_path):
    for text in (markdown(summary), page(summary), (tmp_path / "set" / "README.md").read_text()):
        for part in (summary.digest, "e" * 64, "b" * 64, "harness.steps", "teacher", "edit_file"):
            assert part in text
    assert markdown(summary).startswith("---\nconfigs:\n- config_name: default\n")
    assert "\n# head" not in markdown(summary)


def test_bars_are_well_formed_and_as_long_as_they_say():
    tree = ET.fromstring(bars(EVIL, {"<a>": 4, "b": 2, "c": 0}))
    widths = [float(each.get("width")) for each in tree.iter("rect")]
    assert widths[0] == 2 * widths[1] > widths[2] == 0
    many = ET.fromstring(bars("t", {str(number): 1 for number in range(30)}))
    assert [each.text for each in many.iter("text")][-2:] == ["14 more", "14"]
    assert bars("nothing", {})


def test_figures_add_up(make_row):
    given = [make_row(number, arguments="{}", masked=()) for number in range(3)]
    given.append(make_row(5, answer="x" * 100, prompt_tokens=5, completion_tokens=6))
    messages = [[message_json(message) for message in said(row)] for row in given]
    counting = Counting()
    counting.add(measures_of(given, messages))
    counting.add(measures_of(given, messages).kept([True, False, False, False]))
    figures = counting.figures
    assert (figures.rows, figures.learnt, figures.counts["tool"]) == (5, 5, {"edit_file": 4})
    assert (figures.tokens.least, figures.tokens.most, figures.tokens.bins) == (11, 11, {16: 1})
    assert (figures.messages.mean, figures.messages.bins) == (3.0, {4: 5})
    assert figures.counts["month"] == {"2023-11": 5}
    assert figures.answer.most > 100
