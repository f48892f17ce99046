"""Conda: environment.yml, against a lock that conda-lock wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.pins.finding import Floating, Tree, folder_of
from suture_sandbox.pins.markup import Node, read_yaml
from suture_sandbox.pins.python import open_requirement

_EXACT = re.compile(r"[\w.-]+\s*(?:={1,2}\s*\d[\w.!+]*=[\w.]+|==\s*\d[\w.!+]*|=\s*\d+\.\d+\.\d+[\w.!+]*)")
_HOW = "conda-lock -f {path}, or name version and build: numpy=1.26.4=py311h64a7726_0"


def floating(tree: Tree) -> Iterator[Floating]:
    """Packages of an environment that has no lock."""
    for path in tree.named("environment*.yml", "environment*.yaml", "conda*.yml"):
        if "lock" in path.rpartition("/")[2] or _is_locked(tree, folder_of(path)):
            continue
        for item in read_yaml(tree, path).get("dependencies").items:
            yield from _dependency(path, item)


def _dependency(path: str, item: Node) -> Iterator[Floating]:
    name = item.text.rpartition("::")[2].strip()
    if name and not _EXACT.fullmatch(name):
        why = "the newest build that fits is installed on the day"
        yield Floating(ecosystem="conda", path=path, line=item.line, what=item.text, why=why, pin=_HOW.format(path=path))
    for inner in item.get("pip").items:
        if why := open_requirement(inner.text):
            yield Floating(
                ecosystem="conda", path=path, line=inner.line, what=inner.text, why=why, pin="name one version: requests==2.32.3"
            )


def _is_locked(tree: Tree, folder: str) -> bool:
    return any(name.startswith(folder) and "/" not in name[len(folder) :] for name in tree.named("conda-lock*.yml", "conda-*.lock"))
