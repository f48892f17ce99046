from __future__ import annotations

from .segment import Segment
from .units import celsius
from .schedule import Schedule

BISQUE = Schedule("bisque", [Segment(120, 50, hold=60), Segment(600, 80), Segment(1000, 160, hold=15)])
GLAZE = Schedule("glaze", [Segment(celsius(1112), 145), Segment(celsius(2228), 310, hold=10)])
