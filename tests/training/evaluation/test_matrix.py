"""The matrix: its layout, its primary test, and what it refuses to lay side by side."""

from __future__ import annotations

import pytest

from suture_training.evaluation.errors import MismatchError, NotComparable
from suture_training.evaluation.matrix import matrix

FULL = {"tested_in": "full", "harness": {"pipeline": "full"}}
THINKS = {"thinking": True}
VARY = ["harness.pipeline"]


def share(solved, tasks=12):
    """Words of single runs of which so many are solved."""
    return ["y"] * solved + ["n"] * (tasks - solved)


@pytest.fixture
def table(evaluation_of):
    """Rows raw, SFT and RL trained in `simplified`, tested there and in `full`, the seed's way."""
    cells = {
        ("raw", "", ""): (2, 3),
        ("sft", "simplified", "1"): (6, 3),
        ("sft", "simplified", "2"): (7, 4),
        ("rl", "simplified", "1"): (9, 3),
        ("rl", "simplified", "2"): (10, 4),
    }
    made = []
    for (method, trained_in, seed), (here, there) in cells.items():
        row = {"method": method, "trained_in": trained_in, "seed": seed, "policy": {"adapter": f"{method}{seed}"}}
        made.append(evaluation_of(f"{method}{seed}-s", share(here), **row))
        made.append(evaluation_of(f"{method}{seed}-f", share(there), **row, **FULL))
    return made


def test_rows_and_columns_stand_as_in_the_seeds_table(table, evaluation_of):
    thinking = [
        evaluation_of("raw-t", share(1), harness=THINKS),
        evaluation_of("rl-t", share(2), method="rl", trained_in="simplified", seed="1", policy={"adapter": "rl1"}, harness=THINKS),
    ]
    found = matrix([*table[::-1], *thinking], named=VARY)
    assert found.rows == ("raw", "raw *", "SFT (simplified)", "RL (simplified)", "RL (simplified) *")
    assert found.columns == ("full, test", "simplified, test")
    cell = found.cell("SFT (simplified)", "simplified, test")
    assert cell.scores.passed.value == pytest.approx(6.5 / 12)
    assert (cell.tasks, cell.runs, cell.seeds, cell.matched) == (12, 1, ("1", "2"), True)
    assert not found.cell("SFT (simplified)", "full, test").matched
    assert found.cell("raw *", "full, test") is None
    assert [each.field for each in found.differs["simplified, test"]] == ["harness.pipeline"]


def test_the_primary_test_is_what_training_gained_where_it_was_done(table):
    found = {each.name: each for each in matrix(table, named=VARY).interactions}
    rl = found["RL (simplified) against raw: simplified, test / full, test"]
    assert rl.estimate.value == pytest.approx((9.5 - 2 - (3.5 - 3)) / 12)
    assert "beyond what it gained in full, test" in rl.says
    assert len(found) == 2
    assert all(each.p >= each.estimate.p for each in found.values())


def test_two_places_of_training_are_tested_against_each_other_once(evaluation_of):
    rows = {("full", 8, 3), ("simplified", 4, 9)}
    made = []
    for trained_in, in_full, in_simplified in rows:
        row = {"method": "rl", "trained_in": trained_in, "policy": {"adapter": trained_in}}
        made += [
            evaluation_of(f"{trained_in}-f", share(in_full), **row, **FULL),
            evaluation_of(f"{trained_in}-s", share(in_simplified), **row),
        ]
    found = matrix(made, named=VARY)
    (only,) = found.interactions
    assert only.estimate.value == pytest.approx(((8 - 4) - (3 - 9)) / 12)
    assert only.estimate.p == only.p
    assert found.missing == ()


def test_a_test_that_lacks_a_cell_is_named(table, evaluation_of):
    found = matrix([each for each in table if each.folder.name != "raw-f"], named=VARY)
    assert found.interactions == ()
    assert [line.partition(": ")[2] for line in found.missing] == ["simplified, test / full, test: raw tested in full, test"] * 2


def test_every_trained_row_is_tested_against_raw_and_adjusted(table):
    found = matrix(table, named=VARY).against_raw
    assert [each.name for each in found] == [
        f"{row} (simplified) - raw: {place}, test" for row in ("SFT", "RL") for place in ("full", "simplified")
    ]
    assert max(each.p / each.estimate.p for each in found if each.p < 1) == pytest.approx(4)


def test_columns_that_differ_in_what_nobody_named_are_refused(table):
    with pytest.raises(MismatchError, match=r"harness\.pipeline") as error:
        matrix(table)
    assert error.value.remedy.endswith("--vary harness.pipeline")


def test_one_column_holds_one_environment(table, evaluation_of):
    other = evaluation_of("odd", share(2), method="sft", trained_in="x", environment={"dependencies": {"pytest": {"version": "9"}}})
    with pytest.raises(MismatchError, match=r"environment\.dependencies\.pytest\.version"):
        matrix([*table, other], named=[*VARY, "environment"])


def test_one_row_is_one_policy_a_seed(table, evaluation_of):
    other = evaluation_of("rl1-v", share(2), method="rl", trained_in="simplified", seed="1", selection={"split": "validation"})
    with pytest.raises(NotComparable, match=r"RL \(simplified\), training seed 1.*policy\.adapter"):
        matrix([*table, other], named=[*VARY, "tasks"])


def test_other_splits_are_columns_of_their_own_and_meet_in_no_interaction(table, evaluation_of):
    row = {"method": "rl", "trained_in": "simplified", "seed": "1", "policy": {"adapter": "rl1"}}
    valid = [
        evaluation_of("rl-v", share(9, 20), selection={"split": "validation"}, **row),
        evaluation_of("raw-v", share(2, 20), selection={"split": "validation"}, policy={"adapter": "raw"}),
    ]
    found = matrix([*table, *valid], named=[*VARY, "tasks"])
    assert found.columns == ("full, test", "simplified, test", "simplified, validation")
    assert len(found.interactions) == 2


def test_nothing_is_no_matrix():
    with pytest.raises(NotComparable):
        matrix([])
