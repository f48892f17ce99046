"""The state of one episode of the `agent` harness: edits over the problem's snapshot, and what of the workspace may be seen."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping
from pathlib import Path

from suture_agent.meter import Meter
from suture_agent.privacy import Privacy
from suture_agent.problem import Problem
from suture_agent.recall import Recall
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot

SKIPPED_FOLDERS = frozenset(
    {".git", ".suture", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"}
)
LARGEST_FILE = 1_000_000
"""Bytes; larger files are neither searched nor read."""


class Workbench:
    """The state of one episode: the edits that the policy has made so far."""

    def __init__(self, problem: Problem, meter: Meter, recall: Recall) -> None:
        self.problem = problem
        self.meter = meter
        self.recall = recall
        self.privacy = Privacy(problem.snapshot.root, meter.harness.excluded or ())
        self.edits: dict[str, bytes | None] = {}
        self._originals: dict[str, bytes | None] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The problem's snapshot with the edits over it."""
        return self.problem.snapshot.with_edits(self.edits)

    @property
    def patch(self) -> Patch:
        """What the edits amount to, against the text that the policy saw: what a person writes meanwhile must not be undone."""
        return patch_between(self.problem.snapshot.with_edits(self._originals), self.edits)

    def edit(self, edits: Mapping[str, bytes | None]) -> None:
        """Make edits; raises PatchError, and makes none, where they cannot stand beside the others."""
        self.snapshot.with_edits(edits)
        for path, content in edits.items():
            if path not in self.edits:
                self._originals[path] = self.problem.snapshot.read(path)
            self.edits[path] = content

    def files(self, pattern: str = "*") -> tuple[list[str], int]:
        """Sorted paths of the workspace's files that match a glob pattern, and how many more there are that are kept from the policy.

        Caches, environments and links are left out.
        """
        every = [path for path in walk(self.snapshot) if fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(Path(path).name, pattern)]
        shown = [path for path in every if not self.privacy.withheld(path)]
        return shown, len(every) - len(shown)


def walk(snapshot: Snapshot) -> list[str]:
    """Sorted paths of all plain files of a snapshot, caches and environments left out."""
    found: set[str] = {path for path, content in snapshot.overlay.items() if content is not None}
    for folder, names, files in os.walk(snapshot.root):
        names[:] = [name for name in names if name not in SKIPPED_FOLDERS and not (Path(folder) / name / "pyvenv.cfg").exists()]
        base = Path(folder).relative_to(snapshot.root)
        found |= {
            (base / name).as_posix() for name in files if not name.endswith((".pyc", ".pyo")) and not (Path(folder) / name).is_symlink()
        }
    return sorted(path for path in found if snapshot.overlay.get(path, b"") is not None)


def withheld(count: int, done: str) -> list[str]:
    """A line about files that are kept from the policy, where there are any."""
    files = "1 file is" if count == 1 else f"{count} files are"
    return [f"({files} not {done}: privacy.exclude names them, or git ignores them)"] if count else []
