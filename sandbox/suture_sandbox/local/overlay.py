"""What is written over the workspace before a command runs: the snapshot's edits, and empty files in the place of what must not be seen."""

from __future__ import annotations

from collections.abc import Iterator

from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local.bytecode import bytecode_of
from suture_sandbox.local.masks import Masks, is_masked
from suture_sandbox.snapshot import Snapshot

MAX_OVERLAY_FILES = 400
"""Files of a snapshot's overlay; each is a file descriptor for a moment."""
MAX_HIDDEN_FILES = 800
"""Files that appear empty inside; each is a file descriptor too, and most systems allow 1,024."""


def files(snapshot: Snapshot, environment: Environment, masks: Masks) -> Iterator[tuple[str, bytes]]:
    """Path inside and content of everything that is written; raises PatchError for a path that is none, SandboxFailed for too many."""
    yield from _edits(snapshot, environment)
    yield from _stale_bytecode(snapshot)
    yield from _masked(snapshot, masks)


def deleted(snapshot: Snapshot) -> list[str]:
    """Paths inside of what the snapshot has deleted."""
    return [f"{snapshot.root}/{path}" for path, content in snapshot.overlay.items() if content is None]


def _edits(snapshot: Snapshot, environment: Environment) -> Iterator[tuple[str, bytes]]:
    if len(snapshot.overlay) > MAX_OVERLAY_FILES:
        raise SandboxFailed(f"{len(snapshot.overlay)} edited files are too many for one attempt (at most {MAX_OVERLAY_FILES})")
    for path, content in snapshot.overlay.items():
        snapshot.check_path(path)
        if content is not None:
            hidden = is_masked(path, environment.unmasked, environment.excluded)
            yield f"{snapshot.root}/{path}", b"" if hidden else content


def _stale_bytecode(snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
    """Empty files over bytecode that Python could take for an edited file's: same size, same second, or not dated at all."""
    for path, content in snapshot.overlay.items():
        if path.endswith(".py") and content is not None:
            for cached in bytecode_of(snapshot.root / path, len(content)):
                yield str(cached), b""


def _masked(snapshot: Snapshot, masks: Masks) -> Iterator[tuple[str, bytes]]:
    if len(masks.files) > MAX_HIDDEN_FILES:
        many = f"{len(masks.files)} files that are to appear empty are too many for one attempt (at most {MAX_HIDDEN_FILES})"
        raise SandboxFailed(many, remedy="name their folder as a whole in privacy.exclude")
    for path in masks.files:
        if path not in snapshot.overlay:
            yield f"{snapshot.root}/{path}", b""
        for cached in bytecode_of(snapshot.root / path) if path.endswith(".py") else ():
            yield str(cached), b""
