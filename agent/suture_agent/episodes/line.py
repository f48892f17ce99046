"""The `line` episode for the smallest policies: one unit with numbered lines, and answers that replace one piece of one line.

An answer is `NUMBER: OLD => NEW`. It is a few tokens long, so that a policy of a few million parameters can learn it and many rollouts a
second are possible: this is the preset of training runs on a CPU. It is a conversation: an answer that cannot be carried out, or whose
patch is refused, is told why, and the policy answers again while the budget of steps lasts. The place is found without running anything.
"""

from __future__ import annotations

import re
import time
from string import Template

from suture_agent.direct.localise import suspects
from suture_agent.direct.trace import Trace
from suture_agent.direct.units import Unit, splice
from suture_agent.episodes import Ending, Job
from suture_agent.errors import BudgetSpent, ContextOverflow, ToolRefused, limit_of
from suture_agent.harness import wording
from suture_agent.policies import ChatRequest, Message
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends, split_lines
from suture_sandbox.verdict import Verdict

LONGEST_MESSAGE = 160
"""Characters of the failure's first line that are shown."""

_ANSWER = re.compile(r"\s*(\d{1,5}) ?: ?(\S(?:.*?\S)?) => ?(.*?)\s*", re.DOTALL)


async def line_episode(job: Job) -> Ending:
    """Ask until a patch is proven or a budget is spent."""
    found = suspects(job.problem, job.problem.snapshot, Trace())
    if not found:
        return Ending(reason="no code of the workspace could be connected with the failure")
    unit = found[0].unit
    messages = [
        Message(role="system", content=wording(job.meter.harness, "line_system").strip()),
        Message(role="user", content=first_message(job, unit)),
    ]
    patch, verdict = Patch(), None
    while True:
        try:
            answer = await _ask(job, messages)
        except (BudgetSpent, ContextOverflow) as spent:
            why = verdict.reason if verdict is not None else "the policy gave no usable answer"
            return Ending(patch=patch if patch.edits else None, verdict=verdict, reason=f"{spent}; {why}", limit=limit_of(spent))
        messages.append(Message(role="assistant", content=answer))
        try:
            patch = replaced(job.problem.snapshot, unit, answer)
        except ToolRefused as refused:
            messages.append(Message(role="user", content=f"error: {refused}"))
            continue
        verdict = await _prove(job, patch)
        if verdict.passed:
            return Ending(patch=patch, verdict=verdict)
        messages.append(Message(role="user", content=f"refused: {_shortened(verdict.reason)}"))


def first_message(job: Job, unit: Unit) -> str:
    """The failure in two lines, and the unit with its lines numbered from 1."""
    numbered = "\n".join(f"{number} {line}" for number, line in enumerate(split_lines(unit.source.rstrip("\n")), 1))
    failure = told(job.problem.findings[0], job.problem.snapshot)
    return Template(wording(job.meter.harness, "line_problem")).safe_substitute(failure=failure, source=numbered).strip()


def told(finding: Finding, snapshot: Snapshot) -> str:
    """The line that failed and the first line of what was said about it."""
    lines = split_lines(snapshot.read_text(finding.path) or "") if finding.path else []
    at = finding.range.start.line
    said = _shortened(finding.message)
    return f"{lines[at].strip()[:LONGEST_MESSAGE]}\n{said}" if at < len(lines) else said


def replaced(snapshot: Snapshot, unit: Unit, answer: str) -> Patch:
    """The patch that an answer amounts to. Raises ToolRefused for one that says nothing that can be carried out."""
    found = _ANSWER.fullmatch(answer)
    if found is None:
        raise ToolRefused("write NUMBER: OLD => NEW")
    number, old, new = int(found[1]), found[2], found[3]
    lines = lines_with_ends(unit.source)
    if not 1 <= number <= len(lines):
        raise ToolRefused(f"there is no line {number}")
    times = lines[number - 1].count(old)
    if times != 1:
        raise ToolRefused(f"line {number} has it {times} times")
    lines[number - 1] = lines[number - 1].replace(old, new)
    text = snapshot.read_text(unit.path) or ""
    if old == new:
        raise ToolRefused("it changes nothing")
    after = splice(text, unit, "".join(lines)).encode()
    before = snapshot.read(unit.path) or b""
    mark = b"\xef\xbb\xbf"
    return patch_between(snapshot, {unit.path: mark + after if before.startswith(mark) else after})


async def _ask(job: Job, messages: list[Message]) -> str:
    harness = job.meter.harness
    sampling = harness.sampling
    request = ChatRequest(
        messages=tuple(messages),
        temperature=(sampling.temperature_milli if job.seed == 0 else sampling.explore_milli) / 1000,
        max_tokens=sampling.answer_tokens,
        seed=sampling.seed + job.seed,
        thinking=harness.thinking,
    )
    return (await job.meter.ask(request)).choices[0].text


async def _prove(job: Job, patch: Patch) -> Verdict:
    started = time.monotonic()
    verdict = await job.prove(patch)
    job.meter.step("prove", time.monotonic() - started, "proven" if verdict.passed else verdict.reason)
    return verdict


def _shortened(text: str) -> str:
    return text.strip().split("\n", 1)[0][:LONGEST_MESSAGE]
