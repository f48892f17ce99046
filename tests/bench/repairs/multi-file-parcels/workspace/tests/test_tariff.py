import pytest

from parcels.parcel import Parcel, parse
from parcels.tariff import TooHeavy, postage


def test_postage_by_band():
    assert [postage(parse(f"X; {weight}")) for weight in ("2 kg", "2001 g", "9.9 kg", "31.5 kg")] == [495, 690, 940, 1790]


def test_express():
    assert postage(Parcel("X", 1500, express=True)) == 1095


def test_too_heavy():
    with pytest.raises(TooHeavy, match="PIANO"):
        postage(Parcel("PIANO", 250_000))
