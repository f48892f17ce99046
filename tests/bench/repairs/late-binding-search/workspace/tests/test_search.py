import pytest

from notes.search import Note, search, tag_counts, tagged

NOTES = [
    Note("Bread", "flour, water and salt", ("food", "baking")),
    Note("Pasta", "flour and eggs", ("food",)),
    Note("Garden", "water the plants", ("home",)),
    Note("Pool", "Water and salt"),
]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("flour", ["Bread", "Pasta"]),
        ("WATER", ["Bread", "Garden", "Pool"]),
        ("flour water", ["Bread"]),
        ("eggs flour", ["Pasta"]),
        ("salt water and", ["Bread", "Pool"]),
        ("-water", ["Pasta"]),
        ("water -salt", ["Garden"]),
        ("-flour salt", ["Pool"]),
        ("flour -eggs -salt", []),
        ("sugar", []),
    ],
)
def test_search(query, titles):
    assert [note.title for note in search(NOTES, query)] == titles


def test_empty_query():
    assert search(NOTES, "  ") == NOTES


def test_any_iterable():
    assert search(iter(NOTES), "pasta") == [NOTES[1]]


def test_tagged():
    assert tagged(NOTES, "food") == NOTES[:2]
    assert tagged(NOTES, "food", "baking") == NOTES[:1]
    assert tagged(NOTES) == NOTES


def test_tag_counts():
    assert tag_counts(NOTES) == {"food": 2, "baking": 1, "home": 1}
