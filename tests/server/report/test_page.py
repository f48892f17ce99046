"""The page of a run: whole, readable, nothing in it runs, and nothing that others wrote is markup."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.batch import Summary
from suture_agent.events import ProblemDropped, ProblemFound, RepairDone, VerdictReached
from suture_sandbox.checks import CheckResult
from suture_sandbox.guard import GuardFinding
from suture_sandbox.verdict import Verdict
from suture_server.report import plots
from suture_server.report.gathered import Gathered, Run
from suture_server.report.page import page

from .conftest import finding, item, run

VOID = {"meta"}
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n--- old\n+new\n same\n"
HOSTILE = ("<script>x</script>", "<img src=x onerror=y>", "</pre><a href=x>", "<!--", "]]>", "\x1b[31mred\x1b[0m", "\x00", "\x0c")
ATTRIBUTES = {
    *("class", "lang", "charset", "http-equiv", "content", "name", "open"),
    *("viewbox", "role", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor"),
}


class Parsed(HTMLParser):
    """What a browser would see."""

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
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def inside(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag and text.strip()]


def words(text: str) -> str:
    """What a reader sees of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", text.partition("<body>")[2]).split())


def hostile_run(text: str) -> Run:
    """A run in which everything that others write is this text."""
    refused = Verdict(passed=False, reason=text, broken=(text,), guard=(GuardFinding(rule="r", path=text, message=text),))
    proof = Verdict(passed=True, reruns=3, fixed=(text,), flaky=(text,), after=(CheckResult(check=text, status="passed"),))
    found = finding(path=text, message=text, code=text, test=text, check=text)
    fixed = msgspec.structs.replace(item(reason=text), check=text, findings=(found,), verdicts=(refused, proof), diff=text)
    failed = msgspec.structs.replace(item("unfixed", reason=text), findings=(found,), verdicts=(refused,))
    return run(
        *(fixed, failed),
        workspace=text,
        policy=text,
        harness=text,
        dropped=(ProblemDropped(id=text, check=text, reason=text),),
        checks=(CheckResult(check=text, status="infrastructure", reason=text),),
    )


def test_nothing_in_it_runs_and_nothing_is_fetched():
    text = page(run(item()))
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{named}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"<script|\son\w+=|\bsrc=|\bhref=|url\(|@import|\sstyle=", text)


@given(st.text("<>&\"'/ =abscript!-\n`", min_size=1, max_size=40) | st.sampled_from(HOSTILE))
def test_nothing_that_others_wrote_is_markup(hostile: str):
    parsed = Parsed(page(hostile_run(hostile)))
    plain = Parsed(page(hostile_run("x")))
    lines = ("span",)  # a diff has one a line
    assert [tag for tag, _ in parsed.tags if tag not in lines] == [tag for tag, _ in plain.tags if tag not in lines]
    assert {name for _, attributes in parsed.tags for name in attributes} <= ATTRIBUTES
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", page(hostile_run(hostile)))


def test_what_was_fixed_how_it_was_proven_and_what_changed():
    proof = Verdict(passed=True, reruns=3, fixed=("tests::test_a.py::test_a",), after=(CheckResult(check="types", status="passed"),))
    refused = Verdict(passed=False, reason="still failing: test_a", broken=("tests::test_b",))
    fixed = msgspec.structs.replace(item(steps=2, prompt_tokens=10, completion_tokens=4), verdicts=(proof,), diff=DIFF)
    failed = msgspec.structs.replace(item("unfixed", reason="the budget is used up"), verdicts=(refused,))
    text = page(run(fixed, failed, harness="h" * 64, seconds=12.34))
    parsed, said = Parsed(text), words(text)
    assert parsed.inside("h1") == ["1 of 2 problems fixed"]
    assert "took 12.3 s" in said
    assert "in .suture/patches/ of the workspace" in said
    assert "Proven in 3 fresh runs: nothing that passed fails, the guard is silent, types passes." in said
    assert "gone: tests::test_a.py::test_a" in said
    assert "The last proposal was refused: still failing: test_a: tests::test_b" in said
    assert "5.0 s (policy 3.0, sandbox 1.0); 2 requests, 10 tokens in, 4 out" in said
    assert "not fixed : the budget is used up" in said
    lines = [attributes.get("class") for tag, attributes in parsed.tags if tag == "span"]
    classes = [each for each in lines if each in ("head", "place", "added", "removed", "same")]
    assert classes == ["head", "head", "head", "place", "removed", "added", "same"]


def test_secrets_do_not_leave():
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    leaking = msgspec.structs.replace(item(), findings=(finding(message=f"token is {token}"),), diff=f"{DIFF}+KEY = '{token}'\n")
    assert token not in page(run(leaking))
    assert "token is" in page(run(leaking))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"checks": (CheckResult(check="tests", status="passed"),)}, "All checks pass"),
        ({"checks": (CheckResult(check="tests", status="failed"),)}, "Nothing that could be worked on"),
        ({"interrupted": True}, "The run was interrupted."),
    ],
)
def test_a_run_without_problems_says_why(given: dict[str, Any], said: str):
    assert said in words(page(run(**given)))


def test_what_was_told_is_what_is_shown(tmp_path: Path):
    (tmp_path / ".suture" / "patches").mkdir(parents=True)
    (tmp_path / ".suture" / "patches" / "01.diff").write_text(DIFF)
    gathered = Gathered(tmp_path)
    proof = Verdict(passed=True, reruns=3)
    gathered.event(ProblemFound(id="a", check="tests", findings=(finding(), finding(test="test_a.py::test_b"))))
    gathered.event(VerdictReached(problem="a", verdict=proof))
    gathered.event(RepairDone(problem="a", outcome="fixed", patch=".suture/patches/01.diff"))
    gathered.event(ProblemDropped(id="b", check="tests", reason="an earlier fix mended it too"))
    gathered.event(RepairDone(problem="c", outcome="cancelled"))
    made = gathered.run(applied=False, environment="e", policy="embedded", summary=None)
    assert made.interrupted
    assert [(each.check, each.name, each.diff, each.verdicts) for each in made.items] == [
        ("tests", "test_a.py::test_a and 1 more", DIFF, (proof,)),
        ("", "problem c", "", ()),
    ]
    assert [each.id for each in made.dropped] == ["b"]
    ended = gathered.run(applied=True, environment="e", policy="embedded", summary=Summary(policy="qwen", harness="h"))
    assert (ended.interrupted, ended.policy, ended.harness) == (False, "qwen", "h")


def drawn(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg))


def test_shares_are_as_wide_as_their_numbers():
    svg = plots.shares("t", {"fixed": ("fixed", 3), "cancelled": ("cancelled", 0), "unfixed": ("not <fixed>", 1)})
    bars = [each for each in drawn(svg) if each.tag.endswith("rect")]
    assert [each.attrib["class"] for each in bars] == ["fixed", "unfixed"]
    assert [float(each.attrib["width"]) for each in bars] == [0.75 * plots.WIDTH, 0.25 * plots.WIDTH]
    assert plots.shares("t", {"fixed": ("fixed", 0)}) == ""


@given(st.lists(st.floats(0, 1e6, allow_nan=False), max_size=60), st.text(max_size=60))
def test_bars_stay_in_the_drawing_longest_first(values: list[float], name: str):
    svg = plots.bars("t", [plots.Row(name=name, parts={"policy": each, "sandbox": each / 2}) for each in values], "s")
    if 1.5 * max(values, default=0) < plots.LEAST:
        assert svg == ""
        return
    shown = [each for each in drawn(svg) if each.tag == "rect" and each.attrib["class"] == "policy"]
    widths = [float(each.attrib["width"]) for each in shown]
    assert widths == sorted(widths, reverse=True)
    assert len(widths) <= plots.MOST_ROWS
    ends = [float(each.attrib["x"]) + float(each.attrib["width"]) for each in drawn(svg) if each.tag == "rect"]
    assert max(ends) <= plots.WIDTH
    ticks = [each for each in drawn(svg) if each.tag == "line"]
    assert 3 <= len(ticks) <= 7
