"""An episode as Markdown that nothing in it can break out of."""

from __future__ import annotations

import re
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
from suture_server.worker.transcripts import LONGEST, markdown

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
    steps=2,
    prompt_tokens=1,
    completion_tokens=1,
    seconds=1.25,
    files=1,
    added=1,
    removed=1,
)


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


def course(hostile: str) -> StoredCourse:
    step = OuterStep(
        check="tests", place="t", error=hostile, stage="run", why=hostile, attempt=1, candidate=hostile, outcome="reverted",
        seen="similar", reason=hostile,
    )  # fmt: skip
    fixed = OuterStep(check="lint", place="t", error="ugly", stage="style", why="it is", attempt=0, outcome="fixed")
    return StoredCourse(steps=(step, fixed), judged=(Judgement(accepted=False, reason=hostile), Judgement(accepted=True)))


def test_course_is_told_step_by_step_and_nothing_in_it_is_markdown():
    hostile = "# `x` **bold**\n\n# head"
    text = markdown(record(course=course(hostile)))
    quoted = "`` # `x` **bold** # head ``"
    told = text[text.index("## Course") : text.index("The conversation")].splitlines()
    assert told[2:] == [
        f"1. **reverted**, attempt 2, shown the fix of {quoted}: {quoted}",
        f"   - chosen because {quoted}",
        f"   - similar: {quoted}",
        "2. **fixed**, attempt 1: `ugly`",
        "   - chosen because `it is`",
        f"- judge **refused**: {quoted}",
        "- judge **accepted**",
        "",
    ]
    assert "## Course" not in markdown(record())


def test_conversation_says_who_answered():
    turn = StoredRequest(messages=(0,), choices=(Choice(text="ACCEPT"),), by="judge")
    turns = StoredTurns(messages=(Message(role="user", content="well?"),), turns=(turn,))
    assert "### judge, request 1" in markdown(record(conversation=turns))


def talk(*messages: Message, answer: str = "", calls: tuple[ToolCall, ...] = (), prefill: str = "") -> StoredTurns:
    turn = StoredRequest(messages=tuple(range(len(messages))), choices=(Choice(text=answer, tool_calls=calls),), prefill=prefill)
    return StoredTurns(messages=messages, turns=(turn,))


def blocks(text: str) -> tuple[list[str], list[str]]:
    """The contents of the code blocks as CommonMark reads them, and the lines outside of them."""
    inside: list[str] = []
    outside: list[str] = []
    fence, content = "", list[str]()
    for line in text.split("\n"):
        if fence:
            if re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}[ \t]*", line.rstrip("\r")):
                inside.append("\n".join(content))
                fence, content = "", []
            else:
                content.append(line)
        elif (opened := re.fullmatch(r"(`{3,})[^`]*", line)) is not None:
            fence = opened[1]
        else:
            outside.append(line)
    assert not fence
    return inside, outside


HOSTILE = st.text("`~ab\n #![](<>)\t\r", max_size=60)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_content_ends_its_block(asked: str, answer: str, diff: str):
    text = markdown(record(conversation=talk(Message(role="user", content=asked), answer=answer), diff=diff))
    inside, outside = blocks(text)
    assert inside == [each.rstrip("\n") for each in (asked, answer, *([diff] if diff else []))]
    assert [line for line in outside if line.startswith("### ")] == ["### user", "### policy, request 1"]


@given(st.text("`ab\n #![](<>)", max_size=40))
def test_what_stands_in_a_line_stays_in_it(hostile: str):
    finding = {"path": "a`b.py", "range": [[2, 0], [2, 1]], "message": hostile, "test": hostile}
    calls = (ToolCall(id="1", name=hostile, arguments=hostile),)
    verdict = {"passed": False, "reason": "no", "reruns": 0, "fixed": [hostile], "broken": [], "flaky": []}
    text = markdown(record(findings=[finding], verdict=verdict, conversation=talk(Message(role="user", content="x"), calls=calls)))
    _, outside = blocks(text)
    listed = [line for line in outside if line.startswith("- ")]
    assert [line[:9] for line in listed] == ["- `` a`b.", "- calls `", "- fixed: "]
    bare = [re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", line) for line in listed]
    assert [line.split() for line in bare] == [["-"], ["-", "calls", "with"], ["-", "fixed:"]]


def test_a_long_message_is_cut():
    text = markdown(record(conversation=talk(Message(role="user", content="x" * (LONGEST + 7)))))
    assert "\n… 7 characters more\n" in text
    assert len(text) < LONGEST + 1000


def test_where_only_metadata_is_kept_it_says_so():
    text = markdown(record())
    assert "The conversation was not kept (journal level `metadata`)." in text
    assert text.startswith("# Episode abc\n\ntests · **fixed**\n\n1.2 s · 2 requests · light\n")
    assert "##" not in text


def test_messages_come_once_and_several_answers_are_numbered():
    messages = (Message(role="system", content="be good"), Message(role="user", content="mend"), Message(role="user", content="again"))
    turns = StoredTurns(
        messages=messages,
        turns=(
            StoredRequest(messages=(0, 1), choices=(Choice(text="one"), Choice(text="two")), prefill="def "),
            StoredRequest(messages=(0, 1, 2), choices=(Choice(text="three"),)),
        ),
    )
    text = markdown(record(conversation=turns))
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [
        "system",
        "user",
        "policy, request 1, answer 1 of 2",
        "policy, request 1, answer 2 of 2",
        "user",
        "policy, request 2",
    ]
    assert blocks(text)[0] == ["be good", "mend", "def one", "def two", "again", "three"]
    assert "The policy was not asked." in markdown(record(conversation=StoredTurns()))


@pytest.mark.parametrize(("passed", "state"), [(True, "proven in 3 runs"), (False, "refused: too large")])
def test_verdict_and_decisions(passed: bool, state: str):
    offer = Offer(
        id="o1",
        created=0.0,
        decisions=(Decision(id="d", kind="accepted", created=0.0),),
        survivals=(Remains(moment="save", tokens=5, kept=4, created=0.0),),
    )
    verdict = {"passed": passed, "reason": "too large", "reruns": 3, "fixed": ["tests::a"], "broken": [], "flaky": []}
    line = msgspec.structs.replace(LINE, outcome="unfixed", reason="no more steps")
    text = markdown(record(line=line, verdict=verdict, offers=(offer,)))
    assert f"\n## Verdict\n\n{state}\n\n- fixed: `tests::a`\n" in text
    assert "\n## Offer o1\n\n- accepted\n- after save: 4 of 5 tokens are still there\n" in text
    assert "**unfixed**: no more steps" in text
