from minefield.board import Board
from minefield.game import Game

FIELD = """
.....
.....
..*..
.....
....*
"""


def test_a_number_opens_alone():
    game = Game(Board(FIELD))
    game.step((1, 1))
    assert game.opened == {(1, 1)}


def test_a_mine_loses():
    game = Game(Board(FIELD))
    game.step((2, 2))
    assert game.lost
    game.step((1, 1))
    assert game.opened == set()


def test_an_empty_square_opens_its_surroundings():
    game = Game(Board("..*.."))
    game.step((0, 0))
    assert game.draw() == " 1###"


def test_a_large_field():
    game = Game(Board(FIELD))
    game.step((0, 0))
    assert game.draw().split("\n") == ["     ", " 111 ", " 1#1 ", " 1121", "   1#"]
    assert game.won


def test_flags_stay_closed():
    game = Game(Board("....*"))
    game.flag((1, 0))
    game.step((0, 0))
    game.step((1, 0))
    assert game.draw() == " F###"
    game.flag((1, 0))
    game.step((1, 0))
    assert game.draw() == "   1#"


def test_no_flag_on_an_open_square():
    game = Game(Board(".*"))
    game.step((0, 0))
    game.flag((0, 0))
    assert game.draw() == "1#"
    assert game.won
