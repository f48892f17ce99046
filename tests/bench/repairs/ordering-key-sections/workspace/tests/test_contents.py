import pytest

from handbook.contents import Section, arrange, contents, find, parse


def numbers(sections):
    return [section.number for section in sections]


def make(*names):
    return [Section(name, f"Section {name}", page=1) for name in names]


def test_parse():
    assert parse("2.11 Cleaning the filter ..... 41") == Section("2.11", "Cleaning the filter", 41)


def test_depth():
    assert Section("2.11.3", "x", 1).depth == 3


def test_arrange():
    assert numbers(arrange(make("2", "1.2", "1", "1.1"))) == ["1", "1.1", "1.2", "2"]


def test_arrange_numbers_of_two_digits():
    assert numbers(arrange(make("10", "1.10", "9", "1.9", "1"))) == ["1", "1.9", "1.10", "9", "10"]


def test_arrange_deep_numbers():
    assert numbers(arrange(make("2.2.10", "2.10", "2.2.9", "2.2"))) == ["2.2", "2.2.9", "2.2.10", "2.10"]


def test_arrange_does_not_look_at_titles_and_pages():
    first, second = Section("3", "Zoo", 90), Section("12", "Ant", 5)
    assert arrange([second, first]) == [first, second]


def test_contents():
    sections = [Section("2", "Use", 9), Section("1", "Safety", 3), Section("1.1", "Signs", 4), Section("1.1.1", "Red", 5)]
    assert contents(sections) == "1 Safety 3\n  1.1 Signs 4\n2 Use 9"


def test_find():
    assert find(make("1", "1.1"), "1.1").title == "Section 1.1"
    with pytest.raises(KeyError):
        find(make("1"), "1.1")
