"""What a unit could have meant instead: the names that its file, its class and the workspace's modules offer."""

from __future__ import annotations

import ast
import builtins
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from suture_agent.direct.templates.scene import Around
from suture_agent.direct.units import Unit, definitions, parse
from suture_agent.imports import bound_names, imported, used_names
from suture_agent.problem import is_test_path
from suture_sandbox.snapshot import Snapshot

MOST_MODULES = 200
"""Files of the workspace that are read for the names that they define."""
LARGEST_FILE = 200_000
_OTHERS = frozenset({"venv", "env", "node_modules", "site-packages", "build", "dist"})


def surroundings(unit: Unit, snapshot: Snapshot, *, modules: bool = False) -> Around:
    """The names around a unit; those of all the workspace's modules only where `modules` asks for them."""
    text = snapshot.read_text(unit.path)
    tree = parse(text) if text else None
    offered = _modules(snapshot) if modules else {}
    if tree is None:
        return Around(modules=offered)
    trees = [tree, *_imported_trees(tree, unit.path, snapshot)]
    classes = [node for each in trees for _, node in definitions(each) if isinstance(node, ast.ClassDef)]
    owner = unit.name.rpartition(".")[0] if unit.kind == "function" else unit.name
    own = next((node for name, node in definitions(tree) if name == owner and isinstance(node, ast.ClassDef)), None)
    members = dict.fromkeys(name for node in classes for name in _members(node))
    assigned = [(name, value) for node in tree.body for name, value in _assigned(node)]
    return Around(
        fields=tuple(_fields(own)) if own is not None else (),
        members=tuple(members),
        methods=frozenset(name for node in classes for name in _plain_methods(node)),
        functions={name: parameters for each in reversed(trees) for name, parameters in _functions(each)},
        constants=tuple(dict.fromkeys(name for name, _ in assigned)),
        tables=tuple(name for name, value in assigned if isinstance(value, ast.Dict)),
        modules=offered,
        unbound=tuple(sorted(used_names(tree) - bound_names(tree) - set(dir(builtins)))),
    )


def _imported_trees(tree: ast.Module, path: str, snapshot: Snapshot) -> Iterator[ast.Module]:
    for home in sorted({home for home, _ in imported(tree, path, snapshot).values()})[:8]:
        text = snapshot.read_text(home) if home != path else None
        other = parse(text) if text and len(text) < LARGEST_FILE else None
        if other is not None:
            yield other


def _members(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name
    yield from _fields(node)


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        yield from (name for name, _ in _assigned(each))
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and ast.unparse(inner.value) == "self":
            yield inner.attr


def _plain_methods(node: ast.ClassDef) -> Iterator[str]:
    """Methods that can be called without arguments; properties are none."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and not any("property" in ast.unparse(decorator) for decorator in each.decorator_list):
            needed = len(each.args.args) - len(each.args.defaults) - 1
            if needed <= 0 and not each.name.startswith("__"):
                yield each.name


def _functions(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Functions with their parameters, methods by their own name; classes with those of `__init__`, or their fields."""
    for name, node in definitions(tree):
        if isinstance(node, ast.ClassDef):
            init = next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
            fields = tuple(name for each in node.body if isinstance(each, ast.AnnAssign) for name, _ in _assigned(each))
            yield node.name, _parameters(init) if init is not None else fields
        else:
            yield name.rsplit(".", 1)[-1], _parameters(node)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return tuple(each.arg for each in every if each.arg not in ("self", "cls"))


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a statement assigns, with the value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    for target in targets:
        if isinstance(target, ast.Name) and isinstance(node, ast.Assign | ast.AnnAssign):
            yield target.id, node.value


def _modules(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Modules of the workspace, tests left out, with the names that they define."""
    found: dict[str, tuple[str, ...]] = {}
    for path in workspace_files(snapshot):
        text = snapshot.read_text(path)
        tree = parse(text) if text and len(text) < LARGEST_FILE else None
        if tree is not None:
            assigned = [name for node in tree.body for name, _ in _assigned(node)]
            found[module_name(path)] = (*(each for each, _ in definitions(tree) if "." not in each), *assigned)
    return found


def module_name(path: str) -> str:
    """The dotted name of the module that a file of the workspace is."""
    parts = path.removesuffix(".py").removeprefix("src/").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def workspace_files(snapshot: Snapshot) -> Iterator[str]:
    """The first Python files of the workspace that are no tests."""
    return itertools.islice(_files(snapshot), MOST_MODULES)


def _files(snapshot: Snapshot) -> Iterator[str]:
    """Python files that are no tests; hidden folders and environments are not entered."""
    for folder, folders, names in os.walk(snapshot.root):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "__")) and each not in _OTHERS)
        for name in sorted(names):
            path = Path(folder, name).relative_to(snapshot.root).as_posix()
            if name.endswith(".py") and not is_test_path(path):
                yield path
