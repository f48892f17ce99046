"""Reading what the program wrote, or somebody in its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.impact.choose import impacted
from suture_agent.impact.map import LARGEST, read_map
from suture_sandbox.patch import FileEdit, Patch

GOOD = {"tests": ["a", "b"], "homes": [0, -1], "files": [["x.py", "h", {"1": [0, 1]}, [], [0]], ["secret/y.py", "h", {}, [], []]]}


def packed(**changes) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_sound_map_is_read():
    found = read_map(packed())
    assert found is not None
    assert found.named([1, 0, 1]) == ("a", "b")
    assert found.files[0].functions == {1: (0, 1)}


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        packed(tests=[]),
        packed(homes=[0]),
        packed(homes=[0, 2]),
        packed(homes=[0, -2]),
        packed(tests=["a", 1]),
        packed(tests=["a", "b\n"]),
        packed(tests=["a", "b" * 3000]),
        packed(tests=["a"] * 30_000, homes=[0] * 30_000),
        packed(files=[["x.py", "h", {"1": [0]}, [], []]]),
        packed(files=[["x.py", "h", {"1": [1, 0]}, [], []]]),
        packed(files=[["x.py", "h", {"1": [0, 2]}, [], []]]),
        packed(files=[["x.py", "h", {"1": [-1, 0]}, [], []]]),
        packed(files=[["x.py", "h", {"one": [0, 0]}, [], []]]),
        packed(files=[["x.py", "h", {}, [], [1]]]),
        packed(files=[["x.py", "h", {}, [], []], ["x.py", "h", {}, [], []]]),
        packed() + b" " * LARGEST,
    ],
)
def test_anything_else_is_no_map(report):
    assert read_map(report) is None


def test_excluded_files_and_their_tests_are_left_out():
    found = read_map(packed(homes=[1, -1]), ["secret/"])
    assert found is not None
    assert (found.tests, found.named([0, 1])) == (("", "b"), ("b",))
    assert "secret" not in repr(found)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_a_map_or_none(value):
    for changed in (value, {**GOOD, "files": value}, {**GOOD, "files": [["x.py", "h", value, [], []]]}):
        found = read_map(json.dumps(changed).encode())
        if found is not None:
            impacted(found, Patch((FileEdit(path="x.py", before=b"", after=b"x"),)))
