import pytest

from contacts import Contact, load, save
from contacts.files import merge


@pytest.fixture
def path(tmp_path):
    return tmp_path / "contacts.csv"


def test_load(path):
    path.write_bytes(b"name,email,phone\r\nAnn,ann@example.org,12\r\nBob,,\r\n")
    assert load(path) == [Contact("Ann", "ann@example.org", "12"), Contact("Bob")]


def test_load_from_a_spreadsheet(path):
    path.write_bytes("\ufeffname,phone\r\nZoë,34\r\n".encode())
    assert load(path) == [Contact("Zoë", phone="34")]


def test_mark_before_another_column(path):
    path.write_bytes("\ufeffemail,name\nann@example.org,Ann\n".encode())
    assert load(path) == [Contact("Ann", "ann@example.org")]


def test_unknown_columns(path):
    path.write_text("group,name\nfriends,Ann\n", encoding="utf-8")
    assert load(path) == [Contact("Ann")]


def test_no_names(path):
    path.write_text("email\nann@example.org\n", encoding="utf-8")
    with pytest.raises(ValueError, match="contacts.csv has no column"):
        load(path)


def test_empty_file(path):
    path.touch()
    with pytest.raises(ValueError, match="no column"):
        load(path)


def test_save_and_load(path):
    people = [Contact("Zoë, the first", "zoe@example.org"), Contact("Jiří", phone="56")]
    save(path, people)
    assert load(path) == people
    assert path.read_bytes().startswith(b"name,email,phone\r\n")


def test_merge():
    people = [Contact("Ann", "a@example.org"), Contact("Bob"), Contact("Ann B", "A@example.org"), Contact("Cy")]
    assert merge(people) == [people[2], people[1], people[3]]
