"""Canvases as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drawing.canvas import Canvas
    from drawing.shapes import Circle, Rectangle, Shape


def element(shape: Shape) -> str:
    """One shape; raises TypeError for anything that cannot be drawn."""
    if isinstance(shape, Circle):
        return f'<circle r="{shape.radius:g}"/>'
    if isinstance(shape, Rectangle):
        return f'<rect width="{shape.width:g}" height="{shape.height:g}"/>'
    raise TypeError(f"cannot draw {type(shape).__name__}")


def document(canvas: Canvas, size: int = 100) -> str:
    body = "".join(element(shape) for shape in canvas)
    return f'<svg viewBox="0 0 {size} {size}">{body}</svg>'
