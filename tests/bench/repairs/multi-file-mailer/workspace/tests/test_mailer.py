import pytest

from mailer.book import AddressBook
from mailer.send import envelope


@pytest.fixture
def book():
    return AddressBook()


def test_no_members(book):
    assert book.members("news") == ()
    assert envelope(book, "news", "Hi") is None


def test_twice(book):
    book.subscribe("news", "bo@example.org")
    book.subscribe("news", " bo@EXAMPLE.org ")
    assert book.members("news") == ("bo@example.org",)


def test_local_part_keeps_its_case(book):
    book.subscribe("news", "Bo.Lee@Example.ORG")
    assert book.members("news") == ("Bo.Lee@example.org",)


def test_envelope(book):
    book.subscribe("dev", "ann@a.io")
    book.subscribe("dev", "CY@B.IO")
    assert envelope(book, "dev", "Build") == {
        "From": "noreply@example.org",
        "Bcc": "ann@a.io, CY@b.io",
        "Subject": "[dev] Build",
    }


@pytest.mark.parametrize("address", ["bo", "bo@", "bo@host", "b o@host.org"])
def test_invalid(book, address):
    with pytest.raises(ValueError):
        book.subscribe("news", address)
