"""Survival: what counts as still there after formatting, moving, editing and undoing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.survival import Survival, stands, survival, undone
from suture_sandbox.patch import FileEdit, Patch

BEFORE = b"def total(prices):\n    return sum(prices) - 1\n\n\ndef mean(prices):\n    return total(prices) / len(prices)\n"
AFTER = BEFORE.replace(
    b"    return total(prices) / len(prices)\n", b"    if not prices:\n        return 0\n    return total(prices) / len(prices)\n"
)
GUARD = b"    if not prices:\n        return 0\n"
TEXTS = st.lists(st.sampled_from(["a", "b", "(", ")", "foo", " ", "\n", "\r\n", "x = 1\n", "\ufeff", "é"]), max_size=15).map(
    lambda parts: "".join(parts).encode()
)
CONTENTS = st.one_of(st.none(), TEXTS, st.just(b"\xff"))


def patch_of(before, after, path="shop.py"):
    return Patch((FileEdit(path=path, before=before, after=after),))


def left(before, after, now):
    return survival(patch_of(before, after), {"shop.py": now})


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (AFTER, 6),
        (BEFORE, 0),
        (None, 0),
        (b"", 0),
        (BEFORE.replace(b"\n", b"\r\n"), 0),
        (AFTER.replace(b"\n", b"\r\n"), 6),
        (b"\xef\xbb\xbf" + AFTER.replace(b"    ", b"\t"), 6),
        (AFTER.replace(GUARD, b"    if not prices: return 0\n"), 6),
        (AFTER.replace(GUARD, b"    if (\n        not prices\n    ):\n        return 0\n"), 6),
        (b"import math\n\n" + AFTER, 6),
        (AFTER.replace(b" - 1", b""), 6),
        (AFTER.replace(b"    if not prices:\n        return 0\n", b"    if not prices:\n        return None\n"), 5),
        (AFTER.replace(b"        return 0\n", b"        raise ValueError\n"), 4),
        (AFTER.replace(b"    if not prices:\n", b""), 2),
        (AFTER.replace(b"mean", b"average"), 6),
        (GUARD + BEFORE, 6),
        (b"\xff", 0),
    ],
)
def test_of_what_a_patch_added(now, kept):
    assert left(BEFORE, AFTER, now) == Survival(6, kept)


def test_a_function_that_was_moved_to_the_end_is_kept():
    first, _, second = AFTER.partition(b"\n\n\n")
    assert left(BEFORE, AFTER, second + b"\n\n" + first + b"\n") == Survival(6, 6)


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (b"return sum(prices)\n", 2),
        (b"return sum(prices) - 1\n", 0),
        (b"return sum(prices) - 2\n", 1),
        (b"return float(sum(prices))\n", 2),
        (None, 2),
    ],
)
def test_of_what_a_patch_only_removed(now, kept):
    assert left(b"return sum(prices) - 1\n", b"return sum(prices)\n", now) == Survival(2, kept)


def test_files_are_counted_together():
    edits = (
        *patch_of(b"a = 1\n", b"a = 2\n", "a.py").edits,
        *patch_of(None, b"b = 1\n", "b.py").edits,
        *patch_of(b"c\n", None, "c.py").edits,
    )
    now = {"a.py": b"a = 2\n", "b.py": None, "c.py": b"c\n"}
    assert survival(Patch(edits), now) == Survival(4, 1)
    assert survival(Patch(edits), {**now, "b.py": b"b = 1\n"}) == Survival(4, 4)


def test_a_deleted_file_stays_deleted_or_comes_back():
    assert left(b"a = 1\nb\n", None, None) == Survival(4, 4)
    assert left(b"a = 1\nb\n", None, b"a = 1\nb\n") == Survival(4, 0)
    assert left(b"a = 1\nb\n", None, b"a = 1\n") == Survival(4, 1)


def test_white_space_and_binary_files_have_no_tokens():
    assert left(b"if a:\n    b\n", b"if a:\n  b\n", b"c\n") == Survival(0, 0)
    assert left(b"\xff", b"\xfe", b"\xfe") == Survival(0, 0)
    assert survival(Patch(), {}) == Survival(0, 0)


@given(before=CONTENTS, after=CONTENTS, now=CONTENTS)
def test_no_more_is_kept_than_there_was(before, after, now):
    found = left(before, after, now)
    assert 0 <= found.kept <= found.tokens


@given(before=CONTENTS, after=CONTENTS)
def test_all_is_kept_while_the_patch_stands_and_nothing_once_it_is_undone(before, after):
    tokens = left(before, after, after).tokens
    assert left(before, after, after) == Survival(tokens, tokens)
    assert left(before, after, before) == Survival(tokens, 0) or tokens == 0


@given(before=CONTENTS, after=CONTENTS, now=CONTENTS)
def test_standing_and_undone_exclude_each_other(before, after, now):
    patch = patch_of(before, after)
    assert stands(patch, {"shop.py": now}) == (now == after)
    if stands(patch, {"shop.py": now}) and undone(patch, {"shop.py": now}):
        assert undone(patch, {"shop.py": after})


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (b"a\nb\n", b"a\nb\n", True),
        (b"a\nb\n", b"a\r\nb\r\n", True),
        (b"a\nb\n", b"a\nb", True),
        (b"a\nb", b"a\rb\n", True),
        (b"a\nb\n", b"a\nb\n\n", False),
        (b"a\nb\n", b"a\n b\n", False),
        (b"a\nb\n", None, False),
        (None, None, True),
        (None, b"", False),
        (b"", b"\n", True),
        (b"\xff\n", b"\xff\n", True),
        (b"\xff\n", b"\xff", False),
    ],
)
def test_undone(before, now, expected):
    assert undone(patch_of(before, b"other\n"), {"shop.py": now}) is expected


def test_all_files_decide():
    patch = Patch((*patch_of(b"a\n", b"b\n", "a.py").edits, *patch_of(None, b"c\n", "c.py").edits))
    assert undone(patch, {"a.py": b"a\n"})
    assert not undone(patch, {"a.py": b"a\n", "c.py": b"c\n"})
    assert stands(patch, {"a.py": b"b\n", "c.py": b"c\n"})
    assert not stands(patch, {"a.py": b"b\n"})
    assert not undone(Patch(), {})


def test_long_files_are_measured_at_once():
    lines = [f"    value_{number} = compute({number % 50}, other)" if number % 4 else "" for number in range(10_000)]
    added = [*lines[:5000], *(f"    fresh_{number} = 1" for number in range(50)), *lines[5000:]]
    now = ["import this", *added[:5025], "    changed = 2", *added[5026:9000], *added[9500:]]
    found = survival(patch_of("\n".join(lines).encode(), "\n".join(added).encode()), {"shop.py": "\n".join(now).encode()})
    assert found == Survival(150, 148)
