from phonebook.book import Entry, PhoneBook


def make() -> PhoneBook:
    book = PhoneBook()
    book.add(Entry("Ann", "123", "Oslo"))
    book.add(Entry("Bob", "456", "Rome"))
    return book


def test_find_ignores_case() -> None:
    assert make().find("ANN") == Entry("Ann", "123", "Oslo")


def test_find_nobody() -> None:
    assert make().find("Cy") is None


def test_number() -> None:
    assert make().number_of("bob") == "456"


def test_city() -> None:
    assert make().in_city("Oslo") == ["Ann"]
