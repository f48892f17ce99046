"""The page of a matrix: trained in x tested in, as the seed laid it out, with intervals, the primary test and what every cell rests on."""

from __future__ import annotations

import math
from pathlib import Path

from suture_training.evaluation.matrix import FILE, Cell, Contrast, Matrix
from suture_training.ledger import read_json
from suture_training.report.estimates import basis, difference_in_words, losses, rate_in_words
from suture_training.report.page import banner, differences, folded, note, page, plots, section, table
from suture_training.report.plots import Bar, intervals
from suture_training.report.text import NONE, number, p_value, percent, seconds, shown

TIMES = "\N{MULTIPLICATION SIGN}"


def matrix_page(folder: Path) -> str:
    """The page of the matrix in a folder. Raises LedgerError."""
    found = read_json(folder / FILE, Matrix)
    lost = [f"{cell.row} in {cell.column}: {losses(cell.scores)}." for cell in found.cells if cell.scores.lost]
    return page(
        "evaluation matrix",
        f"Trained in {TIMES} tested in",
        "pass@1 in per cent, with 95 % intervals; rows as in the seed's table, * thinking; framed: tested where it was trained",
        [
            banner(" ".join(lost)) if lost else "",
            f'<div class="card scroll">{_grid(found)}</div>',
            section("Does training pay more where it was done?", *_interactions(found)),
            section("Against the raw policy", _against_raw(found)),
            section("With and without the guard", _guard(found)),
            section("Cost", _cost(found)),
            section("In what the columns differ", *(folded(column, differences(each)) for column, each in found.differs.items())),
            section("What every cell rests on", _basis(found)),
        ],
    )


def _grid(found: Matrix) -> str:
    head = "".join(f"<th>{shown(column)}</th>" for column in found.columns)
    body = "".join(
        f"<tr><th>{shown(row)}</th>{''.join(_cell(found.cell(row, column)) for column in found.columns)}</tr>" for row in found.rows
    )
    return f'<table class="matrix"><thead><tr><th>policy</th>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return f'<td class="muted">{NONE}</td>'
    passed = cell.scores.passed
    classes = f"h{_heat(passed.value)}{' matched' if cell.matched else ''}"
    interval = f"{100 * passed.low:.1f} to {100 * passed.high:.1f}"
    seeds = f" {TIMES} {len(cell.seeds)} seeds" if len(cell.seeds) > 1 else ""
    counts = f"n = {cell.tasks} {TIMES} {cell.runs}{seeds}"
    return f'<td class="{classes}"><b>{100 * passed.value:.1f}</b><small>{interval}</small><small>{counts}</small></td>'


def _heat(value: float) -> int:
    return 1 if math.isnan(value) else 1 + min(5, int(value * 6))


def _interactions(found: Matrix) -> list[str]:
    if not found.interactions:
        return [note(f"It cannot be said: {each}") for each in found.missing]
    return [
        plots(_forest("Interaction, percentage points", "interactions", found.interactions, wide=True)),
        _contrasts(found.interactions),
        note("(AA - BA) - (AB - BB), first letter trained in, second tested in. p is adjusted by Holm over these tests."),
        *(note(f"Not made: {each}") for each in found.missing),
    ]


def _against_raw(found: Matrix) -> str:
    if not found.against_raw:
        return ""
    return plots(_forest("Gain over raw, percentage points", "gains", found.against_raw, wide=True)) + _contrasts(found.against_raw)


def _forest(title: str, name: str, rows: tuple[Contrast, ...], *, wide: bool) -> str:
    made = [
        Bar(label=row.name, value=row.estimate.value, low=row.estimate.low, high=row.estimate.high, strong=row.p <= 0.05) for row in rows
    ]
    return intervals(title, name, made, x="percentage points", zero=True, wide=wide, note="Amber: significant at 5 % after Holm.")


def _contrasts(rows: tuple[Contrast, ...]) -> str:
    return table(
        ("test", "what it measures", "points (95 %)", "p (Holm)"),
        ((row.name, row.says, difference_in_words(row.estimate), p_value(row.p)) for row in rows),
        numbers=(2, 3),
    )


def _guard(found: Matrix) -> str:
    return table(
        ("policy", "tested in", "passed, and no hack", "the failing check alone", "refused by the guard", "rules"),
        (
            (
                cell.row,
                cell.column,
                rate_in_words(cell.scores.passed),
                rate_in_words(cell.scores.unguarded),
                percent(cell.scores.hacks.rate.value),
                ", ".join(f"{rule} {count}" for rule, count in cell.scores.hacks.rules.items()) or NONE,
            )
            for cell in found.cells
        ),
        numbers=(2, 3, 4),
    )


def _cost(found: Matrix) -> str:
    return table(
        ("policy", "tested in", "requests a run", "tokens a run", "tokens a solution", "median", "90 %"),
        (
            (
                cell.row,
                cell.column,
                number(cell.scores.cost.requests),
                number(cell.scores.cost.completion_tokens),
                number(cell.scores.cost.tokens_a_solution),
                seconds(cell.scores.cost.seconds.median),
                seconds(cell.scores.cost.seconds.p90),
            )
            for cell in found.cells
        ),
        numbers=(2, 3, 4, 5, 6),
    )


def _basis(found: Matrix) -> str:
    return table(
        ("policy", "tested in", "rests on", "lost", "measured in"),
        ((cell.row, cell.column, basis(cell.scores.passed), str(cell.scores.lost), ", ".join(cell.folders)) for cell in found.cells),
        numbers=(3,),
    )
