"""Positions: the one place where lines, code points, bytes and UTF-16 units meet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.text import Position, Range, convert, lines_with_ends, point, split_lines, units, whole_line

CHARACTERS = st.characters(exclude_categories=["Cs"])
LINES = st.text(st.one_of(CHARACTERS, st.sampled_from("aé\u20ac\U0001f600\t\x0c\ufeff")), max_size=40).map(
    lambda text: text.replace("\r", "").replace("\n", "")
)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-32"])
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def measured(text: str, encoding: str) -> int:
    codec, width = CODECS[encoding]
    return len(text.encode(codec)) // width


@given(line=LINES, encoding=ENCODINGS)
def test_units_are_what_the_codec_writes(line, encoding):
    assert units(line, encoding) == measured(line, encoding)


@given(line=LINES, index=st.integers(0, 40), source=ENCODINGS, target=ENCODINGS)
def test_converting_a_boundary_gives_the_same_boundary(line, index, source, target):
    before = line[:index]
    assert convert(line, measured(before, source), source=source, target=target) == measured(before, target)


@given(line=LINES, offset=st.integers(-5, 200), source=ENCODINGS, target=ENCODINGS)
def test_any_offset_lands_on_a_boundary_inside_the_line(line, offset, source, target):
    boundaries = [(measured(line[:index], source), measured(line[:index], target)) for index in range(len(line) + 1)]
    allowed = max((pair for pair in boundaries if pair[0] <= max(offset, 0)), key=lambda pair: pair[0])
    assert convert(line, offset, source=source, target=target) == allowed[1]


@given(line=LINES, encoding=ENCODINGS, offset=st.integers(0, 100))
def test_there_and_back_is_idempotent(line, encoding, offset):
    there = convert(line, offset, source=encoding, target="utf-16")
    back = convert(line, there, source="utf-16", target=encoding)
    assert convert(line, back, source=encoding, target="utf-16") == there


@given(line=LINES, smaller=st.integers(0, 80), larger=st.integers(0, 80), source=ENCODINGS, target=ENCODINGS)
def test_order_is_kept(line, smaller, larger, source, target):
    smaller, larger = sorted((smaller, larger))
    assert convert(line, smaller, source=source, target=target) <= convert(line, larger, source=source, target=target)


@pytest.mark.parametrize(
    ("line", "offset", "source", "target", "expected"),
    [
        ("x = '\U0001f600'", 9, "utf-32", "utf-16", 8),  # behind the end: clamped
        ("'\U0001f600' + y", 4, "utf-32", "utf-16", 5),
        ("'\U0001f600' + y", 5, "utf-16", "utf-32", 4),
        ("'\U0001f600' + y", 2, "utf-16", "utf-32", 1),  # inside of the pair: before it
        ("'\U0001f600' + y", 3, "utf-8", "utf-16", 1),  # inside of its four bytes: before it
        ("é = 1", 2, "utf-8", "utf-32", 1),
        ("\ufeffx", 1, "utf-32", "utf-8", 3),
        ("abc", 2, "utf-8", "utf-16", 2),
        ("", 7, "utf-8", "utf-16", 0),
    ],
)
def test_known_places(line, offset, source, target, expected):
    assert convert(line, offset, source=source, target=target) == expected


@given(parts=st.lists(LINES, min_size=1, max_size=6), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_lines_are_split_where_editors_split_them(parts, end):
    assert split_lines(end.join(parts)) == parts


@pytest.mark.parametrize("inner", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_str_splitlines_takes_for_a_line_end_is_none(inner):
    text = f"a{inner}b\nc"
    assert split_lines(text) == [f"a{inner}b", "c"]
    assert len(text.splitlines()) == 3  # what would have been wrong


def test_mixed_line_ends():
    assert split_lines("a\r\nb\rc\n\n") == ["a", "b", "c", "", ""]
    assert split_lines("") == [""]


def test_a_point_is_bounded_by_its_line_and_total_without_the_text():
    lines = ["'\U0001f600' = x", "ab"]
    assert point(0, 4, lines=lines) == Position(0, 5)
    assert point(0, 99, lines=lines) == Position(0, 8)
    assert point(1, 1, lines=lines, source="utf-8") == Position(1, 1)
    assert point(7, 3, lines=lines) == Position(7, 3)  # the file changed since: as it was said
    assert point(-1, -1) == Position(0, 0)


@given(line=LINES)
def test_a_whole_line_covers_what_can_be_seen(line):
    covered = whole_line(0, lines=[line])
    assert covered.start.line == covered.end.line == 0
    raw = line.encode("utf-16-le")
    shown = raw[2 * covered.start.character : 2 * covered.end.character].decode("utf-16-le")
    assert shown == line.strip()


def test_a_whole_line_beyond_the_text_is_empty():
    assert whole_line(3, lines=["a"]) == Range(Position(3, 0), Position(3, 0))
    assert whole_line(-2) == Range(Position(0, 0), Position(0, 0))
    assert whole_line(0, lines=["\t x  "]) == Range(Position(0, 2), Position(0, 3))


def test_positions_are_ordered_as_in_the_text():
    assert Position(1, 0) > Position(0, 99)
    assert Range(Position(0, 1), Position(0, 2)) < Range(Position(0, 1), Position(1, 0))


@given(text=st.text(st.sampled_from("ab\r\n\x0c\u2028\x85"), max_size=30))
def test_lines_with_ends_are_the_lines_and_give_back_the_text(text):
    lines = lines_with_ends(text)
    assert "".join(lines) == text
    assert [line.rstrip("\r\n") for line in lines] == split_lines(text)[: len(lines)]
    assert all(line.endswith(("\r", "\n")) for line in lines[:-1])
