"""Held-out tasks stay held out: no row of a dataset may come from one, mend one, or be about the same function of the same workspace.

Compared are task identifiers, problems that a task became, gold patches as changed lines without white space, and the functions that gold
patches change. What this does not see: the same mistake in another repository, or a gold patch told in prose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from suture_agent.direct.units import unit_at
from suture_sandbox.align import changes
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import split_lines
from suture_training.data.rows import Row
from suture_training.errors import TrainingError
from suture_training.tasks.task import Task, contents

_CHANGED = re.compile(r"^[-+].*", re.MULTILINE)
"""Lines of a diff that are added or removed, and those that name a file."""


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are compared with."""

    tasks: frozenset[str] = frozenset()
    problems: frozenset[str] = frozenset()
    patches: frozenset[bytes] = frozenset()
    places: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tasks: Iterable[Task]) -> HeldOut:
        """From the tasks that are held out."""
        kept = list(tasks)
        return cls(
            tasks=frozenset(task.id for task in kept),
            problems=frozenset(task.id[:12] for task in kept),
            patches=frozenset(changed_lines(gold_patch(task).diff()) for task in kept) - {changed_lines("")},
            places=frozenset(place for task in kept for place in places_of(task)),
        )

    @classmethod
    def read(cls, folder: Path) -> HeldOut:
        """From a task set: all its tasks that are not for training. Raises TrainingError."""
        path = folder / "tasks.jsonl"
        try:
            lines = path.read_bytes().splitlines(keepends=True)
            tasks = [msgspec.json.decode(line, type=Task) for line in lines if line.endswith(b"\n")]
        except (OSError, msgspec.DecodeError) as error:
            raise TrainingError(f"{path}: {error}", remedy="give the folder of a task set: suture tasks make makes one") from error
        return cls.of(task for task in tasks if task.split != "train")

    def leak(self, row: Row) -> str:
        """Why a row must not be trained on; empty where it may be."""
        origin = row.origin
        if origin.task in self.tasks or origin.problem in self.problems:
            return "of a held-out task"
        if self.patches and changed_lines(row.patch) in self.patches:
            return "its patch is a held-out task's"
        if self.places and not self.places.isdisjoint(origin.places):
            return "about a held-out task's function"
        return ""


def changed_lines(diff: str) -> bytes:
    """A digest of what a diff changes: names of files, and lines added and removed, without white space and without what stands around."""
    lines = "\n".join(_CHANGED.findall(diff)).encode("utf-8", "replace")
    return hashlib.sha256(lines.translate(None, b" \t\r")).digest()[:16]


def gold_patch(task: Task) -> Patch:
    """A task's gold patch over its broken text; files that were not broken are left out: their text is not in the task."""
    broken = contents(task.broken)
    return Patch(
        tuple(
            FileEdit(path=path, before=broken[path], after=after)
            for path, after in sorted(contents(task.gold).items())
            if path in broken and broken[path] != after
        )
    )


def places_of(task: Task) -> Iterator[str]:
    """`WORKSPACE:PATH:UNIT` of each function, class or module head that the gold patch changes."""
    broken: Mapping[str, bytes | None] = contents(task.broken)
    for path, after in contents(task.gold).items():
        old, new = ((text or b"").decode("utf-8", "replace") for text in (broken.get(path), after))
        for change in changes(split_lines(old), split_lines(new)):
            for line in range(change.new_start, max(change.new_end, change.new_start + 1)):
                unit = unit_at(path, new, line)
                if unit is not None:
                    yield f"{task.workspace}:{path}:{unit.name}"
