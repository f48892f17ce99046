"""poetry.lock and pdm.lock: the packages that checks need, as requirements with hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from suture_sandbox.lockformats.plan import Plan, Table, applies, content_of, direct_requirements, is_wanted, read_toml
from suture_sandbox.lockformats.requirements import requirements_plan


def from_poetry(root: Path, markers: Mapping[str, str]) -> Plan | None:
    """The plan of poetry.lock, None where there is none."""
    if content_of(root / "poetry.lock") is None:
        return None
    lock, project = read_toml(root / "poetry.lock"), read_toml(root / "pyproject.toml")
    packages: list[Table] = lock.get("package", [])
    if any("groups" in package for package in packages):
        chosen = [package for package in packages if any(map(is_wanted, package["groups"])) and applies(_poetry_marker(package), markers)]
    else:
        reached = _reachable(packages, _poetry_roots(project), markers)
        chosen = [package for package in packages if canonicalize_name(package["name"]) in reached]
    files: Table = lock.get("metadata", {}).get("files", {})  # where lock files before Poetry 1.3 keep the hashes
    with_files = [{**package, "files": package.get("files") or files.get(package["name"], [])} for package in chosen]
    return requirements_plan(root, "poetry.lock", with_files, lock.get("metadata", {}).get("python-versions", ""))


def _poetry_marker(package: Table) -> str:
    markers = package.get("markers", "")
    if isinstance(markers, str):
        return markers
    wanted = [f"({text})" for group, text in markers.items() if is_wanted(group)]  # one marker for each group
    return " or ".join(wanted) if len(wanted) == sum(map(is_wanted, package["groups"])) else ""


def _poetry_roots(project: Table) -> list[tuple[str, Any]]:
    """Direct dependencies with their conditions, from Poetry's tables and the standard ones."""
    poetry: Table = project.get("tool", {}).get("poetry", {})
    groups = {name: group.get("dependencies", {}) for name, group in poetry.get("group", {}).items() if is_wanted(name)}
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {}), *groups.values()]
    roots = [(name, value) for table in tables for name, value in table.items() if name != "python"]
    standard = direct_requirements(project, groups=True)
    return roots + [(found.name, {"markers": str(found.marker or ""), "extras": sorted(found.extras)}) for found in standard]


def _reachable(packages: list[Table], roots: list[tuple[str, Any]], markers: Mapping[str, str]) -> frozenset[str]:
    """Names that the roots lead to over edges whose condition holds here; a lock file of Poetry 1 keeps conditions on the edges."""
    by_name: dict[str, list[Table]] = {}
    for package in packages:
        by_name.setdefault(canonicalize_name(package["name"]), []).append(package)
    todo = [*_edges(roots, markers, frozenset())]
    done: set[tuple[str, str]] = set()
    while todo:
        name, extras = todo.pop()
        fresh = {(name, extra) for extra in ("", *extras)} - done
        done |= fresh
        for package in by_name.get(name, []) if fresh else []:
            optional = {_bare(entry) for extra in extras for entry in package.get("extras", {}).get(extra, [])}
            todo += _edges(list(package.get("dependencies", {}).items()), markers, frozenset(optional))
    return frozenset(name for name, _ in done)


def _edges(
    dependencies: list[tuple[str, Any]], markers: Mapping[str, str], optional: frozenset[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in dependencies:
        for table in _tables(value):
            if table.get("optional") and canonicalize_name(name) not in optional:
                continue
            if applies(table.get("markers", ""), markers):
                yield canonicalize_name(name), tuple(table.get("extras", ()))


def _tables(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # TOML: a version, a table, or a list of either
    """The conditions of a dependency: a plain version has none."""
    entries: list[Any] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType]  # TOML
    return [entry if isinstance(entry, dict) else {} for entry in entries]  # pyright: ignore[reportUnknownVariableType]  # TOML


def _bare(entry: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", entry)
    return canonicalize_name(found.group(0)) if found else ""


def from_pdm(root: Path, markers: Mapping[str, str]) -> Plan | None:
    """The plan of pdm.lock, None where there is none."""
    if content_of(root / "pdm.lock") is None:
        return None
    lock = read_toml(root / "pdm.lock")
    chosen = [
        package
        for package in lock.get("package", [])
        if any(map(is_wanted, package.get("groups", ["default"]))) and applies(package.get("marker", ""), markers)
    ]
    return requirements_plan(root, "pdm.lock", chosen, read_toml(root / "pyproject.toml").get("project", {}).get("requires-python", ""))
