import pytest
import template


def test_render():
    assert template.render("Hi {{ name }}, {{name}}!", {"name": "Bo"}) == "Hi Bo, Bo!"


def test_numbers_are_text():
    assert template.render("{{ n }} items", {"n": 3}) == "3 items"


def test_backslashes_stay():
    assert template.render("{{ path }}", {"path": r"C:\new"}) == r"C:\new"


def test_missing():
    with pytest.raises(template.MissingValue):
        template.render("{{ who }}", {})


def test_longer_names():
    text = "{{ first_name }} lives at {{ line2 }}"
    assert template.render(text, {"first_name": "Bo", "line2": "12 Elm St"}) == "Bo lives at 12 Elm St"


def test_names():
    assert template.names("{{ a }} {{ b_1 }} {{ a }}") == ["a", "b_1"]


def test_rename():
    assert template.rename("{{x}} {{ xy }}", "x", "z") == "{{ z }} {{ xy }}"


def test_braces_without_a_name():
    assert template.render("{{ }} {x}", {}) == "{{ }} {x}"
