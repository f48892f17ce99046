import pytest

from parcels.parcel import Parcel, parse, parse_weight


def test_parse_weight():
    assert parse_weight("750 g") == 750
    assert parse_weight("1.25 kg") == 1250


@pytest.mark.parametrize("text", ["3 lb", "0 g", "0.5 g"])
def test_not_a_weight(text):
    with pytest.raises(ValueError):
        parse_weight(text)


def test_parse():
    assert parse("RX12; 1.25 kg; express") == Parcel("RX12", 1250, express=True)
    assert parse("RX13; 80 g") == Parcel("RX13", 80)
