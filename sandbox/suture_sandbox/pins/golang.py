"""Go: go.mod against go.sum or a vendor folder. Its versions are fixed; what floats is content without a sum, or a branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.pins.finding import LARGEST_LOCK, Floating, Tree, ancestors, folder_of

_VERSION = re.compile(r"v\d+\.\d+\.\d+\S*")


def floating(tree: Tree) -> Iterator[Floating]:
    """Modules without a sum, and those that name a branch."""
    for path in tree.named("go.mod"):
        yield from _module(tree, path)


def _module(tree: Tree, path: str) -> Iterator[Floating]:
    sums = _sums(tree, path)
    vendored = tree.has(f"{folder_of(path)}vendor/modules.txt")
    missing: list[tuple[int, str]] = []
    for number, directive, words in _directives(tree, path):
        named = words[words.index("=>") + 1 :] if "=>" in words else words
        if directive not in ("require", "replace") or len(named) < 2:  # what is replaced by a folder has no version
            continue
        module, version = named[0], named[1]
        if not _VERSION.fullmatch(version):
            pin = f"go get {module}@{version} writes the commit's version"
            yield Floating(
                ecosystem="go", path=path, line=number, what=f"{module} {version}", why=f"{version} is no version: it moves", pin=pin
            )
        elif (module, version) not in sums and directive == "require" and not vendored:
            missing.append((number, f"{module} {version}"))
    if missing:
        what = f"{len(missing)} modules without a sum, such as {missing[0][1]}"
        yield Floating(
            ecosystem="go",
            path=path,
            line=missing[0][0],
            what=what,
            why="a proxy may serve other content",
            pin="go mod tidy, and commit go.sum",
        )


def _directives(tree: Tree, path: str) -> Iterator[tuple[int, str, list[str]]]:
    block = ""
    for number, line in tree.lines(path):
        words = line.partition("//")[0].split()
        if not words:
            continue
        if words[-1] == "(":
            block = words[0]
        elif words[0] == ")":
            block = ""
        elif block:
            yield number, block, words
        else:
            yield number, words[0], words[1:]


def _sums(tree: Tree, path: str) -> frozenset[tuple[str, str]]:
    """Module and version of every line of go.sum, and of a workspace's above it."""
    files = [f"{folder_of(path)}go.sum", *(f"{folder}go.work.sum" for folder in ancestors(path))]
    found: set[tuple[str, str]] = set()
    for file in files:
        for line in tree.text(file, LARGEST_LOCK).split("\n") if tree.has(file) else ():
            words = line.split()
            if len(words) == 3:
                found.add((words[0], words[1].removesuffix("/go.mod")))
    return frozenset(found)
