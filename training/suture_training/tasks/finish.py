"""The end of a run: the set is split, what no task needs is removed, everything is counted, and the set gets its identity."""

from __future__ import annotations

from collections import Counter

import msgspec

from suture_training.tasks.duplicates import print_of
from suture_training.tasks.info import Made, Ratios, SetInfo, Tried
from suture_training.tasks.split import assign
from suture_training.tasks.store import TaskSet, Writer
from suture_training.tasks.task import Task


def finish(writer: Writer, ratios: Ratios, made: Made | None) -> None:
    """Bring a set to its end; `made` is the run that added to it. Tasks are read one by one."""
    task_set = TaskSet(writer.folder, writer.info)
    prints = [print_of(task) for task in task_set.iterate()]
    assignment = assign(prints, ratios)
    by_task = {tried.task: tried for tried in writer.decided.values() if tried.task}
    for each in prints:
        if each.task not in assignment.splits and each.task in by_task:
            detail = f"{each.task} resembles a task that is held out"
            writer.drop(msgspec.structs.replace(by_task[each.task], task="", dropped="refused", detail=detail))

    def change(task: Task) -> Task | None:
        split = assignment.splits.get(task.id)
        return None if split is None else msgspec.structs.replace(task, split=split)

    writer.rewrite(change)
    used = {(task.workspace, task.environment) for task in task_set.iterate()}
    workspaces, environments = ({pair[number] for pair in used} for number in (0, 1))
    writer.prune(workspaces, environments)
    info = msgspec.structs.replace(
        counted(writer.info, tuple(writer.decided.values())),
        workspaces={name: value for name, value in writer.info.workspaces.items() if name in workspaces},
        split=assignment.info,
        made=_with(writer.info.made, made),
        identity=task_set.identity,
    )
    writer.note(info)


def counted(info: SetInfo, tried: tuple[Tried, ...]) -> SetInfo:
    """The counts of a set."""
    names = Counter(f"{each.origin}: {each.name}" if each.origin == "mutation" else each.origin for each in tried)
    kept = Counter(f"{each.origin}: {each.name}" if each.origin == "mutation" else each.origin for each in tried if each.task)
    return msgspec.structs.replace(
        info,
        candidates=len(tried),
        kept=sum(bool(each.task) for each in tried),
        dropped=dict(Counter(each.dropped for each in tried if each.dropped).most_common()),
        operators={name: (names[name], kept[name]) for name in sorted(names)},
    )


def _with(made: tuple[Made, ...], latest: Made | None) -> tuple[Made, ...]:
    """The runs with the latest one, in place of the one that it went on with."""
    if latest is None:
        return made
    others = [each for each in made if (each.workspace, each.sources, each.seed) != (latest.workspace, latest.sources, latest.seed)]
    return (*others, latest)
