from slugs.normalise import squeeze, to_ascii


def test_to_ascii():
    assert to_ascii("Straße łódź") == "Strasse lodz"


def test_squeeze():
    assert squeeze("--a---b-", "-") == "a-b"
