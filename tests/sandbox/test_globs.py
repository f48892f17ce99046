"""Globs: what they name, what they cannot be, and that no pattern takes long."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.globs import fits, is_excluded, refused, words_of


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("secret.py", "secret.py"),
        ("secret.py", "a/b/secret.py"),
        ("*.csv", "data/x.csv"),
        ("internal", "internal/a/b.py"),
        ("internal/", "x/internal/b.py"),
        ("src/internal", "src/internal/b.py"),
        ("src/*.py", "src/a.py"),
        ("src/*", "src/a/b/c.py"),
        ("data/**", "data/a/b.csv"),
        ("data/**/*.csv", "data/a/b/c.csv"),
        ("data/**/*.csv", "data/c.csv"),
        ("**/x/y", "a/b/x/y"),
        ("a?b", "a b"),
        ("**", "a"),
    ],
)
def test_what_a_glob_excludes(glob, path):
    assert refused(glob) == ""
    assert is_excluded(path, ["other", glob])


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("secret.py", "secret.pyc"),
        ("*.csv", "data/x.csv.py"),
        ("src/internal", "lib/src/internal/b.py"),
        ("src/*.py", "src/a/b.py"),
        ("data/**/*.csv", "data/a/b.py"),
        ("SECRET.py", "secret.py"),
        ("a/b", "a"),
    ],
)
def test_what_a_glob_does_not_exclude(glob, path):
    assert not is_excluded(path, [glob])


def test_nothing_is_excluded_by_nothing():
    assert not is_excluded("a", ())
    assert not is_excluded("", ["a", "**"])


@pytest.mark.parametrize("glob", ["", ".", "/etc/passwd", "../x", "a/../../b", "a b", "a\nb", "a\\b"])
def test_what_cannot_name_files_of_a_workspace(glob):
    assert refused(glob).startswith("it ")


@given(st.text("ab*?", min_size=1, max_size=6), st.text("ab", min_size=1, max_size=6))
def test_one_name_is_matched_as_fnmatch_does(glob, name):
    if glob != "**":
        assert fits((name,), words_of(glob)) == fnmatch.fnmatchcase(name, glob)


def test_no_pattern_keeps_anything_busy():
    """Each of these takes a backtracking matcher longer than the universe has."""
    assert not is_excluded("a" * 250 + "/" + "/".join("a" * 300), ["*a" * 60 + "b"])
    assert not is_excluded("/".join("a" * 500), ["**/a/" * 40 + "b"])
