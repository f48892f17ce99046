import math
from dataclasses import dataclass, field

from trail.simplify import simplify, without_repeats


@dataclass
class Walk:
    name: str
    points: list = field(default_factory=list)

    def add(self, x, y):
        self.points.append((x, y))

    @property
    def length(self):
        return sum(math.dist(here, there) for here, there in zip(self.points, self.points[1:]))

    def sketch(self, tolerance=1.0):
        """The same walk with fewer points."""
        return Walk(self.name, simplify(without_repeats(self.points), tolerance))
