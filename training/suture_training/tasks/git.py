"""A repository's past, read by git's plumbing: commits, what they change, and the files of a tree.

A repository's own configuration can name programs. None of these commands runs one (no pager, no external diff, no filter, no hook, no
file system monitor), and none reaches a network: every protocol is forbidden, so that a partial clone fails instead of fetching what it
lacks.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from suture_sandbox.errors import ConfigurationError

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never")
_SECONDS = 120
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_NOTHING = "0" * 40
PLAIN, EXECUTABLE = "100644", "100755"


class Blob(msgspec.Struct, frozen=True):
    """A plain file of a tree, its content not yet read."""

    path: str
    name: str
    executable: bool = False


class Changed(msgspec.Struct, frozen=True):
    """A plain file that a commit changes; a name is empty where the file is not there."""

    path: str
    before: str
    after: str


class Commit(msgspec.Struct, frozen=True):
    """A commit with one parent."""

    id: str
    parent: str
    time: str
    """ISO 8601, UTC."""


class Repository:
    """The repository that a workspace is in. Paths are relative to the workspace."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefix = ""

    @classmethod
    def open(cls, root: Path) -> Repository | None:
        """The repository around a workspace, None where there is none. Raises ConfigurationError where git refuses it."""
        found = cls(root)
        try:
            found._prefix = found._run("rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").strip("\n")
        except ConfigurationError as error:
            if "not a git repository" in str(error):
                return None
            raise
        return found

    def time(self) -> str:
        """When the present commit was made; empty where there is none."""
        try:
            line = self._run("rev-list", "--timestamp", "--max-count=1", "HEAD").decode()
        except ConfigurationError:
            return ""
        return _moment(line.split()[0]) if line.split() else ""

    def commits(self, most: int) -> Iterator[Commit]:
        """The latest commits of the workspace that have one parent, newest first."""
        here = ("--", ".") if self._prefix else ()
        listed = self._run(
            "rev-list", "--timestamp", "--parents", "--min-parents=1", "--max-parents=1", f"--max-count={most}", "HEAD", *here
        )
        for line in listed.decode("ascii", "replace").splitlines():
            stamp, commit, *parents = line.split()
            if len(parents) == 1 and _COMMIT.fullmatch(commit) and _COMMIT.fullmatch(parents[0]):
                yield Commit(commit, parents[0], _moment(stamp))

    def changed(self, commit: Commit) -> tuple[Changed, ...]:
        """The plain files of the workspace that a commit changes; a rename is one that goes and one that comes."""
        raw = self._run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--full-index", commit.parent, commit.id)
        parts = raw.decode("utf-8", "surrogateescape").split("\0")
        found: list[Changed] = []
        for told, path in zip(parts[::2], parts[1::2], strict=False):
            old_mode, mode, before, after = told.lstrip(":").split()[:4]
            if path.startswith(self._prefix) and {old_mode, mode} <= {PLAIN, EXECUTABLE, "000000"}:
                names = ["" if each.startswith(_NOTHING) else each for each in (before, after)]
                found.append(Changed(path.removeprefix(self._prefix), *names))
        return tuple(found)

    def tree(self, commit: str) -> tuple[Blob, ...]:
        """The plain files of a commit; links and submodules are left out."""
        raw = self._run("ls-tree", "-r", "-z", "--full-tree", commit, *(("--", self._prefix) if self._prefix else ()))
        found: list[Blob] = []
        for entry in raw.decode("utf-8", "surrogateescape").split("\0"):
            told, _, path = entry.partition("\t")
            mode, kind, name = (*told.split(), "", "", "")[:3]
            if kind == "blob" and mode in (PLAIN, EXECUTABLE):
                found.append(Blob(path.removeprefix(self._prefix), name, mode == EXECUTABLE))
        return tuple(found)

    def contents(self, names: Sequence[str]) -> dict[str, bytes]:
        """The content of blobs by name. Raises ConfigurationError where the repository lacks one."""
        asked = "".join(f"{name}\n" for name in dict.fromkeys(names))
        raw = self._run("cat-file", "--batch", stdin=asked.encode())
        found: dict[str, bytes] = {}
        at = 0
        while at < len(raw):
            end = raw.index(b"\n", at)
            name, kind, size = (*raw[at:end].decode("ascii", "replace").split(), "", "")[:3]
            if kind != "blob":
                raise ConfigurationError(f"the repository lacks {name}: it is a partial clone, or damaged", remedy="fetch all of it once")
            found[name] = raw[end + 1 : end + 1 + int(size)]
            at = end + 2 + int(size)
        return found

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        environment = {"PATH": os.environ.get("PATH", os.defpath), **_ENVIRONMENT}
        try:
            done = subprocess.run(
                ["git", *_OPTIONS, *arguments],
                cwd=self._root,
                env=environment,
                input=stdin,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise ConfigurationError("git is not installed", remedy="install git, or take other sources than history") from error
        except subprocess.TimeoutExpired as error:
            raise ConfigurationError(
                f"git {arguments[0]} did not end within {_SECONDS} s", remedy="look at the repository: git fsck"
            ) from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ConfigurationError(f"git {arguments[0]}: {said[0] if said else 'it failed'}", remedy="look at the repository: git fsck")
        return done.stdout


def _moment(stamp: str) -> str:
    return dt.datetime.fromtimestamp(int(stamp), dt.UTC).isoformat()
