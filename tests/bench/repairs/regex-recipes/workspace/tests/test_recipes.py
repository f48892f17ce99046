from fractions import Fraction

import pytest

from recipes import Ingredient, parse_line, parse_list, scale


@pytest.mark.parametrize(
    ("line", "amount"),
    [("2 cups flour", Fraction(2)), ("1/2 cup flour", Fraction(1, 2)), ("2 1/2 cups flour", Fraction(5, 2)), ("1.5 cups flour", Fraction(3, 2))],
)
def test_amounts(line, amount):
    assert parse_line(line) == Ingredient("flour", amount, "cup")


def test_unit_next_to_the_number():
    assert parse_line("250g sugar") == Ingredient("sugar", Fraction(250), "g")


def test_unit_in_capitals():
    assert parse_line("2 TSP salt") == Ingredient("salt", Fraction(2), "tsp")


def test_pieces():
    assert parse_line("3 eggs") == Ingredient("eggs", Fraction(3))


def test_pieces_with_more_words():
    assert parse_line("2 large eggs, beaten") == Ingredient("large eggs", Fraction(2), note="beaten")


def test_note():
    assert parse_line("- 100 g butter, soft") == Ingredient("butter", Fraction(100), "g", "soft")


def test_no_amount():
    assert parse_line("pepper, freshly ground") == Ingredient("pepper", note="freshly ground")


def test_list():
    text = """
    For the sauce:
    - 4 garlic cloves
    - 1 l milk

    - salt
    """
    assert parse_list(text) == [Ingredient("garlic cloves", Fraction(4)), Ingredient("milk", Fraction(1), "l"), Ingredient("salt")]


def test_scale():
    assert scale([Ingredient("milk", Fraction(1, 2), "l"), Ingredient("salt")], servings=4, wanted=6) == [
        Ingredient("milk", Fraction(3, 4), "l"),
        Ingredient("salt"),
    ]
