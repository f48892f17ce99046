import pytest

from movetext.facts import captures, castlings
from movetext.scan import moves, result, strip_comments

ITALIAN = "1. e4 e5 2. Nf3 Nc6 3. Bc4 Bc5 {the quiet game} 4. O-O Nf6 5. d3 d6 1/2-1/2"
SHARP = "1. d4 d5 2. Nc3 Nf6 3. Bf4 Bf5 4. Qd2 e6 5. O-O-O c5 6. dxc5 Bxc5 7. f3 O-O 0-1"


def test_moves():
    assert moves(ITALIAN) == ["e4", "e5", "Nf3", "Nc6", "Bc4", "Bc5", "O-O", "Nf6", "d3", "d6"]


@pytest.mark.parametrize("move", ["R1e2", "Qxh7#", "bxa1=N+", "O-O+"])
def test_one_move(move):
    assert moves(f"30. {move}") == [move]


@pytest.mark.parametrize("move", ["O-O-O", "O-O-O+"])
def test_long_castling(move):
    assert moves(f"12. {move}") == [move]


def test_moves_in_comments_do_not_count():
    assert moves("1. e4 {or d4} e5 ; Nf3 is next\n2. Bc4") == ["e4", "e5", "Bc4"]


def test_strip_comments():
    assert strip_comments("a {b} c") == "a  c"


def test_result():
    assert result(ITALIAN) == "1/2-1/2"
    assert result(SHARP) == "0-1"
    assert result("1. e4 *") == result("1. e4") == "*"


def test_castlings():
    assert castlings(ITALIAN) == ("king", None)
    assert castlings("1. e4 e5") == (None, None)


def test_castlings_to_both_sides():
    assert castlings(SHARP) == ("queen", "king")


def test_captures():
    assert captures(SHARP) == 2
