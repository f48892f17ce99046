"""Recorded walks with fewer points, for drawing (Douglas and Peucker's way)."""

import math


def distance(point, start, end):
    """How far a point is from the straight piece between two others."""
    (px, py), (sx, sy), (ex, ey) = point, start, end
    dx, dy = ex - sx, ey - sy
    length = dx * dx + dy * dy
    if length == 0:
        return math.hypot(px - sx, py - sy)
    along = max(0.0, min(1.0, ((px - sx) * dx + (py - sy) * dy) / length))
    return math.hypot(px - sx - along * dx, py - sy - along * dy)


def without_repeats(points):
    """The points without those that repeat the point before."""
    kept = []
    for point in points:
        if not kept or kept[-1] != point:
            kept.append(point)
    return kept


def simplify(points, tolerance):
    """Points of which no left-out one is further from the line than the tolerance; the ends always stay."""
    start, end = points[0], points[-1]
    inner = range(1, len(points) - 1)
    farthest = max(inner, key=lambda index: distance(points[index], start, end))
    if distance(points[farthest], start, end) <= tolerance:
        return [start, end]
    before = simplify(points[: farthest + 1], tolerance)
    after = simplify(points[farthest:], tolerance)
    return before[:-1] + after
