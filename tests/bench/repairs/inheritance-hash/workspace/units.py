FACTORS = {"mm": 1, "cm": 10, "m": 1000}


class Length:
    def __init__(self, value, unit="mm"):
        if unit not in FACTORS:
            raise ValueError(unit)
        self.value = value
        self.unit = unit

    def in_mm(self):
        return self.value * FACTORS[self.unit]

    def __eq__(self, other):
        if not isinstance(other, Length):
            return NotImplemented
        return self.in_mm() == other.in_mm()

    def __lt__(self, other):
        return self.in_mm() < other.in_mm()

    def __add__(self, other):
        return Length(self.in_mm() + other.in_mm())

    def __repr__(self):
        return f"Length({self.value!r}, {self.unit!r})"


def distinct(lengths):
    """Different lengths, shortest first."""
    return sorted(set(lengths))
