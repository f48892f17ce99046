from brewery.vessels import Keg, Tank


def test_a_tank_keeps_its_yeast() -> None:
    tank = Tank("Lager", 25)
    assert tank.drain(30) == 20
    assert tank.litres == 5


def test_a_tank_with_less_than_its_yeast() -> None:
    assert Tank("Lager", 3).drain(1) == 0


def test_a_closed_keg() -> None:
    keg = Keg("Stout")
    keg.drain(10)
    assert keg.litres == 50


def test_a_tapped_keg() -> None:
    keg = Keg("Stout", 20)
    keg.tap()
    keg.drain(12)
    assert keg.litres == 8
    keg.drain(12)
    assert keg.litres == 0
