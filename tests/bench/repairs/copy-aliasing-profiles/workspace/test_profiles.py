import pytest

from profiles.profile import Profile


def test_defaults():
    assert Profile("x").get("editor", "tab") == 4


def test_set_and_get():
    p = Profile("x", {})
    p.set("ui", "theme", "dark")
    assert p.get("ui", "theme") == "dark"


def test_names_are_unique(manager):
    manager.create("a")
    with pytest.raises(ValueError, match="profile exists"):
        manager.create("a")


def test_rulers():
    p = Profile("x", {"editor": {"rulers": [100]}})
    p.add_ruler(80)
    p.add_ruler(100)
    assert p.get("editor", "rulers") == [80, 100]


def test_profiles_start_from_clean_defaults(manager):
    manager.create("a").set("editor", "tab", 2)
    assert manager.create("b").get("editor", "tab") == 4


def test_rulers_stay_in_their_profile(manager):
    manager.create("a").add_ruler(120)
    assert manager.create("b").get("editor", "rulers") == [80]


def test_clone_is_independent(manager):
    base = manager.create("a")
    manager.create("b", base="a").set("keys", "save", "f2")
    assert base.get("keys", "save") == "ctrl+s"
    assert manager.changed("a", "b") == ["keys.save"]


def test_clone_copies_values(manager):
    manager.create("a").set("editor", "tab", 8)
    assert manager.create("b", base="a").get("editor", "tab") == 8
