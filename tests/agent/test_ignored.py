"""What git ignores, told as git tells it, and what a hostile repository gains by its own files: nothing."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suture_agent.ignored import LARGEST_RULES, MOST_RULES, Ignored, rules_in, tracked_names

FILES = ("a", "b.py", "build/a", "build/lib/b.py", "src/a", "src/build/b.py", "src/x.log", "a b/c ", "doc/#1", "doc/!x", "src/deep/er/a")


def git(root: Path, *arguments: str, given: str | None = None) -> str:
    """git, with no configuration but the repository's."""
    environ = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(root), "XDG_CONFIG_HOME": str(root), "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", "-C", root, *arguments], input=given, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x\n")
    git(root, "init", "-q")
    return root


@pytest.fixture
def ignored_by_git(repository: Path) -> Callable[[], set[str]]:
    def ask() -> set[str]:
        return set(git(repository, "check-ignore", "-z", "--stdin", given="\0".join(FILES)).split("\0")) - {""}

    return ask


def ignored(root: Path) -> set[str]:
    found = Ignored(root)
    return {path for path in FILES if found(path)}


LINES = [
    *("a", "/a", "*.py", "build", "build/", "/build/", "src/build", "**/b.py", "src/**", "src/**/a", "**", "*", "!a", "!src/", "!*.py"),
    *("# comment", "\\#1", "#1", "\\!x", "c\\ ", "c ", "a b", "a b/", "[ab]", "[!a]", "[^a]", "[a-b].py", "?", "", "  ", "src/deep/**/a"),
    *("x.log\r", "/", "!", "a**", "**/", "build/**/b.py", "src//a", "\\*", "src/*/er", "/**/a", "**a/b.py", "*.[lL]og", "deep"),
]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(LINES), max_size=5), st.lists(st.sampled_from(LINES), max_size=3), st.lists(st.sampled_from(LINES), max_size=2)
)
@example(["*", "!*/", "!*.py"], [], [])
@example(["build"], ["!build"], [])
@example([], ["!a"], ["a"])
@example(["src/"], ["!a"], [])
def test_it_says_what_git_says(repository, ignored_by_git, top, nested, excluded):
    for path, lines in ((".gitignore", top), ("src/.gitignore", nested), (".git/info/exclude", excluded)):
        (repository / path).write_text("\n".join(lines) + "\n")
    assert ignored(repository) == ignored_by_git()


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_what_git_tracks_is_not_ignored(repository, ignored_by_git, version):
    git(repository, "add", "-f", "build/a", "src/x.log", "a")
    git(repository, "add", "-N", "b.py")
    git(repository, "update-index", "--index-version", version)
    (repository / ".gitignore").write_text("*\n")
    found = ignored(repository)
    assert found == ignored_by_git() == set(FILES) - {"build/a", "src/x.log", "a", "b.py"}
    assert tracked_names((repository / ".git" / "index").read_bytes()) == {b"a", b"b.py", b"build/a", b"src/x.log"}


def test_a_workspace_below_the_root_of_its_repository(repository):
    (repository / ".gitignore").write_text("/src/a\nx.log\n/build\n")
    git(repository, "add", "-f", "src/deep/er/a")
    (repository / "src" / ".gitignore").write_text("deep\n")
    found = Ignored(repository / "src")
    assert [path for path in ("a", "x.log", "build/b.py", "deep/er/a", "deep/er/b") if found(path)] == ["a", "x.log", "deep/er/b"]


def test_a_workspace_that_the_repository_around_it_ignores_is_one_of_its_own(repository):
    """A home folder under git with `*` in its .gitignore must not hide all the work in it."""
    (repository / ".gitignore").write_text("*\n")
    (repository / "src" / ".gitignore").write_text("*.log\n")
    found = Ignored(repository / "src")
    assert [path for path in ("a", "x.log", "build/b.py") if found(path)] == ["x.log"]


def test_work_trees_share_what_is_excluded(repository):
    git(repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x")
    git(repository, "worktree", "add", "-q", "../tree")
    (repository / ".git" / "info" / "exclude").write_text("a\n")
    found = Ignored(repository.parent / "tree")
    assert (found("a"), found("b.py")) == (True, False)


def test_no_repository_is_needed(tmp_path):
    (tmp_path / ".gitignore").write_text("a\n")
    assert Ignored(tmp_path)("x/a")
    assert not Ignored(tmp_path)("x/b")


def test_nothing_of_the_repositorys_is_run(repository, tmp_path):
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "alias.check-ignore"):
        git(repository, "config", name, f"touch {tmp_path}/ran")
    (repository / ".gitignore").write_text("a\n")
    assert "a" in ignored(repository)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../../a", "x" * 300 + "/a", "a\0/b", "\ud800/a"])
def test_any_text_for_a_path_has_an_answer(repository, path):
    assert Ignored(repository)(path) is False


def test_folders_beyond_all_sense_are_ignored(repository):
    assert Ignored(repository)("/".join("a" * 2000))


def test_links_and_pipes_are_no_patterns(tmp_path):
    (tmp_path / "patterns").write_text("*\n")
    (tmp_path / "shop" / "src").mkdir(parents=True)
    (tmp_path / "shop" / ".gitignore").symlink_to(tmp_path / "patterns")
    os.mkfifo(tmp_path / "shop" / "src" / ".gitignore")
    assert not Ignored(tmp_path / "shop")("src/a")


@pytest.mark.parametrize("text", ["a" * (LARGEST_RULES + 1), "zzz\n" * (MOST_RULES + 1)])
def test_patterns_beyond_reading_ignore_everything_below(tmp_path, text):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / ".gitignore").write_text(text)
    found = Ignored(tmp_path)
    assert (found("src/a"), found("a")) == (True, False)


def test_what_is_understood_only_roughly_hides_more_and_never_less():
    (rule,) = rules_in("[[:digit:]].txt\n![[:digit:]].txt")
    assert rule.matches(("1.txt",), folder=False)
    (rule,) = rules_in("*" * 300 + "\n!" + "*" * 300)
    assert rule.matches(("1.txt",), folder=False)


def test_no_pattern_keeps_it_busy(tmp_path):
    (tmp_path / ".gitignore").write_text("\n".join(["*a" * 60 + "b", "**/a/" * 50 + "b", "[" * 255] * 50))
    found = Ignored(tmp_path)
    assert not found("a" * 250)
    assert not found("/".join("a" * 60))


@given(st.binary(max_size=400), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_whatever_the_index_holds_is_read(content, version, count):
    tracked_names(content)
    tracked_names(b"DIRC" + struct.pack(">LL", version, count) + content)
