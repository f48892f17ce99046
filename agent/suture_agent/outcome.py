"""What becomes of a finished repair: the files that it is written to, and the event that tells it."""

from __future__ import annotations

import msgspec

from suture_agent.apply import apply, is_full, write_diff
from suture_agent.events import RepairDone
from suture_agent.repair import Repair
from suture_sandbox.errors import PatchError


def written(done: Repair, number: int, *, apply_: bool) -> tuple[Repair, str]:
    """Write a proven patch as the fix of that number, and apply it where that is asked for; returns the repair, and the diff's path.

    What cannot be written is no fix of this workspace.
    """
    if done.outcome != "fixed" or done.patch is None:
        return done, ""
    root, path = done.problem.snapshot.root, ""
    try:
        path = write_diff(root, f"{number:02d}-{done.problem.check}-{done.problem.id[:8]}", done.patch)
        if apply_:
            apply(root, done.patch)
    except PatchError as error:
        return msgspec.structs.replace(done, outcome="unfixed", reason=f"proven, but not applied: {error}"), path
    except OSError as error:
        why = f"the disk that holds {root} is full; make room, then: suture fix --resume" if is_full(error) else str(error)
        return msgspec.structs.replace(done, outcome="infrastructure", reason=f"proven, but not written: {why}"), path
    return done, path


def told(done: Repair, path: str) -> RepairDone:
    """The event; `path` is that of the written diff."""
    added, removed = done.patch.counts if done.outcome == "fixed" and done.patch else (0, 0)
    return RepairDone(
        problem=done.problem.id,
        outcome=done.outcome,
        patch=path,
        files=done.patch.paths if done.outcome == "fixed" and done.patch else (),
        added=added,
        removed=removed,
        steps=done.usage.steps,
        prompt_tokens=done.usage.prompt_tokens,
        completion_tokens=done.usage.completion_tokens,
        seconds=done.seconds,
        seconds_policy=done.usage.seconds_policy,
        seconds_sandbox=done.usage.seconds_sandbox,
        reason=done.reason,
    )
