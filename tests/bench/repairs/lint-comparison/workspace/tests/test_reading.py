from sensors.reading import decode, latest, usable

GOOD = '{"id": "t1", "value": "20.5"}'
OFF = '{"id": "t1", "value": 99, "valid": false}'


def test_decode():
    assert decode(GOOD) == {"id": "t1", "value": 20.5, "valid": True}


def test_damaged():
    assert decode("{") is None
    assert decode('{"id": 1}') is None
    assert decode('{"id": 1, "value": "x"}') is None


def test_usable():
    assert usable([None, decode(OFF), decode(GOOD)]) == [decode(GOOD)]


def test_latest():
    assert latest([GOOD, "noise", OFF, '{"id": "t2", "value": 1}']) == {"t1": 20.5, "t2": 1.0}
