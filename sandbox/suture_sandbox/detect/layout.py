"""Where a Python workspace keeps its code and its tests, told from file names and configuration."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from suture_sandbox.detect.configuration import Configuration, texts

PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
MOST_FOLDERS = 20
_NOT_CODE = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "example", "scripts", "benchmarks", "benchmark", "tools"})
_SCRIPTS = frozenset({"setup.py", "conftest.py", "noxfile.py", "fabfile.py", "tasks.py", "manage.py", "conf.py"})
_TEST_PATTERNS = ("test_*.py", "*_test.py")


def files_of_tests(configuration: Configuration, patterns: Sequence[str] = _TEST_PATTERNS) -> tuple[str, ...]:
    """The files that a test runner takes for tests by their names."""
    compiled = [re.compile(fnmatch.translate(pattern)) for pattern in patterns]
    return tuple(path for path in configuration.files if any(each.match(posixpath.basename(path)) for each in compiled))


def source_folders(configuration: Configuration) -> tuple[str, ...]:
    """Folders that importable code lies in, other than the workspace's root: `src`, or what the build's settings say."""
    named = [*_where(configuration), "src"]
    present = [each for each in dict.fromkeys(named) if any(path.startswith(f"{each}/") for path in configuration.files)]
    return tuple(present[:MOST_FOLDERS])


def sources(configuration: Configuration) -> tuple[str, ...]:
    """Folders and files that hold the workspace's own code, tests and scripts left out; empty where that cannot be told."""
    folders = source_folders(configuration)
    tests = frozenset(files_of_tests(configuration))
    packages = packages_in(configuration, "")
    modules = {path for path in configuration.files if "/" not in path and path not in tests and path not in _SCRIPTS}
    return (*folders, *(each for each in packages if each not in folders), *sorted(modules))


def packages_in(configuration: Configuration, folder: str) -> list[str]:
    """Names of the packages that lie right in a folder (`""` is the workspace's root), tests and documentation left out."""
    prefix = f"{folder}/" if folder else ""
    inner = [path[len(prefix) :].split("/") for path in configuration.files if path.startswith(prefix)]
    return sorted({parts[0] for parts in inner if len(parts) == 2 and parts[1] == "__init__.py" and parts[0].isidentifier()} - _NOT_CODE)


def import_path(configuration: Configuration, installed: Mapping[str, str], project: str = "") -> tuple[str, ...]:
    """Folders that must be importable for the tests of a project to find its code, where it is not installed in the environment."""
    if project:
        inner = f"{project}/src"
        return (inner if any(path.startswith(f"{inner}/") for path in configuration.files) else project,)
    name = project_name(configuration.project, configuration.sections.get("setup.cfg", {}))
    return () if name in installed else source_folders(configuration)


def by_project(configuration: Configuration, files: Sequence[str]) -> dict[str, list[str]]:
    """Files by the project that they belong to: the nearest folder above with a project's file in it, `""` for the workspace's own."""
    projects: dict[str, bool] = {}
    grouped: dict[str, list[str]] = {}
    for path in files:
        parts = path.split("/")[:-1]
        above = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
        grouped.setdefault(next((folder for folder in above if _is_project(configuration, folder, projects)), ""), []).append(path)
    return grouped


def _is_project(configuration: Configuration, folder: str, known: dict[str, bool]) -> bool:
    if folder not in known:
        known[folder] = any((configuration.root / folder / name).is_file() for name in PROJECT_FILES)
    return known[folder]


def project_name(project: Mapping[str, Any], setup: Mapping[str, Mapping[str, str]]) -> str:
    """The normalised name of the distribution that the workspace builds, empty where it has none."""
    tables = (project.get("project"), _get(project.get("tool"), "poetry"))
    said: list[object] = [setup.get("metadata", {}).get("name"), *(_get(table, "name") for table in tables)]
    name = next((each for each in said if isinstance(each, str) and each), "")
    return re.sub(r"[-_.]+", "-", name).lower()


def _where(configuration: Configuration) -> list[str]:
    """The folders that setuptools and poetry are told to find packages in."""
    tools = configuration.table("tool", "setuptools") or {}
    said = texts(_get(_get(tools.get("packages"), "find"), "where")) + texts(_get(tools.get("package-dir"), ""))
    poetry = configuration.table("tool", "poetry") or {}
    packages = poetry.get("packages")
    listed = cast("list[object]", packages) if isinstance(packages, list) else []
    said += [each for table in listed for each in texts(_get(table, "from"))]
    setup = configuration.sections.get("setup.cfg", {})
    said.append(setup.get("options.packages.find", {}).get("where", ""))
    said += [
        line.partition("=")[2] for line in setup.get("options", {}).get("package_dir", "").splitlines() if line.strip().startswith("=")
    ]
    cleaned = [posixpath.normpath(each.strip()) for each in said if each.strip()]
    return [each for each in cleaned if each != "." and not each.startswith(("/", ".."))]


def _get(table: object, key: str) -> object:
    return table.get(key) if isinstance(table, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # TOML of unknown shape
