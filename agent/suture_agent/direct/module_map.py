"""Imports inside the workspace that lead nowhere, mended in all files at once: a module that moved, a package that was renamed.

Read from the syntax trees; nothing is imported or run. An import is changed only where one module alone can have been meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from suture_agent.direct.surroundings import module_name, workspace_files
from suture_agent.direct.templates.scene import replaced
from suture_agent.direct.units import parse
from suture_agent.imports import bound_names
from suture_agent.problem import Problem
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot

_MISSING = re.compile(
    r"No module named '([\w.]+)'|cannot import name '\w+' from (?:partially initialized module )?'([\w.]+)'"
    r"|Cannot find [^\n]*module named \"([\w.]+)\"|Import \"([\w.]+)\" could not|Module \"([\w.]+)\" has no attribute"
    r"|\"\w+\" is (unknown import symbol)"
)


class Module(msgspec.Struct, frozen=True):
    """A module of the workspace."""

    path: str
    text: str
    tree: ast.Module
    names: frozenset[str]
    """What can be imported from it, its submodules included."""


def mended_imports(problem: Problem) -> Patch | None:
    """A patch that lets every import of the workspace's own modules find what it names; None where no finding is about one."""
    said = "\n".join(finding.message for finding in problem.findings)
    missing = {name for groups in _MISSING.findall(said) for name in groups if name}
    if not missing:
        return None
    modules = _modules(problem.snapshot)
    edits: dict[str, bytes | None] = {}
    for name, module in modules.items():
        pairs = list(_changes(name, module, modules, missing))
        if pairs:
            before = problem.snapshot.read(module.path) or b""
            mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
            edits[module.path] = mark + replaced(module.text, pairs).encode()
    return patch_between(problem.snapshot, edits) if edits else None


def _modules(snapshot: Snapshot) -> dict[str, Module]:
    found: dict[str, Module] = {}
    for path in workspace_files(snapshot):
        text = snapshot.read_text(path)
        tree = parse(text) if text is not None else None
        if text is not None and tree is not None:
            found[module_name(path)] = Module(path, text, tree, frozenset(bound_names(tree)))
    for name in list(found):
        parent, _, last = name.rpartition(".")
        if parent in found:
            found[parent] = msgspec.structs.replace(found[parent], names=found[parent].names | {last})
    return found


def _changes(name: str, module: Module, modules: Mapping[str, Module], missing: set[str]) -> Iterator[tuple[ast.stmt, str]]:
    """The imports of a module that lead nowhere, each with its text as it should be."""
    package = name if module.path.endswith("__init__.py") else name.rpartition(".")[0]
    roots = {each.split(".")[0] for each in modules} | {each.split(".")[0] for each in missing if each.split(".")[0] not in modules}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ImportFrom) or (not node.level and (node.module or "").split(".")[0] not in roots):
            continue
        target = _absolute(package, node)
        wanted = [alias.name for alias in node.names]
        if target in modules and ("*" in wanted or modules[target].names.issuperset(wanted)):
            continue
        if target not in modules and all(f"{target}.{each}".lstrip(".") in modules for each in wanted):
            continue  # a package without an __init__
        home = _home(target, wanted, name, modules)
        if home is not None:
            rest = (ast.get_source_segment(module.text, node) or "").partition(" import ")[2]
            yield node, f"from {_told(package, home, relative=node.level > 0)} import {rest}"


def _absolute(package: str, node: ast.ImportFrom) -> str:
    """The dotted name that an import asks for."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _home(target: str, wanted: Sequence[str], own: str, modules: Mapping[str, Module]) -> str | None:
    """The one module that can have been meant: it has all the names, and its own name ends alike if several have them."""
    having = [name for name, module in modules.items() if name not in (target, own) and module.names.issuperset(wanted)]
    last = target.rpartition(".")[2]
    alike = [name for name in having if name.rpartition(".")[2] == last]
    if target.split(".", maxsplit=1)[0] not in {name.split(".")[0] for name in modules}:  # it may be a distribution that is not installed
        return alike[0] if len(alike) == 1 else None
    defining = [name for name in having if _defines(modules[name].tree, wanted)]
    for chosen in (alike, defining, having):
        if len(chosen) == 1:
            return chosen[0]
    return None


def _defines(tree: ast.Module, wanted: Sequence[str]) -> bool:
    """Whether a module defines the names itself, rather than importing them."""
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    own |= {each.id for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}  # fmt: skip
    return own.issuperset(wanted)


def _told(package: str, home: str, *, relative: bool) -> str:
    """How a module of the package names another one."""
    if not relative:
        return home
    here, there = package.split(".") if package else [], home.split(".")
    shared = next((at for at, (one, other) in enumerate(zip(here, there, strict=False)) if one != other), min(len(here), len(there)))
    return "." * (len(here) - shared + 1) + ".".join(there[shared:]) if shared else home
