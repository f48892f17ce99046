"""The teacher: a policy that knows each task's mend and writes it in the `line` harness's words. It stands in for a stronger model.

Its episodes are run and proven like any others; what does not pass is no example. It answers from the task's gold, so it is only ever given
tasks of the training split.
"""

from __future__ import annotations

import asyncio
import time

from suture_agent.direct.units import unit_named
from suture_agent.errors import PolicyRefused
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, OnText, PolicyIdentity
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines
from suture_training.learn.breaking import smallest_edit
from suture_training.tasks.task import Task


class GoldTeacher:
    """Answers for one task."""

    def __init__(self, task: Task, healthy: Snapshot) -> None:
        self._answer = gold_answer(task, healthy)

    @property
    def capability(self) -> Capability:
        """Enough for the harness."""
        return Capability(context=32_768, tools=False, prefill=False, parallel=64)

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return PolicyIdentity(name="gold-teacher", server="suture")

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """The task's mend; PolicyRefused where one line cannot say it."""
        started = time.monotonic()
        await asyncio.sleep(0)
        if self._answer is None:
            raise PolicyRefused("the task's mend is not one edit of one line", remedy="filter tasks by difficulty.lines")
        if on_text is not None:
            on_text(self._answer)
        return Completion(choices=(Choice(text=self._answer),) * request.candidates, seconds=time.monotonic() - started)

    async def close(self) -> None:
        """There is nothing to close."""


def gold_answer(task: Task, healthy: Snapshot) -> str | None:
    """`NUMBER: OLD => NEW` for a task whose mend changes one line of one function; None for any other."""
    before = task.snapshot(healthy)
    if len(task.gold) != 1 or task.gold[0].text is None:
        return None
    path = task.gold[0].path
    old, new = split_lines(before.read_text(path) or ""), split_lines(task.gold[0].text)
    changed = [number for number, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    if len(old) != len(new) or len(changed) != 1:
        return None
    at = changed[0]
    start = _start_of_function(before, path, at)
    if start is None:
        return None
    was, becomes = smallest_edit(old[at].strip(), new[at].strip())
    return f"{at - start + 1}: {was} => {becomes}" if was and becomes else None


def _start_of_function(snapshot: Snapshot, path: str, line: int) -> int | None:
    from suture_agent.problem import enclosing

    text = snapshot.read_text(path) or ""
    name = enclosing(text, line)
    unit = unit_named(path, text, name) if name else None
    return None if unit is None else unit.start
