from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    x: int
    y: int
    width: int
    height: int

    @property
    def centre(self):
        return self.x + self.width // 2, self.y + self.height // 2

    def overlaps(self, other):
        """Whether two rooms share a tile or lie wall to wall."""
        return (
            self.x <= other.x + other.width
            and other.x <= self.x + self.width
            and self.y <= other.y + other.height
            and other.y <= self.y + self.height
        )

    def tiles(self):
        return {(x, y) for x in range(self.x, self.x + self.width) for y in range(self.y, self.y + self.height)}
