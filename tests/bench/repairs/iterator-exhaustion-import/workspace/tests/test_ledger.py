import pytest

from ledger.book import Book, read
from ledger.entry import Entry, parse_entry

TEXT = """# lunch
Expenses Food 12.50

Assets Cash -12.50
"""


def test_parse_entry():
    assert parse_entry("Assets Cash -0.29") == Entry("Assets Cash", -29)


def test_read_skips_comments():
    assert [entry.account for entry in read(TEXT.splitlines())] == ["Expenses Food", "Assets Cash"]


def test_post_list():
    book = Book()
    book.post([Entry("a", 5), Entry("b", -5)])
    assert book.balance("a") == 5


def test_post_from_text():
    book = Book()
    book.post(read(TEXT.splitlines()))
    assert book.balance("Expenses Food") == 1250
    assert book.balance("Assets Cash") == -1250


def test_unbalanced():
    book = Book()
    with pytest.raises(ValueError, match="not balanced"):
        book.post(read(["a 1", "b 2"]))
    assert book.balances == {}


def test_unknown_account():
    assert Book().balance("nowhere") == 0
