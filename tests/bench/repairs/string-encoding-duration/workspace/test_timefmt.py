from timefmt import clock, split, words


def test_split():
    assert split(3675) == (1, 1, 15)
    assert split(59.9) == (0, 0, 59)


def test_clock_short():
    assert clock(75) == "1:15"
    assert clock(5) == "0:05"


def test_clock_long():
    assert clock(36000 + 20 * 60 + 1) == "10:20:01"


def test_clock_pads():
    assert clock(3675) == "1:01:15"


def test_clock_negative():
    assert clock(-90) == "-1:30"


def test_words():
    assert words(3675) == "1 h 1 min 15 s"
    assert words(0) == "0 s"
    assert words(7200) == "2 h"
