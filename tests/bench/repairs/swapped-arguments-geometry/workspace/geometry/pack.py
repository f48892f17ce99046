from geometry.rect import Rect, bounding_box


def shelf(sizes, gap=0):
    """Put boxes side by side; returns the placed boxes and the canvas around them."""
    placed, x = [], 0
    for width, height in sizes:
        placed.append(Rect(x, 0, width, height))
        x += width + gap
    return placed, bounding_box(placed)
