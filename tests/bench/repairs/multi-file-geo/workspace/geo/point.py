import math
from typing import NamedTuple


class Point(NamedTuple):
    lat: float
    lon: float
    label: str = ""


def haversine(a, b):
    """Distance in kilometres."""
    p1, p2 = math.radians(a.lat), math.radians(b.lat)
    dlon = math.radians(b.lon - a.lon)
    h = math.sin((p2 - p1) / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(dlon / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))
