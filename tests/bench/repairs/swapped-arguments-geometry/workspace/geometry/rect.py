from typing import NamedTuple


class Rect(NamedTuple):
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self):
        return self.x + self.width

    @property
    def bottom(self):
        return self.y + self.height

    @property
    def area(self):
        return self.width * self.height


def from_corners(left, top, right, bottom):
    return Rect(left, top, right - left, bottom - top)


def intersection(a, b):
    """Common part of two rectangles, or None."""
    left, top = max(a.x, b.x), max(a.y, b.y)
    right, bottom = min(a.right, b.right), min(a.bottom, b.bottom)
    if right <= left or bottom <= top:
        return None
    return from_corners(left, top, right, bottom)


def bounding_box(rects):
    """Smallest rectangle around all the others."""
    left = min(r.x for r in rects)
    top = min(r.y for r in rects)
    right = max(r.right for r in rects)
    bottom = max(r.bottom for r in rects)
    return from_corners(left, top, bottom, right)
