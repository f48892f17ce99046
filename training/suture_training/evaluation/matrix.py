"""The matrix: trained in x tested in, laid out as the seed's table (arXiv 2510.22075): rows raw, SFT, RL, each with and without thinking.

Within a column nothing may differ but the policy and whether it thinks; between columns only fields that were named. So a cell is what it
says it is, or the matrix is refused with the fields that stand against it.

The primary test is the interaction (AA - BA) - (AB - BB), first letter trained in, second tested in: whether training pays more where it
was done. Where nothing was trained in B the raw policy stands in for it: then it is what training gained in A, beyond what it gained in B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from suture_sandbox.identity import Difference
from suture_training.evaluation.errors import NotComparable
from suture_training.evaluation.groups import THINKING, Label, column_of, label_of, merged, refuse_drifted, refuse_mixed
from suture_training.evaluation.identity import covers, fields_that_differ, refuse_mismatch
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.records import Evaluation
from suture_training.evaluation.resampling import Estimate, contrast
from suture_training.evaluation.scores import Scores, scores_of
from suture_training.evaluation.statistics import holm

FILE = "matrix.json"
ROW_FIELDS = ("policy", THINKING)
"""In what the cells of one column may differ."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One row in one column."""

    row: str
    column: str
    scores: Scores
    tasks: int
    runs: int
    """Of each task."""
    seeds: tuple[str, ...]
    matched: bool
    """Whether it was trained where it is tested."""
    folders: tuple[str, ...]


class Contrast(msgspec.Struct, frozen=True, kw_only=True):
    """One test of the matrix."""

    name: str
    says: str
    """What it measures, in words."""
    estimate: Estimate
    p: float
    """Adjusted by Holm within its family."""


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    interactions: tuple[Contrast, ...]
    """The primary family."""
    against_raw: tuple[Contrast, ...]
    """Every trained row against the raw one of the same column."""
    missing: tuple[str, ...]
    """Tests that could not be made, and the cell that they lack."""
    differs: Mapping[str, tuple[Difference, ...]]
    """Column -> the named fields in which it differs from the first one."""

    def cell(self, row: str, column: str) -> Cell | None:
        """The cell of a row and a column, None where it was not measured."""
        return next((each for each in self.cells if (each.row, each.column) == (row, column)), None)


def matrix(evaluations: Sequence[Evaluation], *, named: Sequence[str] = ()) -> Matrix:
    """Lay evaluations out. `named`: the fields in which columns may differ. Raises MismatchError and NotComparable."""
    if not evaluations:
        raise NotComparable("a matrix needs evaluations", remedy="name the folders of suture eval run")
    refuse_drifted(evaluations)
    cells: dict[tuple[Label, str], list[Evaluation]] = {}
    for each in evaluations:
        cells.setdefault((label_of(each), column_of(each)), []).append(each)
    rows, columns = sorted({row for row, _ in cells}), sorted({column for _, column in cells})
    _refuse_mixed_columns(cells, columns, named)
    _refuse_mixed_rows(evaluations)
    counts = {key: merged(group) for key, group in cells.items()}
    interactions, missing = _interactions(counts, rows, columns)
    firsts = {column: next(group[0] for (_, place), group in cells.items() if place == column) for column in columns}
    return Matrix(
        rows=tuple(row.name for row in rows),
        columns=tuple(columns),
        cells=tuple(_cell(key, cells[key], counts[key]) for key in sorted(cells)),
        interactions=_adjusted(interactions),
        against_raw=_adjusted(_against_raw(counts, rows, columns)),
        missing=tuple(missing),
        differs={column: _between(firsts[columns[0]], firsts[column]) for column in columns[1:]},
    )


def _cell(key: tuple[Label, str], group: Sequence[Evaluation], counts: Outcomes) -> Cell:
    row, column = key
    return Cell(
        row=row.name,
        column=column,
        scores=scores_of(group),
        tasks=len(counts.tasks),
        runs=group[0].manifest.runs,
        seeds=counts.seeds,
        matched=row.trained_in == group[0].manifest.tested_in,
        folders=tuple(str(each.folder) for each in group),
    )


def _refuse_mixed_columns(cells: Mapping[tuple[Label, str], Sequence[Evaluation]], columns: Sequence[str], named: Sequence[str]) -> None:
    firsts: list[Evaluation] = []
    for column in columns:
        group = [each for (_, place), cell in cells.items() if place == column for each in cell]
        refuse_mixed(group, ROW_FIELDS)
        firsts.append(group[0])
    for other in firsts[1:]:
        refuse_mismatch(firsts[0].manifest, other.manifest, (*ROW_FIELDS, *named), (str(firsts[0].folder), str(other.folder)))


def _refuse_mixed_rows(evaluations: Sequence[Evaluation]) -> None:
    """A row is one policy a training seed, wherever it is tested."""
    rows: dict[tuple[Label, str], list[Evaluation]] = {}
    for each in evaluations:
        rows.setdefault((label_of(each), each.manifest.subject.seed), []).append(each)
    for (row, seed), group in rows.items():
        first = group[0].manifest.subject.policy
        other = next((each for each in group if each.manifest.subject.policy != first), None)
        if other is not None:
            fields = ", ".join(each.field for each in fields_that_differ(group[0].manifest, other.manifest) if covers("policy", each.field))
            labels = f"{row.name}, training seed {seed or 'none'}"
            raise NotComparable(
                f"{group[0].folder} and {other.folder} have the labels of one policy ({labels}) and measure two: {fields}",
                remedy="give them other labels: --method, --trained-in, --training-seed",
            )


def _interactions(
    counts: Mapping[tuple[Label, str], Outcomes], rows: Sequence[Label], columns: Sequence[str]
) -> tuple[list[tuple[str, str, Estimate]], list[str]]:
    found: list[tuple[str, str, Estimate]] = []
    missing: list[str] = []
    for row in rows:
        here = [column for column in columns if _place(column) == row.trained_in]
        for column in here:
            for other in [each for each in columns if _place(each) != row.trained_in and _split(each) == _split(column)]:
                rival = _rival(row, _place(other), rows)
                name = f"{row.name} against {rival.name if rival else 'nothing'}: {column} / {other}"
                lacking = _lacking(counts, row, rival, column, other)
                if rival is None or lacking:
                    missing.append(f"{name}: {', '.join(lacking) or f'a row that was trained in {_place(other)}, or a raw one'}")
                    continue
                if rival.trained_in and rival < row:
                    continue  # the same test from the other side
                terms = [(1.0, counts[row, column]), (-1.0, counts[rival, column]), (-1.0, counts[row, other]), (1.0, counts[rival, other])]
                says = _says(row, rival, column, other)
                found.append((name, says, contrast(terms, paired=len({each.tasks for _, each in terms}) == 1)))
    return found, missing


def _rival(row: Label, place: str, rows: Sequence[Label]) -> Label | None:
    """The same method trained in the other place, else the raw policy."""
    alike = [each for each in rows if each.thinking == row.thinking]
    twin = next((each for each in alike if each.method == row.method and each.trained_in == place), None)
    return twin or next((each for each in alike if each.method == "raw"), None)


def _lacking(counts: Mapping[tuple[Label, str], Outcomes], row: Label, rival: Label | None, *columns: str) -> list[str]:
    wanted = [(each, column) for each in (row, rival) if each is not None for column in columns]
    return [f"{each.name} tested in {column}" for each, column in wanted if (each, column) not in counts]


def _says(row: Label, rival: Label, column: str, other: str) -> str:
    if rival.trained_in:
        return (
            f"how much more training in {row.trained_in} pays than training in {rival.trained_in} when tested in {column}, not in {other}"
        )
    return f"what {row.name} gained over the raw policy in {column}, beyond what it gained in {other}"


def _against_raw(
    counts: Mapping[tuple[Label, str], Outcomes], rows: Sequence[Label], columns: Sequence[str]
) -> list[tuple[str, str, Estimate]]:
    found: list[tuple[str, str, Estimate]] = []
    for row in rows:
        raw = next((each for each in rows if each.method == "raw" and each.thinking == row.thinking), None)
        if raw is None or row == raw:
            continue
        for column in [each for each in columns if (row, each) in counts and (raw, each) in counts]:
            estimate = contrast([(1.0, counts[row, column]), (-1.0, counts[raw, column])])
            found.append((f"{row.name} - {raw.name}: {column}", f"what {row.name} gained over the raw policy in {column}", estimate))
    return found


def _adjusted(found: Sequence[tuple[str, str, Estimate]]) -> tuple[Contrast, ...]:
    adjusted = holm([estimate.p for _, _, estimate in found])
    return tuple(Contrast(name=name, says=says, estimate=estimate, p=p) for (name, says, estimate), p in zip(found, adjusted, strict=True))


def _between(first: Evaluation, other: Evaluation) -> tuple[Difference, ...]:
    found = fields_that_differ(first.manifest, other.manifest)
    return tuple(each for each in found if not any(covers(name, each.field) for name in ROW_FIELDS))


def _place(column: str) -> str:
    return column.rpartition(", ")[0] or column


def _split(column: str) -> str:
    return column.rpartition(", ")[2] if ", " in column else ""
