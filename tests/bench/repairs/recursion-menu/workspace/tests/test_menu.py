import pytest

from menus.menu import Entry, depth, path_to, shortcuts


@pytest.fixture
def menu():
    menu = Entry("Main")
    file = menu.add("File")
    file.add("Open", "open", "Ctrl+O")
    recent = file.add("Recent")
    recent.add("Clear", "clear-recent")
    file.add("Quit", "quit", "Ctrl+Q")
    edit = menu.add("Edit")
    edit.add("Copy", "copy", "Ctrl+C")
    menu.add("Help", "help")
    return menu


def test_first_entry(menu):
    assert path_to(menu, "open") == ["Main", "File", "Open"]


def test_later_entry(menu):
    assert path_to(menu, "quit") == ["Main", "File", "Quit"]


def test_entry_in_another_branch(menu):
    assert path_to(menu, "copy") == ["Main", "Edit", "Copy"]
    assert path_to(menu, "help") == ["Main", "Help"]


def test_deep_entry(menu):
    assert path_to(menu, "clear-recent") == ["Main", "File", "Recent", "Clear"]


def test_entry_itself():
    assert path_to(Entry("Go", "go"), "go") == ["Go"]


def test_first_of_several(menu):
    menu.add("Tools").add("Duplicate", "copy")
    assert path_to(menu, "copy") == ["Main", "Edit", "Copy"]


def test_no_such_action(menu):
    assert path_to(menu, "paste") is None


def test_shortcuts(menu):
    assert shortcuts(menu) == {"Ctrl+O": "open", "Ctrl+Q": "quit", "Ctrl+C": "copy"}


def test_shortcut_is_taken(menu):
    menu.add("Close", "close", "Ctrl+Q")
    with pytest.raises(ValueError, match=r"Ctrl\+Q is taken by quit"):
        shortcuts(menu)


def test_depth(menu):
    assert depth(menu) == 4
    assert depth(Entry("Empty")) == 1
