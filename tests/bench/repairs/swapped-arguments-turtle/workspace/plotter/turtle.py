"""A drawing turtle: headings are degrees from north, clockwise; x goes east and y goes north."""

import math


class Turtle:
    def __init__(self, x=0.0, y=0.0, heading=0.0):
        self.x = x
        self.y = y
        self.heading = heading % 360
        self.pen = True
        self.strokes = []

    @property
    def position(self):
        return round(self.x, 6), round(self.y, 6)

    def forward(self, steps):
        before = self.position
        angle = math.radians(self.heading)
        self.x += steps * math.sin(angle)
        self.y += steps * math.cos(angle)
        if self.pen:
            self.strokes.append((before, self.position))

    def right(self, degrees):
        self.heading = (self.heading + degrees) % 360

    def left(self, degrees):
        self.right(-degrees)

    def bearing(self, x, y):
        """The heading from the turtle to a point."""
        return math.degrees(math.atan2(y - self.y, x - self.x)) % 360

    def face(self, x, y):
        self.heading = self.bearing(x, y)

    def go_to(self, x, y):
        """Turn to a point and walk to it."""
        self.face(x, y)
        self.forward(math.hypot(x - self.x, y - self.y))
