"""The teacher: a policy that is told each task's answer, and gives it in the `line` harness's words. It stands in for a stronger model.

Its episodes are run and proven like any others; what does not pass is no example. It answers from the task's gold, so it is only ever given
tasks of the training split.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from suture_agent.direct.localise import suspects
from suture_agent.direct.trace import Trace
from suture_agent.direct.units import Unit, unit_named
from suture_agent.errors import PolicyRefused
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Message, OnText, PolicyIdentity
from suture_agent.problem import enclosing
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines
from suture_training.learn.breaking import smallest_edit
from suture_training.rollout import Rollout, Site
from suture_training.tasks.task import Task


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of the teacher, as a conversation."""

    task: str
    messages: tuple[Message, ...]


class ToldTeacher:
    """Gives one answer."""

    def __init__(self, answer: str | None) -> None:
        self._answer = answer

    @property
    def capability(self) -> Capability:
        """Enough for the harness."""
        return Capability(context=32_768, tools=False, prefill=False, parallel=64)

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return PolicyIdentity(name="told-teacher", server="suture")

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """The answer; PolicyRefused where there is none."""
        started = time.monotonic()
        await asyncio.sleep(0)
        if self._answer is None:
            raise PolicyRefused("the task's mend is not one edit of one line", remedy="filter tasks by difficulty.lines")
        if on_text is not None:
            on_text(self._answer)
        return Completion(choices=(Choice(text=self._answer),) * request.candidates, seconds=time.monotonic() - started)

    async def close(self) -> None:
        """There is nothing to close."""


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """A mend that changes one line of one function."""

    line: int
    """From 1, the function's first line."""
    before: str
    """The broken line, without its indent."""
    after: str


def mend_of(task: Task, healthy: Snapshot) -> Mend | None:
    """The task's gold as such a mend; None for any other."""
    changed = _changed(task, healthy)
    unit = None if changed is None else changed.unit(task)
    if changed is None or unit is None:
        return None
    return Mend(line=changed.number - unit.start + 1, before=changed.old.strip(), after=changed.new.strip())


def gold_answer(task: Task, healthy: Snapshot) -> str | None:
    """`NUMBER: OLD => NEW` for a task whose mend one line can say; None for any other."""
    mend = mend_of(task, healthy)
    if mend is None:
        return None
    was, becomes = smallest_edit(mend.before, mend.after)
    return f"{mend.line}: {was} => {becomes}" if was and becomes and was != becomes else None  # an indent alone cannot be said


def is_shown(task: Task, site: Site) -> bool:
    """Whether the `line` harness shows the function that the mend is in: what a failure does not lead to, nobody can mend there."""
    problem = site.problem(task)
    found = suspects(problem, problem.snapshot, Trace())
    changed = _changed(task, site.healthy)
    unit = None if changed is None else changed.unit(task)
    return bool(found) and unit is not None and (found[0].unit.path, found[0].unit.start) == (unit.path, unit.start)


def conversation(rollout: Rollout) -> tuple[Message, ...]:
    """The messages of an episode that is one conversation, the last answer included."""
    last = rollout.repair.turns[-1]
    choice = last.completion.choices[0]
    return (*last.request.messages, Message(role="assistant", content=choice.text, tool_calls=choice.tool_calls))


class _Changed(msgspec.Struct, frozen=True):
    """The one line that such a gold changes."""

    number: int
    """From 0, in its file."""
    old: str
    new: str
    text: str
    """Of the whole file, broken."""

    def unit(self, task: Task) -> Unit | None:
        """The function that it is in."""
        name = enclosing(self.text, self.number)
        return unit_named(task.gold[0].path, self.text, name) if name else None


def _changed(task: Task, healthy: Snapshot) -> _Changed | None:
    """What a gold changes that changes one line; None for any other."""
    if len(task.gold) != 1 or task.gold[0].text is None:
        return None
    text = task.snapshot(healthy).read_text(task.gold[0].path) or ""
    old, new = split_lines(text), split_lines(task.gold[0].text)
    changed = [number for number, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    if len(old) != len(new) or len(changed) != 1:
        return None
    return _Changed(number=changed[0], old=old[changed[0]], new=new[changed[0]], text=text)
