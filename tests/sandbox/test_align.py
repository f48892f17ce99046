"""Aligning: the changes give the new sequence, stand where they must, and are found in time."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.align import LARGEST, Change, changes

ITEMS = st.lists(st.sampled_from("abcdef"), max_size=25)


def rebuilt(old, new):
    """The new sequence, from the old one and the changes."""
    made, position = [], 0
    for change in changes(old, new):
        made += old[position : change.start] + new[change.new_start : change.new_end]
        position = change.end
    return made + old[position:]


@given(old=ITEMS, new=ITEMS)
def test_the_changes_turn_one_into_the_other(old, new):
    assert rebuilt(old, new) == new


@given(old=ITEMS, new=ITEMS)
def test_every_change_changes_something_and_two_never_touch(old, new):
    found = changes(old, new)
    assert all(change.start < change.end or change.new_start < change.new_end for change in found)
    assert all(left.end < right.start and left.new_end < right.new_start for left, right in itertools.pairwise(found))


@given(items=ITEMS)
def test_equal_sequences_have_no_change(items):
    assert changes(items, list(items)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        ("", "ab", [Change(0, 0, 0, 2)]),
        ("ab", "", [Change(0, 2, 0, 0)]),
        ("abc", "axc", [Change(1, 2, 1, 2)]),
        ("xxx", "xxxx", [Change(3, 3, 3, 4)]),
        ("xxxy", "xxy", [Change(2, 3, 2, 2)]),
        ("a{}b", "a{}{}b", [Change(3, 3, 3, 5)]),
        ("abcd", "dabc", [Change(0, 0, 0, 1), Change(3, 4, 4, 4)]),
    ],
)
def test_small_cases(old, new, expected):
    assert changes(old, new) == expected


def test_unique_items_hold_a_long_sequence_together():
    old = [str(number) if number % 3 else "" for number in range(30_000)]
    new = ["new", *old[:100], *old[200:20_000], "x", "y", *old[20_000:]]
    found = changes(old, new)
    assert rebuilt(old, new) == new
    assert [(change.end - change.start, change.new_end - change.new_start) for change in found] == [(0, 1), (100, 0), (0, 2)]


def test_a_large_stretch_without_unique_items_is_replaced_as_a_whole():
    dice = random.Random(1)
    old, new = (["only here"] + [dice.choice("ab") for _ in range(2 * int(LARGEST**0.5))] for _ in range(2))
    (change,) = changes(["x", *old[1:], "x"], ["y", *new[1:], "y"])
    assert (change.start, change.end) == (0, len(old) + 1)
