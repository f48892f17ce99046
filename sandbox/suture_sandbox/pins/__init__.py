"""Floating dependencies: what a workspace's manifests leave open, so that the same commit is another environment tomorrow.

One file an ecosystem, one line each in `ECOSYSTEMS`. A finding is made only where nothing pins: a range that a lock file beside it, or of
the workspace above it, decides is no finding. Files are read as data with bounds (`finding.Tree`, `markup`); nothing is run, resolved or
downloaded. What it deliberately is not: a judgement of versions, and no list of what is installed (`capture` has that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from suture_sandbox.pins import actions, cargo, commands, conda, containers, golang, gradle, maven, npm, precommit, python
from suture_sandbox.pins.finding import Floating, Tree, shown

__all__ = ["ECOSYSTEMS", "MOST_FINDINGS", "Floating", "Pins", "find_floating"]

ECOSYSTEMS: Mapping[str, Callable[[Tree], Iterator[Floating]]] = {
    "python": python.floating,
    "conda": conda.floating,
    "containers": containers.floating,
    "commands": commands.floating,
    "npm": npm.floating,
    "cargo": cargo.floating,
    "go": golang.floating,
    "maven": maven.floating,
    "gradle": gradle.floating,
    "actions": actions.floating,
    "pre-commit": precommit.floating,
}
"""In the order in which they are told."""

MOST_FINDINGS = 500
"""Of one ecosystem; a workspace that has more learns so."""


class Pins(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    floating: tuple[Floating, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be looked at."""


def find_floating(root: Path) -> Pins:
    """Every floating dependency of a workspace, by ecosystem, file and line."""
    tree = Tree(root)
    found: list[Floating] = []
    for name, look in ECOSYSTEMS.items():
        found += _bounded(name, look, tree)
    return Pins(floating=tuple(found), notes=tuple(tree.notes))


def _bounded(name: str, look: Callable[[Tree], Iterator[Floating]], tree: Tree) -> list[Floating]:
    found: list[Floating] = []
    for item in look(tree):
        if len(found) == MOST_FINDINGS:
            tree.note(f"{name}: more than {MOST_FINDINGS} things float; the rest is not listed")
            break
        found.append(msgspec.structs.replace(item, what=shown(item.what), path=shown(item.path), pin=shown(item.pin)))
    return sorted(dict.fromkeys(found), key=lambda item: (item.path, item.line))
