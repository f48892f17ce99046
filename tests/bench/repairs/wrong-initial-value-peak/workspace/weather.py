from datetime import date


class Station:
    def __init__(self, name):
        self.name = name
        self.readings = {}

    def record(self, day, celsius):
        self.readings.setdefault(day, []).append(celsius)

    def warmest(self, day):
        """Highest temperature of a day, or None without readings."""
        values = self.readings.get(day)
        if not values:
            return None
        best = 0
        for value in values:
            if value > best:
                best = value
        return best

    def frost_days(self):
        """Days on which every reading was below zero, sorted."""
        return sorted(d for d, values in self.readings.items() if max(values) < 0)


def fahrenheit(celsius):
    return round(celsius * 9 / 5 + 32, 1)


def report(station, day: date) -> str:
    warmest = station.warmest(day)
    if warmest is None:
        return f"{station.name}: no data"
    return f"{station.name}: {warmest:.1f} C / {fahrenheit(warmest)} F"
