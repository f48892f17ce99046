"""Where real repositories stand, and that hostile ones neither block nor lead elsewhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from suture_server.lsp.git_state import Standing, standing

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    return root


@pytest.fixture
def git(repository: Path, environ: dict[str, str]) -> Git:
    def run(*arguments: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
        return subprocess.run(command, cwd=repository, env=environ, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q", "-b", "main", ".")
    return run


def commit(git: Git, root: Path, text: str) -> str:
    (root / "a.py").write_text(text)
    git("add", "-A")
    git("commit", "-qm", text)
    return git("rev-parse", "HEAD")


def test_no_repository_stands_nowhere(tmp_path: Path):
    assert standing(tmp_path) == Standing()
    assert standing(tmp_path / "missing") == Standing()


def test_commits_branches_and_checkouts(git: Git, repository: Path):
    assert standing(repository) == Standing("refs/heads/main", "", "")
    first = commit(git, repository, "1\n")
    assert standing(repository) == Standing("refs/heads/main", first, "")
    second = commit(git, repository, "2\n")
    assert standing(repository) == Standing("refs/heads/main", second, "")
    git("checkout", "-q", "-b", "topic/deep/er", first)
    assert standing(repository) == Standing("refs/heads/topic/deep/er", first, "")
    git("checkout", "-q", second)
    assert standing(repository) == Standing("", second, "")
    git("checkout", "-q", "main")
    git("reset", "-q", "--hard", first)
    assert standing(repository) == Standing("refs/heads/main", first, "")


def test_packed_refs_are_read_and_loose_ones_are_newer(git: Git, repository: Path):
    first = commit(git, repository, "1\n")
    git("branch", "main2")
    git("tag", "-a", "v1", "-m", "v1")
    git("pack-refs", "--all")
    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert standing(repository) == Standing("refs/heads/main", first, "")
    second = commit(git, repository, "2\n")
    assert standing(repository) == Standing("refs/heads/main", second, "")
    git("checkout", "-q", "main2")
    assert standing(repository) == Standing("refs/heads/main2", first, "")


def test_a_stash_is_seen(git: Git, repository: Path):
    first = commit(git, repository, "1\n")
    (repository / "a.py").write_text("2\n")
    git("stash", "-q")
    assert standing(repository) == Standing("refs/heads/main", first, git("rev-parse", "refs/stash"))
    git("stash", "pop", "-q")
    assert standing(repository) == Standing("refs/heads/main", first, "")


@pytest.mark.parametrize(
    "name", ["grün/😀", "no\u00a0break", "line\u2028end", "wide\u3000space", "a'b\"c;d", "x" * 200 + "/" + "y" * 230, "-"]
)
def test_unusual_names_of_branches(git: Git, repository: Path, name: str):
    first = commit(git, repository, "1\n")
    git("update-ref", f"refs/heads/{name}", first)
    git("symbolic-ref", "HEAD", f"refs/heads/{name}")
    assert standing(repository) == Standing(f"refs/heads/{name}", first, "")
    git("pack-refs", "--all")
    assert standing(repository) == Standing(f"refs/heads/{name}", first, "")


def test_a_name_that_is_no_utf_8(git: Git, repository: Path):
    first = commit(git, repository, "1\n")
    (repository / ".git" / "HEAD").write_bytes(b"ref: refs/heads/\xfc\n")
    Path(os.fsdecode(os.fsencode(repository) + b"/.git/refs/heads/\xfc")).write_text(f"{first}\n")
    assert standing(repository).commit == first


def test_a_worktree_stands_nowhere(git: Git, repository: Path, tmp_path: Path):
    commit(git, repository, "1\n")
    git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    assert (tmp_path / "tree" / ".git").is_file()
    assert standing(tmp_path / "tree") == Standing()


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n",
        b"ref:",
        b"ref: ",
        b"ref: ../../../etc/passwd",
        b"ref: /etc/passwd",
        b"ref: refs/../../../../../etc/passwd",
        b"ref: refs/heads/../../HEAD",
        b"ref: refs/heads/a\0b",
        b"ref: refs/heads/" + b"a" * 5000,
        b"ref: refs/heads/main\nref: refs/heads/other",
        b"../secret",
        b"g" * 40,
        b"0" * 39,
        b"\xff\xfe" * 100,
    ],
)
def test_a_head_that_makes_no_sense_leads_nowhere(repository: Path, head: bytes):
    (repository / ".git" / "refs" / "heads").mkdir(parents=True)
    (repository / ".git" / "HEAD").write_bytes(head)
    (repository / "secret").write_text("0" * 40)
    assert standing(repository) == Standing()


@pytest.mark.parametrize("name", ["a" * 300, "b/" * 400 + "b", ".", "refs"])
def test_a_branch_that_cannot_be_a_file_has_no_commit(repository: Path, name: str):
    (repository / ".git" / "refs" / "heads").mkdir(parents=True)
    (repository / ".git" / "HEAD").write_text(f"ref: refs/heads/{name}\n")
    assert standing(repository).commit == ""


@pytest.mark.parametrize("name", ["HEAD", "packed-refs", "refs/stash", "refs/heads/main"])
@pytest.mark.parametrize("what", ["fifo", "folder", "device", "loop", "endless", "large"])
def test_what_is_no_plain_file_does_not_block(git: Git, repository: Path, name: str, what: str):
    commit(git, repository, "1\n")
    path = repository / ".git" / name
    path.unlink(missing_ok=True)
    match what:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "loop":
            path.symlink_to(path.name)
        case "endless":
            path.symlink_to("/dev/stdin")
        case "large":
            with path.open("wb") as file:
                file.truncate(1 << 40)
    found = standing(repository)
    assert found.stash == ""
    assert found.branch == ("" if name == "HEAD" else "refs/heads/main")
    assert bool(found.commit) == (name in ("packed-refs", "refs/stash"))


def test_a_repository_that_is_a_link_is_followed(git: Git, repository: Path, tmp_path: Path):
    first = commit(git, repository, "1\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / ".git").symlink_to(repository / ".git")
    assert standing(other) == Standing("refs/heads/main", first, "")
