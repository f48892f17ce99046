"""Rows: evaluations of policies that differ in nothing but their training seed, taken together."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suture_training.evaluation.errors import NotComparable
from suture_training.evaluation.identity import refuse_mismatch
from suture_training.evaluation.outcomes import Outcomes, outcomes_of
from suture_training.evaluation.records import Evaluation

METHODS = ("raw", "sft", "rl", "more", "prefer")
"""Order of rows; others come after them, by name."""
NAMES = {"raw": "raw", "sft": "SFT", "rl": "RL", "more": "more SFT", "prefer": "preferences"}
THINKING = "harness.thinking"


class Label(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A row of the matrix."""

    rank: int
    method: str
    trained_in: str
    thinking: bool

    @property
    def name(self) -> str:
        """As it is shown; the asterisk is the seed's mark for thinking."""
        place = f" ({self.trained_in})" if self.trained_in else ""
        return f"{NAMES.get(self.method, self.method)}{place}{' *' if self.thinking else ''}"


def label_of(evaluation: Evaluation) -> Label:
    """The row that an evaluation belongs to."""
    subject = evaluation.manifest.subject
    rank = METHODS.index(subject.method) if subject.method in METHODS else len(METHODS)
    return Label(rank=rank, method=subject.method, trained_in=subject.trained_in, thinking=evaluation.manifest.thinking)


def column_of(evaluation: Evaluation) -> str:
    """The column that an evaluation belongs to: where it was tested, and on which split."""
    split = str(evaluation.manifest.selection.get("split", ""))
    return f"{evaluation.manifest.tested_in}, {split}" if split else evaluation.manifest.tested_in


def merged(evaluations: Sequence[Evaluation], *, unguarded: bool = False) -> Outcomes:
    """The outcomes of evaluations that differ in their training seed. Raises NotComparable for two of one seed."""
    seeds: dict[str, Evaluation] = {}
    for each in evaluations:
        seed = each.manifest.subject.seed
        if seed in seeds:
            raise NotComparable(
                f"{seeds[seed].folder} and {each.folder} measure the same training seed ({seed or 'none'}) in the same place",
                remedy="leave one out, or measure with --training-seed so that they can be told apart",
            )
        seeds[seed] = each
    homes = {task.id: task.repository for each in evaluations for task in each.manifest.tasks}
    rows = [
        (each.manifest.subject.seed, run.task, homes[run.task], run.passed(unguarded=unguarded))
        for each in evaluations
        for run in each.runs
    ]
    return outcomes_of(rows)


def refuse_mixed(evaluations: Sequence[Evaluation], named: Sequence[str]) -> None:
    """Raise MismatchError where one of these differs from the first in a field that was not named."""
    first = evaluations[0]
    for each in evaluations[1:]:
        refuse_mismatch(first.manifest, each.manifest, named, (str(first.folder), str(each.folder)))


def refuse_drifted(evaluations: Sequence[Evaluation]) -> None:
    """Raise NotComparable for an evaluation whose environment drifted, or that has no run."""
    for each in evaluations:
        if each.drifted:
            wrong = each.drifted[0]
            raise NotComparable(
                f"{each.folder}: the environment drifted ({wrong.kind} control of task {wrong.task}): its figures say nothing",
                remedy="measure it again",
            )
        if not each.runs:
            raise NotComparable(f"{each.folder} holds no run", remedy="measure it: suture eval run")
