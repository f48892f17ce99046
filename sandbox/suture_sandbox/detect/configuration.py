"""A Python workspace's configuration files as data: what is configured where, and which files there are.

Nothing is run, imported or followed out of the workspace. A file that cannot be read is noted and otherwise taken as empty.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from suture_sandbox.files import as_text, has, read_plain
from suture_sandbox.toml import BadToml, parse

LARGEST_FILE = 1 << 20
MOST_FILES = 20_000
MOST_ENTRIES = 300_000
"""Folder entries that are looked at, Python or not: data sets can hold millions."""
NEVER_CODE = frozenset({"node_modules", "__pycache__", "site-packages"})
SELDOM_CODE = frozenset({"build", "dist", "venv", "env"})
"""Names of folders that hold the workspace's own code only when they are packages."""
TOML_FILES = ("pyproject.toml", "pytest.toml", ".pytest.toml", "suture.toml")
INI_FILES = ("setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "mypy.ini", ".mypy.ini", ".flake8")

_HOOK = re.compile(r"^\s*-?\s*id:\s*['\"]?([\w-]{1,60})", re.MULTILINE)
_DEPENDENCY = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,80})")


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace says about itself."""

    root: Path
    tables: dict[str, dict[str, Any]]
    """TOML file name -> its content."""
    sections: dict[str, dict[str, dict[str, str]]]
    """INI file name -> section -> options."""
    files: tuple[str, ...]
    """Relative paths of the Python files, sorted; environments, caches and hidden folders left out."""
    hooks: frozenset[str] = frozenset()
    """Ids of pre-commit hooks."""
    notes: tuple[str, ...] = ()
    """Configuration files that could not be read, with the reason; whether files were left out."""

    @property
    def project(self) -> dict[str, Any]:
        """pyproject.toml; empty where there is none or it is damaged."""
        return self.tables.get("pyproject.toml", {})

    def table(self, *keys: str) -> dict[str, Any] | None:
        """A table of pyproject.toml by its path, None where there is none."""
        return find_table(self.project, *keys)

    def has(self, *names: str) -> str:
        """The first of these files that is at the workspace's root; empty where none is."""
        return next((name for name in names if (self.root / name).is_file()), "")

    def section(self, name: str, *files: str) -> str:
        """The first of these INI files that has the section; empty where none has."""
        return next((file for file in files if name in self.sections.get(file, {})), "")


def find_table(tree: Mapping[str, Any], *keys: str) -> dict[str, Any] | None:
    """A nested table, None where there is none."""
    found: object = {**tree}
    for key in keys:
        found = _get(found, key)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _get(table: object, key: str) -> object:
    return cast("dict[str, object]", table).get(key) if isinstance(table, dict) else None


def texts(value: object) -> list[str]:
    """The strings of a TOML or INI value that is one text or a list of them."""
    if isinstance(value, str):
        return [value]
    return [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []


def read_configuration(root: Path, *, most_files: int = MOST_FILES, most_entries: int = MOST_ENTRIES) -> Configuration:
    """Read a workspace's configuration, and the names of its first `most_files` Python files or so."""
    notes: list[str] = []
    tables = {name: _toml(text, name, notes) for name in TOML_FILES if (text := read_text(root / name, notes)) is not None}
    sections = {name: _sections(text, name, notes) for name in INI_FILES if (text := read_text(root / name, notes)) is not None}
    hooks = frozenset(_HOOK.findall(read_text(root / ".pre-commit-config.yaml", notes) or ""))
    files = tuple(sorted(_python_files(root, most_files, most_entries, notes)))
    return Configuration(root=root, tables=tables, sections=sections, files=files, hooks=hooks, notes=tuple(notes))


def read_text(path: Path, notes: list[str]) -> str | None:
    """A small text file, None where there is none; one that is not UTF-8 leaves a note.

    Raises UnreadableFile for a pipe, a device or a giant under that name: the tools that the file is for would wait for it, too.
    """
    content = None if path.is_dir() else read_plain(path, most=LARGEST_FILE)
    try:
        return None if content is None else as_text(content, "utf-8-sig")
    except UnicodeDecodeError as error:
        notes.append(f"{path.name} cannot be read, so it is taken as empty: {error}")
        return None


def development_dependencies(configuration: Configuration) -> frozenset[str]:
    """Normalised names of what the project lists for its own development."""
    project = configuration.project
    groups: list[object] = [*(find_table(project, "dependency-groups") or {}).values()]
    groups += (find_table(project, "project", "optional-dependencies") or {}).values()
    groups += (find_table(project, "tool", "pdm", "dev-dependencies") or {}).values()
    groups.append((find_table(project, "tool", "uv") or {}).get("dev-dependencies"))
    listed = [line for group in groups for line in texts(group)]
    poetry = find_table(project, "tool", "poetry") or {}
    listed += find_table(poetry, "dev-dependencies") or {}
    for group in (find_table(poetry, "group") or {}).values():
        listed += find_table(cast("dict[str, Any]", group) if isinstance(group, dict) else {}, "dependencies") or {}
    for name in ("requirements-dev.txt", "dev-requirements.txt", "requirements/dev.txt"):
        listed += (read_text(configuration.root / name, []) or "").splitlines()
    return frozenset(re.sub(r"[-_.]+", "-", found[1]).lower() for line in listed if (found := _DEPENDENCY.match(line)))


def _toml(text: str, name: str, notes: list[str]) -> dict[str, Any]:
    try:
        return parse(text)
    except BadToml as error:
        notes.append(f"{name} cannot be read, so it is taken as empty: {error}")
        return {}


def _sections(text: str, name: str, notes: list[str]) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        notes.append(f"{name} cannot be read as a whole: {str(error).splitlines()[0]}")
    return {section: {key: value or "" for key, value in parser.items(section)} for section in parser.sections()}


def _python_files(root: Path, most_files: int, most_entries: int, notes: list[str]) -> Iterator[str]:
    files = entries = 0
    for folder, names, plain in os.walk(root):
        names[:] = sorted(name for name in names if not skipped(Path(folder), name))
        entries += len(names) + len(plain)
        base = Path(folder).relative_to(root)
        for name in plain:
            if name.endswith(".py"):
                files += 1
                yield (base / name).as_posix()
        if files > most_files or entries > most_entries:
            notes.append(f"the workspace is large: only its first {files} Python files were looked at")
            return


def skipped(folder: Path, name: str) -> bool:
    """Whether a folder is not the workspace's own code: hidden, a cache, an environment, a build."""
    if name.startswith(".") or name in NEVER_CODE or name.endswith(".egg-info"):
        return True
    return has(folder / name, "pyvenv.cfg") or (name in SELDOM_CODE and not has(folder / name, "__init__.py"))
