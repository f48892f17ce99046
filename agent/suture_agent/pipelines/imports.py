"""Which files of a workspace a file needs to be loaded, read from syntax trees: what a root cause is told from a cascade by."""

from __future__ import annotations

from collections import deque
from pathlib import PurePosixPath

from suture_agent.direct.units import parse
from suture_agent.imports import imported
from suture_sandbox.snapshot import Snapshot

MOST_FILES = 400
"""Files that are followed from one; a larger program is looked at only so far."""


class Reach:
    """The imports of one snapshot, each file read once. A file that does not parse needs nothing, as far as is known."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._direct: dict[str, frozenset[str]] = {}
        self._all: dict[str, frozenset[str]] = {}

    def of(self, path: str) -> frozenset[str]:
        """What `path` needs, directly or through others; without itself, except where imports go in a circle."""
        if path not in self._all:
            self._all[path] = self._follow(path)
        return self._all[path]

    def _follow(self, path: str) -> frozenset[str]:
        found: set[str] = set()
        waiting = deque([path])
        while waiting and len(found) < MOST_FILES:
            fresh = self._of_one(waiting.popleft()) - found
            found |= fresh
            waiting.extend(sorted(fresh))
        return frozenset(found)

    def _of_one(self, path: str) -> frozenset[str]:
        if path not in self._direct:
            text = self._snapshot.read_text(path) if path.endswith(".py") else None
            tree = parse(text) if text is not None else None
            homes = {home for home, _ in imported(tree, path, self._snapshot).values()} if tree is not None else set[str]()
            self._direct[path] = frozenset(homes | self._beside(path)) - {path}
        return self._direct[path]

    def _beside(self, path: str) -> set[str]:
        """What is loaded without being named: the packages around a file, and for tests the conftest of every folder above."""
        pure = PurePosixPath(path)
        names = ("__init__.py", "conftest.py") if pure.name.startswith("test") or pure.name.endswith("_test.py") else ("__init__.py",)
        return {str(folder / name) for folder in pure.parents for name in names if self._snapshot.exists(str(folder / name))}
