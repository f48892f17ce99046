from parcels.parcel import Parcel
from parcels.van import Van, distribute


def test_load():
    van = Van("KX 1", payload=10)
    assert van.load(Parcel("A", 6000))
    assert not van.load(Parcel("B", 4001))
    assert van.left == 4000


def test_nothing_to_distribute():
    assert distribute([], [Van("KX 1", payload=10)]) == []


def test_distribute():
    small, large = Van("KX 1", payload=5), Van("KX 2", payload=20)
    parcels = [Parcel("A", 4000), Parcel("B", 12_000), Parcel("C", 2500, express=True), Parcel("D", 9000)]
    assert distribute(parcels, [small, large]) == [Parcel("D", 9000)]
    assert [parcel.code for parcel in small.parcels] == ["C"]
    assert [parcel.code for parcel in large.parcels] == ["B", "A"]


def test_without_vans_all_is_left():
    assert distribute([Parcel("A", 1)], []) == [Parcel("A", 1)]
