from __future__ import annotations

from cooking.recipe import Recipe


def card(recipe: Recipe) -> list[str]:
    """Lines of a printed recipe card."""
    lines = [f"{recipe.title} (serves {recipe.serves}, {recipe.kcal_per_serving} kcal)"]
    lines += [f"- {item.grams:g} g {item.name}" for item in recipe.ingredients]
    return lines


def light(recipes: list[Recipe], limit: int) -> list[str]:
    return [recipe.title for recipe in recipes if recipe.kcal_per_serving <= limit]
