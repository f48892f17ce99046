"""The single changes of a patch: named, told apart, and taken in parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.patch import FileEdit, Patch
from suture_server.lsp.hunks import hunks_of, part_of

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\ufeffd\n", "é\x0c\n", "e", ""]), max_size=8).map("".join)


def patch(before: str | None, after: str | None, path: str = "a.py") -> Patch:
    coded = [None if text is None else text.encode() for text in (before, after)]
    return Patch((FileEdit(path=path, before=coded[0], after=coded[1]),))


TWO = patch("one\ntwo\nthree\n", "ONE\ntwo\nTHREE\n")


def text(given_patch: Patch) -> str:
    (edit,) = given_patch.edits
    return (edit.after or b"").decode()


def test_each_change_can_be_taken_alone():
    first, second = hunks_of(TWO)
    assert (first.start, first.end, first.removed, first.added) == (0, 1, ("one\n",), ("ONE\n",))
    assert (second.start, second.end) == (2, 3)
    assert text(part_of(TWO, [first.id])) == "ONE\ntwo\nthree\n"
    assert text(part_of(TWO, [second.id])) == "one\ntwo\nTHREE\n"


@given(TEXTS, TEXTS)
def test_all_of_them_are_the_patch_and_none_of_them_nothing(before: str, after: str):
    whole = patch(before, after)
    every = {each.id for each in hunks_of(whole)}
    assert len(every) == len(hunks_of(whole))
    assert part_of(whole, []) == Patch()
    if before != after:
        assert part_of(whole, every) == whole


@given(TEXTS, TEXTS, st.data())
def test_what_is_not_taken_is_what_is_left_to_do(before: str, after: str, data: st.DataObject):
    """A part and then the rest give the whole, and no part touches lines of a change that was left out."""
    whole = patch(before, after)
    every = hunks_of(whole)
    taken = {each.id for each in every if data.draw(st.booleans())}
    part = part_of(whole, taken)
    between = text(part) if part.edits else before
    lines = sum(len(each.added) - len(each.removed) for each in every if each.id in taken)
    assert len(_lines(between)) == len(_lines(before)) + lines
    for hunk in every:
        if hunk.id not in taken:
            assert "".join(hunk.removed) in between
    assert (between == after) == (taken == {each.id for each in every} or before == after)


def _lines(given_text: str) -> list[str]:
    from suture_sandbox.text import lines_with_ends

    return lines_with_ends(given_text)


def test_a_change_keeps_its_name_where_the_text_around_it_moves():
    moved = patch("zero\none\ntwo\nthree\n", "zero\nONE\ntwo\nTHREE\n")
    assert [each.id for each in hunks_of(moved)] == [each.id for each in hunks_of(TWO)]
    assert hunks_of(moved)[0].start == 1


@pytest.mark.parametrize(
    "other",
    [
        patch("one\ntwo\nthree\n", "1\ntwo\n3\n"),
        patch("eins\ntwo\ndrei\n", "ONE\ntwo\nTHREE\n"),
        patch("one\ntwo\nthree\n", "ONE\ntwo\nTHREE\n", path="b.py"),
    ],
)
def test_what_does_something_else_has_another_name(other: Patch):
    assert not {each.id for each in hunks_of(other)} & {each.id for each in hunks_of(TWO)}


def test_equal_changes_of_a_file_are_told_apart():
    same = patch("x\na\nx\n", "y\na\ny\n")
    first, second = hunks_of(same)
    assert text(part_of(same, [second.id])) == "x\na\ny\n"
    assert first.id != second.id


@pytest.mark.parametrize(("before", "after"), [(None, "new\n"), ("old\n", None), (None, ""), ("", None)])
def test_a_file_that_comes_or_goes_is_one_change(before: str | None, after: str | None):
    whole = patch(before, after)
    (only,) = hunks_of(whole)
    assert part_of(whole, [only.id]) == whole
    assert part_of(whole, []) == Patch()


def test_what_is_no_text_is_one_change():
    whole = Patch((FileEdit(path="a.bin", before=b"\xff\n1\n2\n3\n", after=b"\xff\none\n2\nthree\n"),))
    (only,) = hunks_of(whole)
    assert (only.removed, only.added) == ((), ())
    assert part_of(whole, [only.id]) == whole
    other = Patch((FileEdit(path="a.bin", before=b"\xff\n1\n2\n3\n", after=b"\xff\n"),))
    assert hunks_of(other)[0].id != only.id


def test_files_that_are_left_out_are_as_they_were():
    both = Patch((*TWO.edits, *patch("x\n", "y\n", path="b.py").edits))
    last = hunks_of(both)[-1]
    assert part_of(both, [last.id]).paths == ("b.py",)
