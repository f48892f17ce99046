import pytest

from minefield.board import Board


def test_mines():
    board = Board("..*\n*..")
    assert (board.width, board.height) == (3, 2)
    assert board.mines == {(2, 0), (0, 1)}


def test_ragged():
    with pytest.raises(ValueError, match="different lengths"):
        Board("..\n.")


def test_neighbours_in_a_corner():
    assert set(Board("...\n...").neighbours((0, 0))) == {(1, 0), (0, 1), (1, 1)}


def test_count():
    board = Board("*.*\n...\n*..")
    assert [board.count(square) for square in [(1, 1), (1, 0), (2, 2)]] == [3, 2, 0]
