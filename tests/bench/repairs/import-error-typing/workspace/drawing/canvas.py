from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drawing.shapes import Shape


class Canvas:
    """Shapes in the order in which they were put down."""

    def __init__(self) -> None:
        self._shapes: list[Shape] = []

    def put(self, shape: Shape) -> None:
        self._shapes.append(shape)

    def __iter__(self) -> Iterator[Shape]:
        return iter(self._shapes)

    def covered(self) -> float:
        return sum(shape.area for shape in self._shapes)
