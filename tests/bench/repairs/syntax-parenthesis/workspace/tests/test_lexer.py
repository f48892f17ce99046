import pytest

from tokens.lexer import LexError, Token, tokenise


def test_numbers_and_operators():
    assert [token.text for token in tokenise("1 + 2.5*x")] == ["1", "+", "2.5", "*", "x"]


def test_positions():
    assert tokenise("a  =3")[1] == Token("operator", "=", 3)


def test_kinds():
    assert [token.kind for token in tokenise("(y_1)")] == ["operator", "name", "operator"]


def test_blank():
    assert tokenise("   ") == []


def test_trailing_space():
    assert len(tokenise("1 ")) == 1


def test_error():
    with pytest.raises(LexError, match="unexpected character"):
        tokenise("1 $ 2")
