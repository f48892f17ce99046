import pytest

from cassette.record import SIZE, Track, fixed, pack, unpack


def test_a_short_text_is_padded():
    assert fixed("Tape", 6) == b"Tape  "


def test_a_long_text_is_cut():
    assert fixed("Interlude", 5) == b"Inter"


def test_accents():
    assert fixed("Éire", 6) == b"\xc3\x89ire "
    assert fixed("Déjà", 5) == b"D\xc3\xa9j "


def test_pack_and_unpack():
    track = Track("Blue Monday", "New Order", "A", 449)
    assert len(pack(track)) == SIZE
    assert unpack(pack(track)) == track


def test_too_many_seconds():
    with pytest.raises(ValueError, match="cannot store 10000 seconds"):
        pack(Track("Drone", "Nobody", "B", 10_000))


def test_a_record_of_another_size():
    with pytest.raises(ValueError, match="a record of 3 bytes"):
        unpack(b"abc")
