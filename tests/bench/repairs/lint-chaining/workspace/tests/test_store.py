import pytest

from prefs.store import PreferenceError, Preferences


@pytest.fixture
def path(tmp_path):
    return tmp_path / "prefs.json"


def test_no_file(path):
    preferences = Preferences(path)
    preferences.load()
    assert preferences.get("theme", "light") == "light"


def test_save_and_load(path):
    preferences = Preferences(path)
    preferences.put("theme", "dark")
    preferences.save()
    other = Preferences(path)
    other.load()
    assert other.get("theme") == "dark"


def test_not_json(path):
    path.write_text('{\n"theme": dark}\n')
    with pytest.raises(PreferenceError, match="prefs.json, line 2"):
        Preferences(path).load()


def test_not_an_object(path):
    path.write_text("[1, 2]")
    with pytest.raises(PreferenceError, match="not an object"):
        Preferences(path).load()


def test_values_stay_when_loading_fails(path):
    preferences = Preferences(path)
    preferences.put("theme", "dark")
    path.write_text("{")
    with pytest.raises(PreferenceError):
        preferences.load()
    assert preferences.get("theme") == "dark"
