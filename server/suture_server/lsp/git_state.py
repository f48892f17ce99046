"""Where a repository stands, read from its files: tells a person's undo from a checkout, and sees a commit.

Nothing of git is run: a hostile repository's configuration names programs.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import read_plain

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_REF = re.compile(r"ref:[ \t]*(refs/[^\0-\x20\x7f]{1,4000})")
MOST = 1 << 24


class Standing(msgspec.Struct, frozen=True):
    """A branch and its commit; empty where there is no repository."""

    branch: str = ""
    commit: str = ""
    stash: str = ""


def standing(root: Path) -> Standing:
    """Where the repository of a workspace stands; the workspace itself must hold it."""
    git = root / ".git"
    head = _text(git / "HEAD").strip()
    stash = _text(git / "refs" / "stash").strip()
    named = _REF.fullmatch(head)
    if named is None:
        return Standing("", head if _COMMIT.fullmatch(head) else "", stash)
    name = named[1]
    if ".." in name.split("/"):
        return Standing()
    commit = _text(git / name).strip() or _packed(git, name)
    return Standing(name, commit if _COMMIT.fullmatch(commit) else "", stash)


def _packed(git: Path, name: str) -> str:
    for line in _text(git / "packed-refs").split("\n"):
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return ""


def _text(path: Path) -> str:
    try:
        return (read_plain(path, most=MOST) or b"").decode("utf-8", "surrogateescape")
    except UnreadableFile:
        return ""
