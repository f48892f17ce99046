import pytest
from vehicles import AmphibiousCar, Car, Trailer, WaterVehicle, checklist


def test_inspections_of_a_car():
    assert Car("B 12", seats=5).inspections() == ["papers", "first aid kit", "brakes", "tyres of 2 axles"]


def test_inspections_of_a_trailer():
    assert Trailer("T 3", axles=1).inspections() == ["papers", "brakes", "tyres of 1 axles"]


def test_inspections_of_a_boat():
    assert WaterVehicle("HH 7", seats=4).inspections() == ["papers", "first aid kit", "bilge pump", "4 life jackets"]


def test_inspections_of_an_amphibious_car():
    names = AmphibiousCar("A 1", seats=4, axles=2, draught=0.6).inspections()
    assert sorted(names) == ["4 life jackets", "bilge pump", "brakes", "door seals", "first aid kit", "papers", "tyres of 2 axles"]


def test_an_amphibious_car_is_built_with_the_properties_of_both():
    car = AmphibiousCar("A 1", seats=4, axles=3, draught=0.6)
    assert (car.plate, car.seats, car.axles, car.draught) == ("A 1", 4, 3, 0.6)


def test_unknown_properties_are_refused():
    with pytest.raises(TypeError, match="unknown properties: wings"):
        AmphibiousCar("A 1", wings=2)


@pytest.mark.parametrize(("days", "price"), [(1, 35), (6, 210), (7, 210), (15, 455)])
def test_price_of_a_car(days, price):
    assert Car("B 12").price(days) == price


def test_price_of_the_others():
    assert Trailer("T 3").price(7) == 140
    assert WaterVehicle("HH 7").price(2) == 110
    assert AmphibiousCar("A 1").price(8) == 630


def test_checklist_of_a_fleet():
    fleet = [Trailer("T 3"), WaterVehicle("HH 7", seats=0), AmphibiousCar("A 1", seats=2)]
    assert checklist(fleet) == {
        "2 life jackets": ["A 1"],
        "bilge pump": ["HH 7", "A 1"],
        "brakes": ["T 3", "A 1"],
        "door seals": ["A 1"],
        "first aid kit": ["HH 7", "A 1"],
        "papers": ["T 3", "HH 7", "A 1"],
        "tyres of 2 axles": ["T 3", "A 1"],
    }
