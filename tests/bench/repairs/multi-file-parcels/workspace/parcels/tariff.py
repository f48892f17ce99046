"""What a parcel costs, in cents."""

from __future__ import annotations

from parcels.parcel import Parcel

BANDS = ((2, 495), (5, 690), (10, 940), (31.5, 1790))  # up to so many kilograms
EXPRESS = 600


class TooHeavy(Exception):
    pass


def postage(parcel: Parcel) -> int:
    for kilograms, cents in BANDS:
        if parcel.weight <= kilograms:
            return cents + (EXPRESS if parcel.express else 0)
    raise TooHeavy(parcel.code)
