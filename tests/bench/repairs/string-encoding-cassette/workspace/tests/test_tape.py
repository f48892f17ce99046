from cassette.record import Track
from cassette.tape import length, read, read_one, write

PLAIN = [Track("Blue Monday", "New Order", "A", 449), Track("Enola Gay", "OMD", "B", 213)]
MIXED = [
    Track("Jóga", "Björk", "A", 305),
    Track("Hoppípolla", "Sigur Rós", "A", 269),
    Track("Autobahn", "Kraftwerk", "B", 1363),
]


def test_there_and_back(tmp_path):
    assert write(tmp_path / "tape", PLAIN) == 96
    assert read(tmp_path / "tape") == PLAIN


def test_there_and_back_with_accents(tmp_path):
    assert write(tmp_path / "tape", MIXED) == 144
    assert read(tmp_path / "tape") == MIXED


def test_read_one(tmp_path):
    write(tmp_path / "tape", MIXED)
    assert read_one(tmp_path / "tape", 2) == MIXED[2]


def test_an_empty_tape(tmp_path):
    assert write(tmp_path / "tape", []) == 0
    assert read(tmp_path / "tape") == []


def test_length():
    assert length(MIXED, "A") == "9:34"
    assert length(MIXED, "C") == "0:00"
