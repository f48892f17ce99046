"""The drift bench's own parts, on a package made here: hunks, settings, what cannot be rebuilt."""

from __future__ import annotations

import importlib.util
import json
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


drift_cases = _load("drift_cases")

TABLE = {
    "package": "alpha",
    "version": "1",
    "sdist_sha256": "0" * 64,
    "fixed_version": "2",
    "fixed_sha256": "0" * 64,
    "command": "python -m pytest -q 'tests/a b'",
    "env": {"PYTHONPATH": "src"},
    "gold": {"files": ["alpha.py", "new.py"], "added": 3, "removed": 2, "hunks": 3},
    "python": "3.11",
}


@pytest.fixture
def drift(tmp_path):
    return drift_cases.Case(id="alpha", folder=tmp_path, table=TABLE)


def _applied(text, replacements):
    for search, replace in replacements:
        assert text.count(search) == 1
        text = text.replace(search, replace)
    return text


TEXT = st.lists(st.sampled_from("abc\n"), max_size=30).map("\n".join)


@given(before=TEXT, after=TEXT)
def test_hunks_turn_one_text_into_the_other(before, after):
    if before and before != after:
        assert _applied(before, drift_cases.hunks(before, after)) == after


def test_turns_play_upstreams_change_and_submit(drift, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "alpha.py").write_text("import os\n" + "x = 1\n" * 20 + "y = 2\n")
    (tmp_path / "new" / "alpha.py").write_text("import sys\n" + "x = 1\n" * 20 + "y = 3\n")
    (tmp_path / "new" / "new.py").write_text("z = 1\n")
    header, edits, submit = map(json.loads, drift_cases.upstream(drift, tmp_path / "old", tmp_path / "new"))
    calls = [call["arguments"] for call in edits["calls"]]
    assert header["tools"] is True
    assert calls[-1] == {"path": "new.py", "search": "", "replace": "z = 1\n"}
    text = _applied((tmp_path / "old" / "alpha.py").read_text(), [(call["search"], call["replace"]) for call in calls[:-1]])
    assert text == (tmp_path / "new" / "alpha.py").read_text()
    assert submit["calls"][0]["name"] == "submit"


def test_of_a_release_only_the_hunks_that_the_manifest_counts_are_played():
    before = {"a.py": "".join(f"{number}\n" for number in range(40))}
    after = {"a.py": before["a.py"].replace("5\n", "five\nand more\n", 1).replace("30\n", "thirty\n")}
    first = drift_cases.chosen(before, after, {"added": 2, "removed": 1, "hunks": 1})
    assert first == {"a.py": before["a.py"].replace("5\n", "five\nand more\n", 1)}
    assert drift_cases.chosen(before, after, {"added": 1, "removed": 1, "hunks": 1}) == {"a.py": before["a.py"].replace("30\n", "thirty\n")}
    assert drift_cases.chosen(before, after, {"added": 9, "removed": 9, "hunks": 1}) == after, "no such part: all of it"


def test_suppressions_that_upstream_added_are_left_out_in_the_second_try():
    assert drift_cases.without_suppressions("a  # noqa\n", "a  # noqa\nb  # noqa: X\nc\n") == "a  # noqa\nb\nc\n"


def test_settings_hold_the_command_as_it_is(drift):
    check = tomllib.loads(drift_cases.settings(drift))["checks"]["tests"]
    assert check["command"] == ["env", "PYTHONPATH=src", "python", "-m", "pytest", "-q", "tests/a b", "--junitxml={report}"]
    other = drift_cases.Case(id="b", folder=drift.folder, table={**TABLE, "command": "make && python x", "env": {}})
    assert tomllib.loads(drift_cases.settings(other))["checks"]["tests"]["command"] == ["sh", "-c", "make && python x"]


def test_what_cannot_be_rebuilt_says_why(drift, tmp_path):
    with pytest.raises(drift_cases.CannotRebuild, match=r"needs Python 3\.99"):
        drift_cases.interpreter("3.99", {})
    assert drift_cases.interpreter("3.99", {"3.99": "/some/python"}) == "/some/python"
