import pytest

from blocksync.match import matches, signatures


def test_signatures():
    found = signatures(b"abcdabcdefghij", 4)
    assert sorted(found.values()) == [[0, 4], [8]]


def test_same_file():
    assert matches(b"abcdefgh", b"abcdefgh", 4) == [(0, 0), (4, 4)]


def test_inserted_bytes():
    assert matches(b"abcdefgh", b"--abcd-efgh", 4) == [(2, 0), (7, 4)]


def test_nothing_alike():
    assert matches(b"abcdefgh", b"zzzzzzzzzz", 4) == []


def test_short_files():
    assert matches(b"abc", b"abcdef", 4) == []
    assert matches(b"abcdef", b"abc", 4) == []


def test_block_size():
    with pytest.raises(ValueError, match="at least one byte"):
        matches(b"a", b"a", 0)
