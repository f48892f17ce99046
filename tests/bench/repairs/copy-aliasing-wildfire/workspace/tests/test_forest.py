import pytest

from wildfire.forest import Forest
from wildfire.report import hours_until_out, lost


def test_text_and_back():
    assert str(Forest("T.F\naTT")) == "T.F\naTT"


def test_unknown_mark():
    with pytest.raises(ValueError, match="unknown"):
        Forest("TxT")


def test_ignite():
    forest = Forest("T.\nTT")
    forest.ignite(0, 1)
    forest.ignite(1, 0)
    assert str(forest) == "T.\nFT"


def test_around():
    assert sorted(Forest("T.F\naTT\n...").around(1, 1)) == [".", ".", "T", "a"]


def test_step_to_the_left():
    forest = Forest("TTF")
    forest.step()
    assert str(forest) == "TFa"


def test_step_to_the_right():
    forest = Forest("FTT")
    forest.step()
    assert str(forest) == "aFT"


def test_step_in_all_directions():
    forest = Forest("TTT\nTFT\nTTT")
    forest.step()
    assert str(forest) == "TFT\nFaF\nTFT"


def test_bare_ground_stops_a_fire():
    assert lost("TT.T", 0, 0) == 2
    assert lost("TT.T", 2, 0) == 0


def test_hours():
    assert hours_until_out(Forest("FTTT")) == 4
    assert hours_until_out(Forest("TT\nTT")) == 0
