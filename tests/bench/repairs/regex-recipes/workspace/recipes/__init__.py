from recipes.ingredients import Ingredient, parse_line, parse_list
from recipes.scaling import scale

__all__ = ["Ingredient", "parse_line", "parse_list", "scale"]
