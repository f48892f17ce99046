import math

from shapes.base import Shape, register


@register
class Circle(Shape):
    kind = "circle"

    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2


@register
class Box(Shape):
    kind = "box"

    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height
