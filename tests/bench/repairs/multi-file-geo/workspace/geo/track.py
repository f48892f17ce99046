from geo.point import haversine


class Track:
    def __init__(self, points):
        self.points = list(points)

    def length(self):
        return sum(haversine(a, b) for a, b in zip(self.points, self.points[1:]))

    def waypoints(self):
        """Names of the named points, in order."""
        return [p.name for p in self.points if p.name]
