"""The page of an attribution: what each single mismatch costs."""

from __future__ import annotations

from pathlib import Path

from suture_training.evaluation.attribution import FILE, Attribution, Cost
from suture_training.ledger import read_json
from suture_training.report.estimates import basis, difference_in_words, rate_in_words
from suture_training.report.page import differences, folded, note, page, plots, section, table, tiles
from suture_training.report.plots import Bar, intervals
from suture_training.report.text import NONE, p_value, points


def attribution_page(folder: Path) -> str:
    """The page of the attribution in a folder. Raises LedgerError."""
    found = read_json(folder / FILE, Attribution)
    seeds = f", {len(found.seeds)} training seeds" if len(found.seeds) > 1 else ""
    return page(
        "attribution",
        f"What each mismatch costs {found.row}",
        f"one identity field varied at a time from {found.base}: {found.tasks} tasks, {found.runs} runs each{seeds}",
        [
            _tiles(found),
            section("Cost of each mismatch", _forest(found), _table(found), *_notes(found)),
            section("In what each variant differs", *(folded(name_of(each), differences(each.fields)) for each in found.costs)),
            section(
                "What every cost rests on", table(("mismatch", "rests on"), ((name_of(each), basis(each.cost)) for each in found.costs))
            ),
        ],
    )


def name_of(cost: Cost) -> str:
    """A mismatch in a few words: its factor and what it was set to."""
    first = cost.fields[0]
    field = first.field.rpartition(".")[2]
    value = (first.after or "removed").strip('"')
    return f"{cost.factor}: {field} {value if len(value) <= 16 else value[:8] + '…'}"


def _tiles(found: Attribution) -> str:
    if not found.costs:
        return note("No variant was measured.")
    clear = [each for each in found.costs if each.p <= 0.05]
    dearest = found.costs[0]
    return tiles(
        (str(len(found.costs)), "mismatches measured", ""),
        (str(len(clear)), "significant at 5 % after Holm", "warn" if clear else ""),
        (points(dearest.cost.value), f"points, the dearest: {name_of(dearest)}", "bad" if dearest in clear else ""),
    )


def _forest(found: Attribution) -> str:
    rows = [
        Bar(label=name_of(each), value=each.cost.value, low=each.cost.low, high=each.cost.high, strong=each.p <= 0.05)
        for each in found.costs
    ]
    remark = "Right of zero: the policy solves less under the mismatch. Amber: significant at 5 % after Holm."
    return plots(intervals("Cost in percentage points of pass@1", "costs", rows, x="percentage points", zero=True, wide=True, note=remark))


def _table(found: Attribution) -> str:
    return table(
        ("mismatch", "base", "variant", "harder for raw too", "cost, points (95 %)", "p (Holm)"),
        (
            (
                name_of(each),
                rate_in_words(each.base),
                rate_in_words(each.variant),
                difference_in_words(each.harder) if each.harder else NONE,
                difference_in_words(each.cost),
                p_value(each.p),
            )
            for each in found.costs
        ),
        numbers=(1, 2, 3, 4, 5),
    )


def _notes(found: Attribution) -> list[str]:
    told = ["Cost = base - variant. Where the raw policy was measured in both, what the variant costs it is taken off."]
    if any(each.harder is None for each in found.costs):
        told.append("Without the raw policy's figures a cost holds two things: the mismatch, and that the variant is harder for everybody.")
    if any(not each.paired for each in found.costs):
        told.append("A task filter changes the tasks, so its cost is between different tasks, not in pairs.")
    return [note(each) for each in told]
