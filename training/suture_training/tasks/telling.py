"""What `suture tasks` says: events and tasks as JSON lines for programs, and as one line for people."""

from __future__ import annotations

from typing import Any

from suture_training.tasks.info import SetInfo
from suture_training.tasks.making import Counts, Event, Lost, Phase
from suture_training.tasks.task import Task
from suture_training.tasks.verify import Shown


def event_line(event: Event) -> dict[str, Any] | None:
    """The JSON line of an event; None for what is for people only."""
    if isinstance(event, Phase):
        return None
    if isinstance(event, Lost):
        return {"event": "lost", "key": event.key, "reason": event.reason}
    if event.task is not None:
        return {"event": "task", **task_fields(event.task)}
    tried = event.tried
    kept = {"event": "task", "id": tried.task} if tried.task else {"event": "dropped", "reason": tried.dropped, "detail": tried.detail}
    again = {"again": True} if event.again else {}
    return {**kept, "key": tried.key, "origin": tried.origin, "name": tried.name, "seconds": tried.seconds, **again}


def event_text(event: Event) -> tuple[str, bool]:
    """One line for people, and whether it is only for those who want to know more."""
    if isinstance(event, Phase):
        return event.text, False
    if isinstance(event, Lost):
        return f"{event.key}: the machine failed: {event.reason}", False
    if event.task is not None:
        return task_text(event.task), False
    tried = event.tried
    said = f"task {tried.task}" if tried.task else f"{tried.dropped}{f': {tried.detail}' if tried.detail else ''}"
    return f"{tried.origin} {tried.name}: {said}{' (decided before)' if event.again else ''}", True


def task_fields(task: Task) -> dict[str, Any]:
    """A task in a list."""
    return {
        "id": task.id,
        "split": task.split,
        "origin": task.origin.kind,
        "name": task.origin.name,
        "repository": task.origin.repository,
        "time": task.origin.time,
        "check": task.check,
        "paths": [edit.path for edit in task.gold],
        "findings": len(task.findings),
        "failing": task.difficulty.failing,
        "passing": task.difficulty.passing,
        "lines": task.difficulty.lines,
        "hunks": task.difficulty.hunks,
        "seconds": task.proof.seconds,
        "workspace": task.workspace[:16],
        "environment": task.environment,
    }


def task_text(task: Task) -> str:
    """One line for people."""
    made, hard = task.origin, task.difficulty
    where = ", ".join(edit.path for edit in task.gold)
    name = f" {made.name}" if made.name else ""
    return (
        f"{task.id}  {task.split:10} {made.kind}{name}  {made.repository}: {where}  "
        f"{task.check}: {len(task.findings)} of {hard.failing} failing, {hard.lines} lines  ({task.proof.seconds:.1f} s)"
    )


def shown_line(task: Task, shown: Shown) -> dict[str, Any]:
    """The JSON line of a task that was verified anew."""
    proof = shown.proof
    return {
        "event": "verified",
        "id": task.id,
        "good": proof.good,
        "runs": proof.runs,
        "failed": proof.failed,
        "mended": proof.mended,
        "unchanged": proof.unchanged,
        "seconds": proof.seconds,
        "reason": shown.why or "",
        "detail": shown.detail,
    }


def shown_text(task: Task, shown: Shown) -> str:
    """The same for people."""
    proof = shown.proof
    said = "holds" if proof.good else f"{shown.why}: {shown.detail}"
    return f"{task.id}  {said}  (fails {proof.failed} of {proof.runs}, mended {proof.mended} of {proof.runs}, {proof.seconds:.1f} s)"


def made_line(info: SetInfo, counts: Counts, environment: str, seconds: float) -> dict[str, Any]:
    """The summary of a run."""
    return {
        "event": "summary",
        "candidates": counts.candidates,
        "kept": counts.kept,
        "lost": counts.lost,
        "dropped": dict(info.dropped),
        "tasks": sum(info.split.tasks.values()) if info.split else 0,
        "splits": dict(info.split.tasks) if info.split else {},
        "split_by": info.split.by if info.split else "",
        "filters": dict(info.filters),
        "set": info.identity,
        "environment": environment,
        "seconds": round(seconds, 1),
    }


def made_text(info: SetInfo, counts: Counts, seconds: float) -> str:
    """The same for people."""
    dropped = ", ".join(f"{number} {why}" for why, number in info.dropped.items()) or "none"
    splits = ", ".join(f"{number} {name}" for name, number in info.split.tasks.items()) if info.split else ""
    rate = f"{60 * counts.kept / seconds:.1f} tasks a minute" if seconds else ""
    by = f", split by {info.split.by}" if info.split else ""
    return (
        f"{counts.kept} tasks of {counts.candidates} candidates in {seconds:.0f} s ({rate}); the set has {splits}{by}\n"
        f"dropped: {dropped}\nset {info.identity[:12]}"
    )
