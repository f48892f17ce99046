"""Transcripts as pages: readable, and nothing that was written by others is markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.journal.offers import Decision, Offer, Remains
from suture_agent.journal.queries import Line, Record
from suture_agent.journal.stored import StoredCourse, StoredRequest, StoredTurns
from suture_agent.pipelines import Judgement, OuterStep
from suture_agent.policies import Choice, Message, ToolCall
from suture_server.markup import LONGEST
from suture_server.worker.pages import page

LINE = Line(
    id="abc",
    created=0.0,
    problem="p",
    check="tests",
    outcome="fixed",
    reason="",
    workspace="/w",
    policy="light",
    environment="e" * 64,
    harness="h" * 64,
    steps=1,
    prompt_tokens=10,
    completion_tokens=2,
    seconds=1.25,
    files=1,
    added=1,
    removed=1,
)
TAGS = {"h1", "h2", "p", "strong", "span", "dl", "dt", "dd", "ul", "li", "pre", "code", "details", "summary"}


class Parsed(HTMLParser):
    """What a browser would see: tags with their attributes, and texts by the tag that they are in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def inside(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]


def record(**given_fields: Any) -> Record:
    fields: dict[str, Any] = {
        "line": LINE,
        "run": "r",
        "adapter": "",
        "seed": 0,
        "versions": {},
        "finding_count": 1,
        "snapshot": "s",
        "findings": None,
        "conversation": None,
        "diff": None,
        "redacted": False,
        "verdict": None,
        "fields": {},
        **given_fields,
    }
    return Record(**fields)


def full(hostile: str) -> Record:
    """A record with everything, in the words of others."""
    finding = {"path": hostile, "range": [[2, 0], [2, 1]], "message": hostile, "test": hostile}
    verdict = {"passed": False, "reason": hostile, "reruns": 0, "fixed": [hostile], "broken": [hostile], "flaky": []}
    turns = StoredTurns(
        messages=(Message(role="user", content=hostile),),
        turns=(
            StoredRequest(messages=(0,), choices=(Choice(text=hostile, tool_calls=(ToolCall(id="1", name=hostile, arguments=hostile),)),)),
        ),
    )
    offer = Offer(id="o", created=0.0, decisions=(Decision(id="d", kind="rejected", created=0.0, reason=hostile),))
    line = msgspec.structs.replace(LINE, reason=hostile, policy=hostile, check=hostile)
    step = OuterStep(
        check=hostile, place=hostile, error=hostile, stage=hostile, why=hostile, attempt=0, candidate=hostile or "x", outcome="kept",
        seen="different", reason=hostile or "x",
    )  # fmt: skip
    course = StoredCourse(steps=(step,), judged=(Judgement(accepted=False, reason=hostile),))
    return record(line=line, findings=[finding], verdict=verdict, conversation=turns, diff=hostile, offers=(offer,), course=course)


def test_course_is_told_step_by_step():
    parsed = Parsed(page(full("why")))
    assert "Course" in parsed.inside("h2")
    assert {"kept", "refused"} <= set(parsed.inside("strong"))
    assert {"chosen because why", "different: why"} <= set(parsed.inside("p"))
    assert "Course" not in Parsed(page(record())).inside("h2")


@given(
    st.text("<>&\"'/ =abscript!-\n`", max_size=60)
    | st.sampled_from(["<script>x</script>", "<img src=x onerror=y>", "</pre><a href=x>", "<!--", "]]>"])
)
def test_nothing_that_others_wrote_is_markup(hostile: str):
    plain = [each for each in Parsed(page(full("x"))).tags if each[0] != "span"]
    parsed = Parsed(page(full(hostile)))
    assert {tag for tag, _ in parsed.tags} <= TAGS
    assert {name for _, attributes in parsed.tags for name in attributes} <= {"class", "open"}
    if hostile:
        assert [tag for tag, _ in plain] == [tag for tag, _ in parsed.tags if tag != "span"]


def test_what_failed_what_came_of_it_and_what_was_said():
    finding = {"path": "test_a.py", "range": [[4, 0], [4, 1]], "message": "assert 4 == 3\nmore", "test": "test_a.py::test_a"}
    turns = StoredTurns(
        messages=(Message(role="system", content="be good"), Message(role="user", content="mend")),
        turns=(StoredRequest(messages=(0, 1), choices=(Choice(text="two"),), prefill="def "),),
    )
    verdict = {"passed": True, "reason": "", "reruns": 3, "fixed": ["tests::a"], "broken": [], "flaky": []}
    offer = Offer(
        id="o1",
        created=0.0,
        decisions=(Decision(id="d", kind="accepted_with_edits", created=0.0),),
        survivals=(Remains(moment="save", tokens=5, kept=4, created=0.0),),
    )
    diff = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-old\n+new\n"
    parsed = Parsed(page(record(findings=[finding], verdict=verdict, conversation=turns, diff=diff, offers=(offer,))))
    assert parsed.inside("h1") == ["Repair of tests"]
    assert parsed.inside("h2") == ["What failed", "What became of it", "Patch", "Verdict", "Conversation"]
    assert parsed.inside("code") == ["test_a.py:5", "test_a.py::test_a", "tests::a"]
    assert parsed.inside("summary") == ["system", "user", "policy, request 1"]
    assert "assert 4 == 3\nmore" in parsed.inside("pre")
    assert "def two" in parsed.inside("pre")
    assert "Proven in 3 runs." in parsed.inside("p")
    assert [each for each in parsed.inside("li") if each.strip()] == [
        "accepted with edits",
        "after save: 4 of 5 tokens are still there",
        "fixed: ",
    ]
    classes = [attributes["class"] for tag, attributes in parsed.tags if tag == "span"]
    assert classes == ["head", "head", "head", "place", "removed", "added"]
    folded = [attributes for tag, attributes in parsed.tags if tag == "details"]
    assert folded == [{}, {}, {"open": None}]


def test_a_long_message_is_cut():
    turns = StoredTurns(messages=(Message(role="user", content="x" * (LONGEST + 7)),), turns=(StoredRequest(messages=(0,), choices=()),))
    text = page(record(conversation=turns))
    assert "\n… 7 characters more" in text
    assert len(text) < LONGEST + 2000


@pytest.mark.parametrize(("conversation", "said"), [(None, "It was not kept"), (StoredTurns(), "The policy was not asked.")])
def test_where_nothing_was_said_it_says_so(conversation: StoredTurns | None, said: str):
    assert said in page(record(conversation=conversation))
