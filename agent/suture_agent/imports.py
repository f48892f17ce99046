"""Which file of the workspace defines what a module's names stand for, read from the syntax tree; nothing is imported or run."""

from __future__ import annotations

import ast

from suture_agent.direct.units import Definition, definitions, parse
from suture_sandbox.snapshot import Snapshot


def test_function(tree: ast.Module, identifier: str) -> ast.stmt | None:
    """The function of a test's node id."""
    name = ".".join(part.split("[", 1)[0] for part in identifier.split("::")[1:])
    return next((node for each, node in definitions(tree) if each == name), None)


def imported(tree: ast.Module, path: str, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """Names that a module imports from the workspace: local name -> (path of the module, name in it; empty for the module itself)."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = _module_path(node.module or "", node.level, path, snapshot)
            for alias in node.names:
                inner = _module_path(f"{node.module or ''}.{alias.name}".strip("."), node.level, path, snapshot)
                if inner is not None and (base is None or base.endswith("__init__.py")):
                    found[alias.asname or alias.name] = (inner, "")
                elif base is not None:
                    found[alias.asname or alias.name] = _reexported(base, alias.name, snapshot)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                home = _module_path(alias.name, 0, path, snapshot)
                if home is not None:
                    found[alias.asname or alias.name.split(".")[0]] = (home, "")
    return found


def neighbours(text: str, path: str, snapshot: Snapshot) -> dict[str, str]:
    """Names that the modules which a file imports from define, and it does not bind itself: name -> the import that gives it."""
    tree = parse(text)
    found: dict[str, str] = {}
    for node in ast.walk(tree) if tree is not None else ():
        home = _module_path(node.module or "", node.level, path, snapshot) if isinstance(node, ast.ImportFrom) else None
        other = parse(snapshot.read_text(home) or "") if home is not None else None
        if other is not None and isinstance(node, ast.ImportFrom):
            names = [name for name, _ in definitions(other) if "." not in name]
            found.update({name: f"from {'.' * node.level}{node.module or ''} import {name}" for name in names})
    bound = bound_names(tree) if tree is not None else set[str]()
    return {name: line for name, line in found.items() if name not in bound}


def _reexported(path: str, name: str, snapshot: Snapshot, depth: int = 3) -> tuple[str, str]:
    """Follow a name through a package's `__init__` to the module that defines it."""
    text = snapshot.read_text(path)
    tree = parse(text) if text and depth else None
    if tree is None or any(each == name for each, _ in definitions(tree)):
        return path, name
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                home = _module_path(node.module or "", node.level, path, snapshot)
                if (alias.asname or alias.name) == name and home is not None and home != path:
                    return _reexported(home, alias.name, snapshot, depth - 1)
    return path, name


def _module_path(module: str, level: int, path: str, snapshot: Snapshot) -> str | None:
    parts = [part for part in module.split(".") if part]
    folder = path.split("/")[:-1]
    bases = [folder[: len(folder) - level + 1]] if level else [[], ["src"], folder]
    for base in bases:
        stem = "/".join([*base, *parts])
        for candidate in (f"{stem}.py", f"{stem}/__init__.py" if stem else "__init__.py"):
            if snapshot.exists(candidate):
                return candidate
    return None


def used_names(tree: ast.Module) -> set[str]:
    """Names that are read."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def bound_by_import(tree: ast.Module) -> set[str]:
    """Names that an import binds anywhere in the module."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).split(".")[0] for node in nodes for alias in node.names}


def bound_names(tree: ast.Module) -> set[str]:
    """Names that are bound anywhere in the module, and those that every module has."""
    names = {"__name__", "__file__", "__doc__", "__class__", *bound_by_import(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, Definition):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names
