"""What the hire of a bicycle costs, in cents.

A tariff is put together from a base price and from rules; every rule changes the price that the next class in line gives.
"""

from __future__ import annotations

from bikehire.ride import Ride


class Tariff:
    """So much to unlock the bicycle, and so much for every minute that is begun."""

    name = "basic"
    unlock = 100
    minute = 15

    def price(self, ride: Ride) -> int:
        return self.unlock + self.minute * ride.minutes

    def line(self, ride: Ride) -> str:
        price = self.price(ride)
        return f"{self.name}: {ride.minutes} min {price // 100}.{price % 100:02}"


class Capped(Tariff):
    """No ride is charged more than the highest price."""

    highest = 1500

    def price(self, ride: Ride) -> int:
        return min(super().price(ride), self.highest)


class NightSurcharge(Tariff):
    """A third more for rides that begin at night."""

    def price(self, ride: Ride) -> int:
        price = super().price(ride)
        return price + price // 3 if ride.at_night else price


class FreeMinutes(Tariff):
    """Members ride the first minutes for nothing."""

    free = 10

    def price(self, ride: Ride) -> int:
        return super().price(ride.shortened(self.free))


class CityTariff(NightSurcharge, Capped):
    name = "city"


class MemberTariff(FreeMinutes, Tariff):
    name = "member"
    unlock = 0


TARIFFS: dict[str, Tariff] = {tariff.name: tariff for tariff in (Tariff(), CityTariff(), MemberTariff())}
