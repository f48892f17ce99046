"""Splitting a set into training, validation and test, so that nothing of what is held out is trained on.

With at least three repositories each lies in one split as a whole, the oldest in training. With fewer the set is split by function: a
function that is broken in one split is broken in no other, nor is one that is nearly the same; that it stands healthy in the workspace of
the other splits cannot be helped, and the set records it. What still resembles a task that is held out is refused. Which task lies where
follows from the tasks alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from suture_training.tasks.duplicates import Index, Print, leaks_between
from suture_training.tasks.info import Ratios, SplitInfo
from suture_training.tasks.task import Split

FEWEST_REPOSITORIES = 3
RATIOS: Ratios = (80, 10, 10)
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Which task lies where."""

    splits: Mapping[str, Split]
    """Task -> split; a task that is refused is not among them."""
    info: SplitInfo


def assign(prints: Sequence[Print], ratios: Ratios = RATIOS) -> Assignment:
    """Split a set."""
    by = "repository" if len({each.repository for each in prints}) >= FEWEST_REPOSITORIES else "function"
    groups = _by_repository(prints) if by == "repository" else _by_function(prints)
    splits = _cut(groups, ratios)
    refused = _refused(prints, splits)
    kept: dict[str, Split] = {task: split for task, split in splits.items() if task not in refused}
    counts = Counter(kept.values())
    info = SplitInfo(by=by, ratios=ratios, groups=len(groups), tasks={name: counts[name] for name in _SPLITS}, refused=len(refused))
    return Assignment(splits=kept, info=info)


def _by_repository(prints: Iterable[Print]) -> list[list[Print]]:
    groups: dict[str, list[Print]] = {}
    for each in prints:
        groups.setdefault(each.repository, []).append(each)
    return list(groups.values())


def _by_function(prints: Sequence[Print]) -> list[list[Print]]:
    """Tasks that share a function, or have nearly the same one, together; through others too."""
    above = {each.task: each.task for each in prints}

    def top(task: str) -> str:
        while above[task] != task:
            above[task] = above[above[task]]
            task = above[task]
        return task

    index = Index(prints)
    for each in prints:
        for other, _ in index.like(each):
            first, second = sorted((top(each.task), top(other)))
            above[second] = first
    groups: dict[str, list[Print]] = {}
    for each in prints:
        groups.setdefault(top(each.task), []).append(each)
    return list(groups.values())


def _cut(groups: Sequence[Sequence[Print]], ratios: Ratios) -> dict[str, Split]:
    """The groups in the order of their newest task, cut where the shares are reached; a group lies where its middle does."""
    ordered = sorted(groups, key=lambda group: (max(each.time for each in group), _chance(group)))
    total = sum(map(len, ordered))
    ends = [total * ratios[0] / 100, total * (ratios[0] + ratios[1]) / 100]
    chosen: list[int] = []
    passed = 0
    for group in ordered:
        middle = passed + len(group) / 2
        chosen.append(sum(middle > end for end in ends))
        passed += len(group)
    return {each.task: _SPLITS[number] for group, number in zip(ordered, _none_empty(chosen, ratios), strict=True) for each in group}


def _none_empty(chosen: list[int], ratios: Ratios) -> list[int]:
    """At least one group in every split, where there are as many; a split that is to have no share may have none."""
    if len(chosen) >= len(_SPLITS) and all(ratios):
        chosen[-1] = 2
        if 1 not in chosen:
            chosen[-2] = 1
        if 0 not in chosen:
            chosen[0] = 0
    return chosen


def _chance(group: Sequence[Print]) -> str:
    """An order among groups of equal age that has nothing to do with what they are."""
    return hashlib.sha256(min(each.task for each in group).encode()).hexdigest()


def _refused(prints: Sequence[Print], splits: Mapping[str, Split]) -> set[str]:
    """Tasks that resemble one that is held out from them: of training against the others, of validation against the test."""
    of = {name: [each for each in prints if splits[each.task] == name] for name in _SPLITS}
    found = {leak.train for leak in leaks_between(of["validation"], of["test"])}
    held_out = [*(each for each in of["validation"] if each.task not in found), *of["test"]]
    return found | {leak.train for leak in leaks_between(of["train"], held_out)}
