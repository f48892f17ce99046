from collections.abc import Iterable
from fractions import Fraction

from recipes.ingredients import Ingredient


def scale(ingredients: Iterable[Ingredient], servings: int, wanted: int) -> list[Ingredient]:
    """The ingredients for another number of servings."""
    factor = Fraction(wanted, servings)
    return [item if item.amount is None else item._replace(amount=item.amount * factor) for item in ingredients]
