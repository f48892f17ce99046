"""A Python workspace's configuration files as data: what is configured where, and which files there are."""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

LARGEST_FILE = 1_000_000
MOST_FILES = 20_000
SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "site-packages", "venv", "env"})
PARSED_FILES = ("setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini", "mypy.ini", ".mypy.ini")


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace says about itself."""

    root: Path
    toml: dict[str, Any]
    """pyproject.toml; empty where there is none or it is damaged."""
    sections: dict[str, frozenset[str]]
    """File name -> its INI sections."""
    files: tuple[str, ...]
    """Relative paths of the Python files, sorted; environments, caches and hidden folders left out."""
    damaged: tuple[str, ...] = ()
    """Configuration files that could not be read, with the reason."""

    def tool(self, name: str) -> dict[str, Any] | None:
        """The table `[tool.NAME]` of pyproject.toml, None where there is none."""
        tools = self.toml.get("tool")
        table = cast("dict[str, Any]", tools).get(name) if isinstance(tools, dict) else None
        return cast("dict[str, Any]", table) if isinstance(table, dict) else None

    def has(self, *names: str) -> bool:
        """Whether one of these files is at the workspace's root."""
        return any((self.root / name).is_file() for name in names)

    def section(self, name: str, *files: str) -> str:
        """The first of these INI files that has the section; empty where none has."""
        return next((file for file in files if name in self.sections.get(file, frozenset())), "")


def read_configuration(root: Path) -> Configuration:
    """Read a workspace's configuration; a damaged file is noted and otherwise taken as empty."""
    damaged: list[str] = []
    toml: dict[str, Any] = {}
    text = _read(root / "pyproject.toml", damaged)
    if text is not None:
        try:
            toml = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            damaged.append(f"pyproject.toml cannot be read: {error}")
    sections: dict[str, frozenset[str]] = {}
    for name in PARSED_FILES:
        text = _read(root / name, damaged)
        if text is not None:
            sections[name] = _sections(text, name, damaged)
    return Configuration(root=root, toml=toml, sections=sections, files=tuple(sorted(_python_files(root))), damaged=tuple(damaged))


def _read(path: Path, damaged: list[str]) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return None
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        damaged.append(f"{path.name} cannot be read: {error}")
        return None


def _sections(text: str, name: str, damaged: list[str]) -> frozenset[str]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        damaged.append(f"{name} cannot be read: {str(error).splitlines()[0]}")
    return frozenset(parser.sections())


def _python_files(root: Path) -> Iterator[str]:
    count = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not skipped(Path(folder), name))
        base = Path(folder).relative_to(root)
        for name in files:
            if name.endswith(".py"):
                count += 1
                if count > MOST_FILES:
                    return
                yield (base / name).as_posix()


def skipped(folder: Path, name: str) -> bool:
    """Whether a folder is not the workspace's own code: hidden, a cache, an environment, a build."""
    return name.startswith(".") or name in SKIPPED or name.endswith(".egg-info") or (folder / name / "pyvenv.cfg").exists()
