from plotter.turtle import Turtle


def polygon(turtle, corners, side):
    for _ in range(corners):
        turtle.forward(side)
        turtle.right(360 / corners)


def path(points):
    """The strokes through some points, without one to the first point."""
    turtle = Turtle(*points[0])
    for x, y in points[1:]:
        turtle.go_to(x, y)
    return turtle.strokes
