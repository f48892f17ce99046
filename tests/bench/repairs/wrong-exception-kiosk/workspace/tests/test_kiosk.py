import pytest

from kiosk import Kiosk, KioskError, NoChange, Shelf, SoldOut, UnknownItem


@pytest.fixture
def kiosk():
    shelf = Shelf()
    shelf.add("tea", 120, 1)
    shelf.add("soup", 250, 2)
    shelf.add("tea", 130, 1)
    return Kiosk(shelf, {50: 2, 20: 2, 10: 1})


def test_exact_money_gives_no_change(kiosk):
    assert kiosk.buy("soup", 250) == []


def test_change_in_the_greatest_coins(kiosk):
    assert kiosk.buy("tea", 200) == [50, 20, 10]
    assert kiosk.coins == {50: 1, 20: 1, 10: 0}


def test_second_slot_when_the_first_is_empty(kiosk):
    kiosk.buy("tea", 120)
    assert kiosk.buy("tea", 130) == []
    assert kiosk.shelf.offers() == ["soup"]


def test_sold_out(kiosk):
    kiosk.buy("tea", 120)
    kiosk.buy("tea", 130)
    with pytest.raises(SoldOut, match="tea is sold out"):
        kiosk.buy("tea", 150)


def test_unknown_item(kiosk):
    with pytest.raises(UnknownItem, match="do not sell cake"):
        kiosk.buy("cake", 500)


def test_too_little_money(kiosk):
    with pytest.raises(KioskError, match="costs 250"):
        kiosk.buy("soup", 200)


def test_no_change_leaves_everything_in_place(kiosk):
    with pytest.raises(NoChange, match="350 cents are lacking"):
        kiosk.buy("tea", 120 + 500)
    assert kiosk.coins == {50: 2, 20: 2, 10: 1}
    assert kiosk.shelf.find("tea").left == 1


def test_coins_too_great_for_the_change(kiosk):
    with pytest.raises(NoChange, match="5 cents"):
        kiosk.take_change(25)


def test_display_of_a_good_day(kiosk):
    assert list(kiosk.serve([("soup", 300), ("cake", 100), ("tea", 120)])) == ["soup, change 50", "sorry: we do not sell cake", "tea, change 0"]


def test_display_goes_on_after_a_refusal(kiosk):
    orders = [("soup", 250), ("soup", 250), ("soup", 250), ("tea", 999), ("tea", 120)]
    assert list(kiosk.serve(orders)) == [
        "soup, change 0",
        "soup, change 0",
        "sorry: soup is sold out",
        "sorry: 729 cents are lacking in the till",
        "tea, change 0",
    ]
