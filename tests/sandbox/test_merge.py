"""Merging: what both sides changed is in the result, or there is a conflict; files keep the form that they have now."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from suture_sandbox.errors import MergeConflict, PatchError
from suture_sandbox.merge import merge_texts, moved
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends

PIECES = st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n", "x", "\r", "\r\n", "\x0c", "\u2028"])
TEXTS = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=20))
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e\n", "\n"]), max_size=10)


@st.composite
def edited(draw):
    """A base of distinct and repeated lines, and two sides that each changed a few of them."""
    base = [f"{number}\n" if draw(st.booleans()) else "same\n" for number in range(draw(st.integers(0, 14)))]
    sides = []
    for name in ("ours", "theirs"):
        lines = list(base)
        for turn in range(draw(st.integers(0, 3))):
            start = draw(st.integers(0, len(lines)))
            lines[start : start + draw(st.integers(0, 2))] = [f"{name} {turn}\n"] * draw(st.integers(0, 2))
        sides.append("".join(lines))
    return "".join(base), *sides


@given(base=TEXTS, theirs=TEXTS)
def test_a_side_that_changed_nothing_gives_the_other(base, theirs):
    assert merge_texts(base, base, theirs) == theirs
    assert merge_texts(base, theirs, base) == theirs


@given(base=TEXTS, both=TEXTS)
def test_the_same_change_on_both_sides_is_no_conflict(base, both):
    assert merge_texts(base, both, both) == both


@given(base=TEXTS, ours=TEXTS, theirs=TEXTS)
@example(base="x\na\rx\n", ours="x\na\r\ny\n", theirs="\na\rx\n")
def test_any_texts_give_a_text_or_a_conflict_and_the_sides_may_change_places(base, ours, theirs):
    assert merge_texts(base, ours, theirs) == merge_texts(base, theirs, ours)


@given(texts=st.one_of(edited(), st.tuples(TEXTS, TEXTS, TEXTS)))
def test_no_line_that_one_side_alone_has_is_lost(texts):
    base, ours, theirs = texts
    merged = merge_texts(base, ours, theirs)
    assume(merged is not None)
    found, old = Counter(lines_with_ends(merged)), Counter(lines_with_ends(base))
    for side in (ours, theirs):
        new = {line: times for line, times in Counter(lines_with_ends(side)).items() if line not in old}
        assert all(found[line] >= times for line, times in new.items())


@given(texts=edited())
def test_lines_that_neither_side_touched_stay_in_order(texts):
    base, ours, theirs = map(lines_with_ends, texts)
    merged = merge_texts(*texts)
    assume(merged is not None)
    kept = [line for line in base if line != "same\n" and line in ours and line in theirs]
    assert [line for line in lines_with_ends(merged) if line in kept] == kept


@given(texts=edited())
@settings(max_examples=25, deadline=None)
def test_where_git_sees_a_conflict_so_do_we_or_the_merge_is_its(texts):
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for path, text in zip(names, (texts[1], texts[0], texts[2]), strict=True):
            path.write_text(text)
        done = subprocess.run(["git", "merge-file", "-p", *map(str, names)], capture_output=True, text=True, check=False)
    merged = merge_texts(*texts)
    if done.returncode == 0 and merged is not None and "same\n" not in texts[0]:
        assert merged == done.stdout
    if done.returncode and "same\n" not in texts[0]:
        assert merged is None


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"),
        ("a\nb\nc\n", "new\na\nb\nc\n", "a\nb\nC\n", "new\na\nb\nC\n"),
        ("a\nb\nc\nd\n", "a\nc\nd\n", "a\nb\nc\nd\ne\n", "a\nc\nd\ne\n"),
        ("a\nb\n", "A\nb\n", "a\nB\n", None),
        ("a\nb\n", "A\nb\n", "B\nb\n", None),
        ("a\nb\n", "a\nx\nb\n", "a\ny\nb\n", None),
        ("a\nb\nc\n", "a\nc\n", "a\nB\nc\n", None),
        ("a\nb\nc\n", "a\nx\nb\nc\n", "a\nB\nc\n", None),
        ("a\nb\nc\n", "A\nb\nc\n", "A\nb\nC\n", "A\nb\nC\n"),
        ("", "a\n", "b\n", None),
        ("a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n"),
        ("a\nb\nc", "a\nb\nc\nd", "a\nb\nc\n", None),
        ("a\x0cb\nc\nd\n", "a\x0cB\nc\nd\n", "a\x0cb\nc\nD\n", "a\x0cB\nc\nD\n"),
        ("a\x0cb\n", "A\x0cb\n", "a\x0cB\n", None),
        ("a\rb\rc\r", "A\rb\rc\r", "a\rb\rC\r", "A\rb\rC\r"),
        ("x\nx\nx\n", "x\nx\nx\nx\n", "x\nx\n", None),
    ],
)
def test_small_cases(base, ours, theirs, merged):
    assert merge_texts(base, ours, theirs) == merged


def test_lines_of_two_sides_never_run_into_one():
    assert merge_texts("a\r1\r2\r\n3\r", "a\r1\r2\r\n3\r", "a\r") == "a\r"
    base, ours, theirs = "a\nk\r.\n\nb\n", "a\nk\r\nb\n", "a\nK\r.\n\nb\n"
    assert merge_texts(base, ours, theirs) is None


LONG = [f"    value_{number} = {number}" if number % 4 else "" for number in range(10_000)]


def test_long_files_are_merged_at_once():
    ours, theirs = list(LONG), list(LONG)
    ours[10] = ours[5001] = ours[9990] = "mine"
    theirs[1:1] = ["theirs"] * 400
    theirs[-3:] = []
    merged = merge_texts("\n".join(LONG), "\n".join(ours), "\n".join(theirs))
    assert merged is not None
    assert merged.count("mine") == 3
    assert merged.count("theirs") == 400


@pytest.mark.parametrize("alphabet", ["ab", "abcdefghijklmnopqrstuvwxyz"])
def test_long_files_that_have_nothing_in_common_take_no_minutes(alphabet):
    dice = random.Random(2)
    base, ours, theirs = ("".join(f"{dice.choice(alphabet)}\n" for _ in range(10_000)) for _ in range(3))
    assert merge_texts(base, ours, theirs) is None


def after_moving(tmp_path, before, present, after, *, path="a.py"):
    """The edit that is left of an edit once the file has become `present`; None where none is."""
    snapshot = Snapshot(tmp_path, {path: present})
    patch = moved(Patch((FileEdit(path=path, before=before, after=after),)), snapshot)
    if not patch.edits:
        return None
    assert patch.edits[0].before == present
    return patch.apply(snapshot).read(path)


@pytest.mark.parametrize(
    ("before", "present", "after", "expected"),
    [
        (b"a\nb\nc\n", b"new\na\nb\nc\n", b"a\nb\nC\n", b"new\na\nb\nC\n"),
        (b"a\nb\nc\n", b"A\r\nb\r\nc\r\n", b"a\nb\nC\nd\n", b"A\r\nb\r\nC\r\nd\r\n"),
        (b"a\r\nb\r\nc\r\n", b"a\nb\nc\n", b"a\r\nb\r\nC\r\n", b"a\nb\nC\n"),
        (b"a\nb\nc\n", b"a\r\nb\r\nc\r\n", b"a\nb\nC", b"a\r\nb\r\nC"),
        (b"a\nb\nc\n", b"\xef\xbb\xbfA\nb\nc\n", b"a\nb\nC\n", b"\xef\xbb\xbfA\nb\nC\n"),
        (b"\xef\xbb\xbfa\nb\nc\n", b"A\nb\nc\n", b"\xef\xbb\xbfa\nb\nC\n", b"A\nb\nC\n"),
        (b"\xef\xbb\xbfa\nb\nc\n", b"\xef\xbb\xbfA\nb\nc\n", b"a\nb\nC\n", b"A\nb\nC\n"),
        (b"a\n", b"a\n", b"b\r\n", b"b\r\n"),
        (b"a\nb\nc\n", b"a\nb\nC\n", b"a\nb\nC\n", None),
        (b"a\nb\nc\n", b"A\nb\nC\n", b"a\nb\nC\n", None),
        (b"a\nb\n", b"a\r\nB\r\n", b"a\nB\n", None),
        (None, None, b"new\n", b"new\n"),
        (None, b"new\n", b"new\n", None),
        (None, b"new\r\n", b"new\n", None),
        (b"old\n", b"old\n", None, None),
        (b"old\n", b"old\r\n", None, None),
        (b"\0\xff", b"\0\xff", b"\0\xfe", b"\0\xfe"),
        (b"\0\xff", b"\0\xfe", b"\0\xfe", None),
    ],
)
def test_a_file_that_moved(tmp_path, before, present, after, expected):
    assert after_moving(tmp_path, before, present, after) == expected


def test_a_deletion_is_dropped_only_when_the_file_is_gone(tmp_path):
    patch = Patch((FileEdit(path="a.py", before=b"a\n", after=None),))
    assert moved(patch, Snapshot(tmp_path)) == Patch()
    assert moved(patch, Snapshot(tmp_path, {"a.py": b"a\n"})) == patch


@pytest.mark.parametrize(
    ("before", "present", "after", "line"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n", b"a\nx\nc\n", 2),
        (b"a\nb\nc\nd\n", b"1\n2\na\nb\nC\nd\n", b"a\nb\nX\nd\n", 5),
        (b"a\nb\n", b"x\r\nb\r\n", b"y\nb\n", 1),
        (b"a\r\nb\n", b"a\nb\n", b"A\r\nb\n", 1),
        (b"a\n", None, b"b\n", 1),
        (None, b"other\n", b"new\n", 1),
        (b"a\n", b"b\n", None, 1),
        (b"\0a", b"\0b", b"\0c", 1),
        (b"a\n", b"\xff\n", b"b\n", 1),
        (None, b"\xff", b"\xfe", 1),
    ],
)
def test_a_conflict_says_where(tmp_path, before, present, after, line):
    with pytest.raises(MergeConflict, match=rf"^pkg/a\.py:{line}: ") as caught:
        after_moving(tmp_path, before, present, after, path="pkg/a.py")
    assert (caught.value.path, caught.value.line) == ("pkg/a.py", line)
    assert caught.value.remedy
    assert isinstance(caught.value, PatchError)


def test_files_are_moved_each_on_its_own(tmp_path):
    edits = [FileEdit(path=name, before=b"a\nb\nc\n", after=b"a\nb\nC\n") for name in ("one.py", "two.py", "three.py")]
    present = Snapshot(tmp_path, {"one.py": b"A\nb\nc\n", "two.py": b"a\nb\nC\n", "three.py": b"a\nb\nc\n"})
    patch = moved(Patch(tuple(edits)), present)
    assert patch.paths == ("one.py", "three.py")
    assert patch.apply(present).read("one.py") == b"A\nb\nC\n"
    assert moved(patch, patch.apply(present)) == Patch()


@given(base=LINES, ours=LINES, theirs=LINES, ends=st.sampled_from(["\n", "\r\n", "\r"]), bom=st.booleans())
def test_the_form_of_the_present_text_makes_no_difference(base, ours, theirs, ends, bom):
    def formed(lines):
        return (("\ufeff" if bom else "") + "".join(lines).replace("\n", ends)).encode()

    before, present, after = ("".join(lines).encode() for lines in (base, ours, theirs))
    merged = merge_texts("".join(base), "".join(ours), "".join(theirs))
    edit = Patch((FileEdit(path="a", before=before, after=after),))
    snapshot = Snapshot(Path("/nowhere"), {"a": formed(ours)})
    if merged is None:
        with pytest.raises(MergeConflict):
            moved(edit, snapshot)
    else:
        assert moved(edit, snapshot).apply(snapshot).read("a") == formed(lines_with_ends(merged)) or present == b""
