"""The vehicles of a rental company: what each has to be inspected for, and what it costs a day."""

from __future__ import annotations


class Vehicle:
    daily_rate = 20

    def __init__(self, plate: str, *, seats: int = 2, **other: object) -> None:
        if other:
            raise TypeError(f"unknown properties: {', '.join(sorted(other))}")
        self.plate = plate
        self.seats = seats

    def inspections(self) -> list[str]:
        return ["papers", "first aid kit"]

    def price(self, days: int) -> int:
        return self.daily_rate * days

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.plate!r})"


class RoadVehicle(Vehicle):
    def __init__(self, plate: str, *, axles: int = 2, **other) -> None:
        super().__init__(plate, **other)
        self.axles = axles

    def inspections(self) -> list[str]:
        return [*Vehicle.inspections(self), "brakes", f"tyres of {self.axles} axles"]


class WaterVehicle(Vehicle):
    daily_rate = 55

    def __init__(self, plate: str, *, draught: float = 0.4, **other) -> None:
        super().__init__(plate, **other)
        self.draught = draught

    def inspections(self) -> list[str]:
        found = [*super().inspections(), "bilge pump"]
        if self.seats > 0:
            found.append(f"{self.seats} life jackets")
        return found


class Car(RoadVehicle):
    daily_rate = 35

    def price(self, days: int) -> int:
        """Every seventh day is free."""
        return super().price(days - days // 7)


class Trailer(RoadVehicle):
    def __init__(self, plate: str, **other) -> None:
        super().__init__(plate, seats=0, **other)

    def inspections(self) -> list[str]:
        return [name for name in super().inspections() if name != "first aid kit"]


class AmphibiousCar(Car, WaterVehicle):
    daily_rate = 90

    def inspections(self) -> list[str]:
        return [*super().inspections(), "door seals"]


def checklist(fleet: list[Vehicle]) -> dict[str, list[str]]:
    """Which plates have to be brought in for each inspection, the inspections in order of the alphabet."""
    found: dict[str, list[str]] = {}
    for vehicle in fleet:
        for name in vehicle.inspections():
            found.setdefault(name, []).append(vehicle.plate)
    return dict(sorted(found.items()))
