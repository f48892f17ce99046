from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Ingredient:
    name: str
    grams: float
    kcal_per_100g: float = 0.0

    @property
    def kcal(self) -> float:
        return self.grams * self.kcal_per_100g / 100


@dataclass(frozen=True)
class Recipe:
    title: str
    serves: int
    ingredients: tuple[Ingredient, ...] = field(default=())

    def kcal_per_serving(self) -> int:
        return round(sum(item.kcal for item in self.ingredients) / self.serves)

    def scaled(self, serves: int) -> Recipe:
        """The same recipe for another number of people."""
        factor = serves / self.serves
        scaled = tuple(replace(item, grams=item.grams * factor) for item in self.ingredients)
        return replace(self, serves=serves, ingredients=scaled)
