import pytest

from signboard import TooLong, board, fill, scroll


def test_one_row():
    assert fill("open now", 10) == ["open now"]


def test_nothing():
    assert fill("  ", 5) == []


def test_wide_gaps_shrink():
    assert fill(" open   daily ", 20) == ["open daily"]


def test_row_that_is_just_full():
    assert fill("open daily from nine", 10) == ["open daily", "from nine"]


def test_row_that_would_be_one_too_wide():
    assert fill("open today", 9) == ["open", "today"]


@pytest.mark.parametrize("width", [6, 9, 13, 20])
def test_no_row_is_too_wide(width):
    rows = fill("fresh bread and cakes every day but monday", width)
    assert max(map(len, rows)) <= width
    assert "".join(rows).replace(" ", "") == "freshbreadandcakeseverydaybutmonday"


def test_long_words_are_cut():
    assert fill("a greengrocer", 5) == ["a", "green", "groce", "r"]


def test_long_word_that_fills_its_rows():
    assert fill("pineapples a", 5) == ["pinea", "pples", "a"]


def test_board():
    assert board("fish chips", 7, 4) == ["       ", "  fish ", " chips ", "       "]


def test_board_is_too_small():
    with pytest.raises(TooLong, match="3 rows do not fit into 2"):
        board("one three five", 5, 2)


def test_scroll():
    assert scroll("hi", 2) == ["  ", " h", "hi", "i ", "  "]
