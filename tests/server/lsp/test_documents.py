"""Open documents against a model that has the text as one string and knows LSP's rules by itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types

from suture_sandbox.text import Position
from suture_server.lsp.documents import MOST_EDITS, Document

WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
ENCODINGS = st.sampled_from(sorted(WIDTHS))
ALPHABET = "ab \r\n\té\u0301\U0001f600\u2028\u2029\x0b\x0c\x1c\x85\ufeff0"
TEXTS = st.text(ALPHABET, max_size=24) | st.lists(st.sampled_from(["\r", "\n", "\r\n", "x", "\U0001f600"]), max_size=10).map("".join)
PLACES = st.tuples(st.integers(0, 12), st.integers(0, 20))


def spans(text: str) -> list[tuple[int, int]]:
    """Where each line begins, and where its visible text ends; a text that ends in a line end has an empty line after it."""
    found, start = [], 0
    for end in re.finditer("\r\n|\r|\n", text):
        found.append((start, end.start()))
        start = end.end()
    return [*found, (start, len(text))]


def offset(text: str, place: tuple[int, int], encoding: str) -> int:
    """LSP: beyond a line means its end, beyond the text its end; inside of a character means before it."""
    line, character = place
    lines = spans(text)
    if line >= len(lines):
        return len(text)
    codec, width = WIDTHS[encoding]
    at, end = lines[line]
    left = character
    while at < end and left >= (taken := len(text[at].encode(codec)) // width):
        at, left = at + 1, left - taken
    return at


def place_of(text: str, at: int) -> Position:
    """The place of an offset in UTF-16 units; inside of a line end means before it."""
    lines = spans(text)
    line = max(number for number, (start, _) in enumerate(lines) if start <= at)
    start, end = lines[line]
    return Position(line, len(text[start : min(at, end)].encode("utf-16-le")) // 2)


def partial(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(range=types.Range(types.Position(*start), types.Position(*end)), text=text)


def opened(text: str) -> Document:
    return Document("file:///a.py", "python", 1, text)


@given(text=TEXTS, changes=st.lists(st.tuples(PLACES, PLACES, TEXTS), max_size=6), encoding=ENCODINGS)
@example(text="a\rb", changes=[((1, 0), (1, 0), "\n")], encoding="utf-16")
@example(text="a\rx\nb", changes=[((1, 0), (1, 1), "")], encoding="utf-16")
@example(text="a\nb", changes=[((0, 1), (0, 1), "\r")], encoding="utf-16")
@example(text="", changes=[((3, 3), (9, 9), "\r"), ((1, 0), (1, 0), "\n")], encoding="utf-8")
def test_incremental_changes_are_those_of_the_protocol(text: str, changes: list, encoding: str):
    document = opened(text)
    for start, end, new in changes:
        ordered = sorted((start, end))
        low, high = (offset(text, place, encoding) for place in ordered)
        text = text[:low] + new + text[max(low, high) :]
        document.change(partial(*ordered, new), encoding)
        assert document.text == text
        assert "".join(document.lines) == text
        assert [document.line(number) for number in range(len(spans(text)))] == [text[at:end] for at, end in spans(text)]
        assert document.end == place_of(text, len(text))
    assert document.sequence == len(changes)


@given(text=TEXTS, place=PLACES, encoding=ENCODINGS)
def test_positions_are_clamped_and_converted(text: str, place: tuple[int, int], encoding: str):
    found = opened(text).utf16(types.Position(*place), encoding)
    assert found == place_of(text, offset(text, place, encoding))


def test_a_range_that_ends_before_it_begins_is_an_insertion():
    document = opened("abc\n")
    document.change(partial((0, 2), (0, 1), "-"), "utf-16")
    assert document.text == "ab-c\n"


@given(before=TEXTS, after=TEXTS)
def test_a_whole_text_is_taken_as_it_is(before: str, after: str):
    document = opened(before)
    edit = document.change(types.TextDocumentContentChangeWholeDocument(text=after), "utf-16")
    assert document.text == "".join(document.lines) == after
    assert Position(0, 0) <= edit.start <= edit.end <= place_of(before, len(before))
    assert edit.start <= edit.new_end <= place_of(after, len(after))


@given(text=TEXTS, start=PLACES, end=PLACES, new=TEXTS, at=st.integers(0, 24), opening=st.booleans())
@example(text="a\rb", start=(1, 0), end=(1, 0), new="\n", at=2, opening=True)
@example(text="a\rxx\nb", start=(1, 0), end=(1, 2), new="", at=5, opening=True)
@example(text="a\rxx\nb", start=(1, 0), end=(1, 2), new="", at=2, opening=True)
@example(text="a\nb", start=(0, 1), end=(0, 1), new="\r", at=2, opening=False)
@example(text="\r", start=(1, 0), end=(1, 0), new="\n", at=1, opening=False)
@example(text="\U0001f600a", start=(0, 0), end=(0, 2), new="b", at=1, opening=True)
def test_places_follow_the_text(text: str, start: tuple[int, int], end: tuple[int, int], new: str, at: int, opening: bool):
    """What is behind a place, or before it, is still there after an edit elsewhere."""
    start, end = sorted((start, end))
    low, high = offset(text, start, "utf-16"), offset(text, end, "utf-16")
    at = min(at, len(text))
    place = place_of(text, at)
    at = offset(text, (place.line, place.character), "utf-16")
    document = opened(text)
    document.change(partial(start, end, new), "utf-16")
    moved = document.moved(place, 0, opening=opening)
    shift = len(new) - (high - low)
    if low == high == at and not opening and document.text[at - 1 : at + 1] == "\r\n":
        assert place_of(document.text, at) <= moved <= place_of(document.text, at + shift)  # between the two there is no place
    elif at < low or (at == low and not (opening and low == high)):
        assert moved == place_of(document.text, at)
    elif at >= high:
        assert moved == place_of(document.text, at + shift)
    else:
        assert moved == place_of(document.text, low if opening else low + len(new))


@given(
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\U0001f600c\n", "\r"]), max_size=6),
    new=st.text("xy\n\U0001f600", max_size=5),
    data=st.data(),
)
def test_a_whole_text_moves_what_lies_outside_of_what_differs(ends: list[str], new: str, data: st.DataObject):
    lines = [f"{number}{end}" for number, end in enumerate(ends)]
    first = data.draw(st.integers(0, len(lines)))
    last = data.draw(st.integers(first, len(lines)))
    before, after = "".join(lines), "".join([*lines[:first], new, *lines[last:]])
    document = opened(before)
    document.change(types.TextDocumentContentChangeWholeDocument(text=after), "utf-16")
    for at in range(len("".join(lines[: max(first - 1, 0)]))):
        assert document.moved(place_of(before, at), 0, opening=True) == place_of(after, at)
    for at in range(len("".join(lines[: last + 1])), len(before)):
        assert document.moved(place_of(before, at), 0, opening=True) == place_of(after, at + len(after) - len(before))


def test_many_edits_are_followed_one_after_the_other():
    document = opened("def f():\n    return 1\n")
    since = document.sequence
    document.change(partial((0, 0), (0, 0), "import os\n"), "utf-16")
    middle = document.sequence
    document.change(partial((0, 0), (1, 0), ""), "utf-16")
    document.change(partial((1, 4), (1, 4), "\U0001f600 = "), "utf-16")
    assert document.moved(Position(1, 11), since, opening=True) == Position(1, 16)
    assert document.moved(Position(2, 11), middle, opening=True) == Position(1, 16)
    assert document.moved(Position(1, 16), document.sequence, opening=True) == Position(1, 16)


def test_a_place_of_too_long_ago_is_not_known():
    document = opened("a")
    for _ in range(MOST_EDITS + 1):
        document.change(partial((0, 0), (0, 0), "b"), "utf-16")
    assert document.moved(Position(0, 0), 0, opening=True) is None
    assert document.moved(Position(0, 0), 1, opening=True) == Position(0, MOST_EDITS)


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_three_line_ends_end_lines(end: str):
    document = opened(f"a{end}b\nc")
    document.change(partial((1, 0), (1, 1), "d"), "utf-16")
    assert document.text == f"a{end}b\nd"
