"""The healthy text of a workspace: which of its files a task set takes.

Taken is what a person would commit: plain files that git does not ignore. What git ignores stays out unless a glob names it (a generated
`_version.py` that the tests need), environments, caches and git's own files always. A file whose name looks secret, or that
`privacy.exclude` names, is taken empty, which is what checks see of it too: no task set holds a secret by its name. Links are left out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from suture_agent.ignored import Ignored
from suture_sandbox.environment import Environment
from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import has, read_plain
from suture_sandbox.globs import is_excluded
from suture_sandbox.local.masks import SECRET_FOLDERS, is_masked
from suture_training.tasks.archive import File, check_files

NEVER = SECRET_FOLDERS | {
    *(".git", ".hg", ".svn", "node_modules", "__pycache__", ".tox", ".nox"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".eggs"),
}
"""Names of folders that are never part of a workspace's text."""


class Healthy(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of a workspace, and what is not."""

    files: dict[str, File]
    left_out: tuple[str, ...] = ()
    """Links and unreadable files."""
    ignored: tuple[str, ...] = ()
    """Files right below the workspace's packages that git ignores: the first that a failing check may miss."""


def read_healthy(root: Path, environment: Environment, include: Sequence[str] = ()) -> Healthy:
    """Read a workspace from disk. Raises ConfigurationError where it is larger than a task set takes."""
    reader = _Reader(root, environment, include)
    reader.walk()
    check_files(reader.files)
    return Healthy(files=reader.files, left_out=tuple(sorted(reader.left_out)), ignored=tuple(sorted(reader.ignored)))


class _Reader:
    def __init__(self, root: Path, environment: Environment, include: Sequence[str]) -> None:
        self._root = root
        self._environment = environment
        self._include = tuple(include)
        self._ignores = Ignored(root)
        self.files: dict[str, File] = {}
        self.left_out: list[str] = []
        self.ignored: list[str] = []

    def walk(self) -> None:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self._root / folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
            for entry in listed:
                path = f"{folder}/{entry.name}" if folder else entry.name
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    if entry.name not in NEVER and not has(Path(entry.path), "pyvenv.cfg"):
                        waiting.append(path)
                elif entry.name != ".git":
                    self._take(path, mode)

    def _take(self, path: str, mode: int) -> None:
        if self._ignores(path) and not is_excluded(path, self._include):
            if path.endswith(".py"):
                self.ignored.append(path)
            return
        if not stat.S_ISREG(mode):
            self.left_out.append(path)
            return
        try:
            masked = is_masked(path, self._environment.unmasked, self._environment.excluded)
            content = b"" if masked else read_plain(self._root / path, follow=False)
        except UnreadableFile:
            content = None
        if content is None:
            self.left_out.append(path)
        else:
            self.files[path] = File(content, bool(mode & 0o100))
