"""What counts as said before."""

from __future__ import annotations

import pytest

from suture_agent.policies import Message
from suture_training.data.columns import message_json
from suture_training.data.duplicates import Alike, Seen, keys_of
from suture_training.data.leakage import changed_lines
from suture_training.data.rows import Pair, Preference, said

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n"


@pytest.fixture
def again(tmp_path):
    def check(*rows, **alike):
        keys = [keys_of(row, [message_json(message) for message in said(row)]) for row in rows]
        found: list[list[str]] = []
        for size in (1, 2, len(rows)):  # however the rows are cut into batches
            seen = Seen(tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite3", Alike(**alike))
            found.append([each for at in range(0, len(keys), size) for each in seen.again(keys[at : at + size])])
            seen.close()
        assert found[0] == found[1] == found[2]
        return found[0]

    return check


def test_the_same_conversation_again(again, make_row):
    assert again(make_row(1), make_row(2), make_row(1), near="off") == ["", "", "an exact duplicate"]


@pytest.mark.parametrize("asked", ["It took 1.25 s.", "It took 7 s.", "It  took 1.5   s."])
def test_numbers_and_blanks_of_a_prompt_tell_nothing_apart(again, make_row, asked):
    first = make_row(asked="It took 3.50 s.", answer="x + 1")
    assert again(first, make_row(asked=asked, answer="x  + 1")) == ["", "a near duplicate"]
    assert again(first, make_row(asked=asked, answer="x + 1"), near="off") == ["", ""]


def test_numbers_of_an_answer_and_of_a_patch_do(again, make_row):
    assert again(make_row(asked="Off by one.", answer="x + 1"), make_row(asked="Off by one.", answer="x + 2")) == ["", ""]
    patches = [DIFF.replace("-b", f"-b{number}") for number in (1, 2)]
    assert again(*[make_row(asked="It fails.", answer="2: b => c", patch=patch) for patch in patches]) == ["", ""]


def test_the_same_patch_for_the_same_check_of_the_same_workspace(again, make_row):
    rows = [make_row(number, patch=DIFF) for number in range(3)]
    assert again(*rows) == ["", "the same patch again", "the same patch again"]
    assert again(*rows, most=2) == ["", "", "the same patch again"]
    assert again(*rows, near="conversation") == ["", "", ""]
    assert again(rows[0], make_row(1, patch=DIFF, repository="other"), make_row(2, patch=DIFF, check="types")) == ["", "", ""]


def test_decisions_are_only_compared_exactly(again, make_row):
    row = make_row()

    def decided(label, weight, **more):
        return Preference(
            origin=row.origin, prompt=row.messages[:2], completion=row.messages[2], label=label, weight=weight, patch=DIFF, **more
        )

    assert again(decided(True, 1.0), decided(True, 0.5), decided(False, 1.0)) == ["", "an exact duplicate", ""]
    chosen = Message(role="assistant", content="y")
    pair = Pair(origin=row.origin, prompt=row.messages[:2], chosen=chosen, rejected=row.messages[2])
    assert again(pair, pair) == ["", "an exact duplicate"]


def test_a_patch_is_its_changed_lines():
    moved = DIFF.replace("@@ -1,3 +1,3 @@\n a", "@@ -11,3 +11,3 @@\n z").replace("+c", "+ c")
    assert changed_lines(DIFF) == changed_lines(moved)
    assert changed_lines(DIFF) != changed_lines(DIFF.replace("+c", "+e"))
    assert changed_lines(DIFF) != changed_lines(DIFF.replace("a.py", "b.py"))
