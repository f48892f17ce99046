from cooking.card import card, light
from cooking.recipe import Ingredient, Recipe

PASTA = Recipe("Pasta", 2, (Ingredient("spaghetti", 250, 360), Ingredient("oil", 20, 900)))
SALAD = Recipe("Salad", 1, (Ingredient("lettuce", 200, 15),))


def test_kcal_of_an_ingredient():
    assert Ingredient("oil", 20, 900).kcal == 180


def test_scaled():
    double = PASTA.scaled(4)
    assert double.serves == 4
    assert [item.grams for item in double.ingredients] == [500, 40]


def test_scaling_keeps_the_original():
    PASTA.scaled(8)
    assert PASTA.serves == 2


def test_card_ingredients():
    assert card(SALAD)[1:] == ["- 200 g lettuce"]


def test_card_title():
    assert card(PASTA)[0] == "Pasta (serves 2, 540 kcal)"


def test_light():
    assert light([PASTA, SALAD], 100) == ["Salad"]
