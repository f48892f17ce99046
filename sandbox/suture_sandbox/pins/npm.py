"""npm, yarn, pnpm, bun: package.json, against the lock file beside it or of the workspace that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from suture_sandbox.pins.finding import Floating, Tree, ancestors, folder_of, line_of
from suture_sandbox.pins.markup import read_json, table

_NPM_LOCKS = ("npm-shrinkwrap.json", "package-lock.json")
_OTHER_LOCKS = ("yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb")
_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_LOCAL = ("file:", "link:", "workspace:", "portal:", "catalog:", "patch:", "./", "../", "/")
_EXACT = re.compile(r"[=v]{0,2}\d+\.\d+\.\d+(?:[-+][\w.+-]+)?")
_HOW = "npm install --package-lock-only, and commit package-lock.json"


def floating(tree: Tree) -> Iterator[Floating]:
    """Dependencies of packages that no lock file knows."""
    for path in tree.named("package.json"):
        yield from _package(tree, path)
    for path in tree.named(*_NPM_LOCKS):
        yield from _lock(tree, path)


def open_version(version: str) -> str:
    """Why what npm is asked for floats; empty where it is one version, one commit, or lies in the workspace."""
    wanted = version.strip()
    if wanted.startswith(_LOCAL):
        return ""
    if wanted.startswith("npm:"):
        wanted = wanted[4:].rpartition("@")[2]
    if _EXACT.fullmatch(wanted):
        return ""
    if "://" in wanted or wanted.startswith(("git", "github:", "gitlab:", "bitbucket:")) or re.fullmatch(r"[\w.-]+/[\w.-]+(#.*)?", wanted):
        reference = wanted.partition("#")[2]
        return "" if re.fullmatch(r"[0-9a-f]{40}", reference) else f"{reference or 'what lies at the address'} is no commit: it moves"
    if wanted in ("", "*", "x", "latest", "next") or re.fullmatch(r"[a-z][\w-]*", wanted):
        return f"{wanted or 'any version'} is the newest release on the day"
    return "the newest release that fits is installed on the day"


def _package(tree: Tree, path: str) -> Iterator[Floating]:
    package = read_json(tree, path)
    wanted = [(name, str(spec)) for section in _SECTIONS for name, spec in table(package.get(section)).items()]
    wanted = [(name, spec) for name, spec in wanted if not spec.startswith(_LOCAL)]
    if not wanted:
        return
    known, lock = _known(tree, path)
    text = tree.text(path)
    if lock and known is None:
        return  # yarn, pnpm and bun refuse to install what their lock does not hold
    exact = True
    for name, spec in wanted:
        if known is not None and name in known:
            continue
        why = open_version(spec)
        exact = exact and not why
        if why:
            told = f"{lock} does not know it: {why}" if lock else why
            yield Floating(ecosystem="npm", path=path, line=line_of(text, f'"{name}"', spec), what=f"{name} {spec}", why=told, pin=_HOW)
    if exact and not lock:
        why = "the versions are pinned, their content and what they depend on are not"
        what = f"{len(wanted)} dependencies without a lock file"
        yield Floating(ecosystem="npm", path=path, line=line_of(text, "ependencies"), what=what, why=why, pin=_HOW)


def _known(tree: Tree, path: str) -> tuple[frozenset[str] | None, str]:
    """Names that the lock file holds for a package, None where it holds whatever is asked for; and the lock file, empty without one."""
    for folder in ancestors(path):
        if folder != folder_of(path) and not _has_workspaces(tree, folder):
            continue
        for name in _NPM_LOCKS:
            if tree.has(folder + name):
                return _locked_names(read_json(tree, folder + name)), folder + name
        for name in _OTHER_LOCKS:
            if tree.has(folder + name):
                return None, folder + name
    return frozenset(), ""


def _has_workspaces(tree: Tree, folder: str) -> bool:
    return tree.has(f"{folder}pnpm-workspace.yaml") or "workspaces" in read_json(tree, f"{folder}package.json")


def _locked_names(lock: dict[str, Any]) -> frozenset[str]:
    packages = table(lock.get("packages"))
    modern = {path.rpartition("node_modules/")[2] for path in packages if "node_modules/" in path}
    return frozenset({*modern, *table(lock.get("dependencies"))})


def _lock(tree: Tree, path: str) -> Iterator[Floating]:
    """A package in a lock file without a hash can have other content."""
    packages = table(read_json(tree, path).get("packages"))
    bare = [name for name, value in packages.items() if "node_modules/" in name and not _has_content(table(value))]
    if bare:
        what = f"{len(bare)} packages without a hash, such as {bare[0].rpartition('node_modules/')[2]}"
        line = line_of(tree.text(path, 32 << 20), f'"{bare[0]}"')
        yield Floating(
            ecosystem="npm",
            path=path,
            line=line,
            what=what,
            why="a registry may serve other content",
            pin="remove them from the lock, npm install",
        )


def _has_content(package: dict[str, Any]) -> bool:
    fixed = re.search(r"#[0-9a-f]{40}$", str(package.get("resolved", "")))
    return bool(package.get("integrity") or package.get("link") or package.get("inBundle") or package.get("bundled") or fixed)
