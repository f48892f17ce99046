"""The check `tests`: pytest, or unittest where pytest is not installed.

pytest keeps the workspace's own options, except those that would make its report partial, unstable or a matter of something else than the
tests: stopping early, running what failed last, coverage limits, parallel workers, debuggers.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from suture_sandbox.checks import Check
from suture_sandbox.detect import programs
from suture_sandbox.detect.addopts import kept_and_dropped
from suture_sandbox.detect.configuration import Configuration, texts
from suture_sandbox.detect.layout import MOST_FOLDERS, by_project, files_of_tests, import_path
from suture_sandbox.files import read_head

NO_RUNNER = "tests: pytest is not installed in the workspace's environment"
"""Begins the note on tests that are there and cannot be run: what everybody should see who waits for them to fail."""

PYTEST = (
    *("python", "-m", "pytest", "-q", "--tb=short", "--color=no", "--rootdir=.", "--maxfail=0", "--continue-on-collection-errors"),
    *("-o", "junit_family=xunit1", "-o", "console_output_style=classic", "--junitxml={report}"),
)
"""Ids are relative to the workspace, one broken module does not hide the others' tests, and the report names files and lines."""
HANG_SECONDS = 60
"""pytest >= 9 names a test that hangs this long and ends, instead of using up the check's whole time-out."""
_PLUGINS_OFF = {"pytest-randomly": "no:randomly", "pytest-sugar": "no:sugar", "pytest-pretty": "no:pretty"}
"""Plugins that shuffle tests or rewrite the output."""
_UNITTEST = re.compile(r"^\s*(?:import|from) unittest\b", re.MULTILINE)
_MOST_READ = 500


class Options(msgspec.Struct, frozen=True):
    """What the workspace configures pytest with."""

    file: str = ""
    """The file that decides, as pytest looks for it; empty where pytest is not configured."""
    values: Mapping[str, Any] = {}

    @property
    def added(self) -> list[str]:
        """`addopts`, split."""
        value = self.values.get("addopts")
        try:
            return [word for text in texts(value) for word in ([text] if isinstance(value, list) else shlex.split(text))]
        except ValueError:
            return []


def tests(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    """The check and its notes."""
    options = pytest_options(configuration)
    files = files_of_tests(configuration, _patterns(options))
    if not files and not any(word.startswith("--doctest") for word in options.added):
        why = f"pytest is configured in {options.file}, but no file has a test's name" if options.file else "no file has a test's name"
        return [f"tests: left out, {why}"]
    if "pytest" in installed:
        return _pytest(configuration, options, files, installed)
    return _unittest(configuration, installed)


def pytest_options(configuration: Configuration) -> Options:
    """The options of pytest from the first file that pytest would take them from."""
    for name in ("pytest.toml", ".pytest.toml"):
        if name in configuration.tables:
            table = configuration.tables[name].get("pytest")
            return Options(name, _table(table))
    for name in ("pytest.ini", ".pytest.ini"):
        if name in configuration.sections:
            return Options(name, configuration.sections[name].get("pytest", {}))
    table = configuration.table("tool", "pytest")
    if table is not None:
        return Options("pyproject.toml", _table(table.get("ini_options", table)))
    if configuration.section("pytest", "tox.ini"):
        return Options("tox.ini", configuration.sections["tox.ini"]["pytest"])
    if configuration.section("tool:pytest", "setup.cfg"):
        return Options("setup.cfg", configuration.sections["setup.cfg"]["tool:pytest"])
    return Options()


def _pytest(configuration: Configuration, options: Options, files: Sequence[str], installed: Mapping[str, str]) -> list[Check | str]:
    kept, dropped = kept_and_dropped(options.added)
    shared = (
        *PYTEST,
        *(() if "cache_dir" in options.values else ("-p", "no:cacheprovider")),
        *(word for name, plugin in _PLUGINS_OFF.items() if name in installed for word in _plugin_off(plugin, kept)),
        *(("-o", f"addopts={shlex.join(kept)}") if dropped else ()),
        *_since(installed["pytest"], options),
    )
    where = f"configured in {options.file}" if options.file else f"{len(files)} test files"
    notes = [f"tests: pytest {installed['pytest']}, {where}"]
    notes += [f"tests: of addopts these are left out: {' '.join(dropped)}"] if dropped else []
    projects = {"": [*files]} if options.file else by_project(configuration, files)
    if len(projects) > 1:
        notes.append(f"tests: {len(projects)} projects have tests, each is a check of its own")
    checks = [
        Check(
            name=_name(project) if len(projects) > 1 else "tests",
            kind="tests",
            command=command,
            report="pytest",
            selectable=True,
            tool="pytest",
        )
        for project, own in [*projects.items()][:MOST_FOLDERS]
        for command in [(*shared, *_importable(configuration, options, own, installed, project), *_only(project, projects))]
    ]
    return [*checks, *notes]


def _name(project: str) -> str:
    return f"tests-{re.sub('[^A-Za-z0-9]+', '-', project).strip('-')}" if project else "tests"


def _only(project: str, projects: Mapping[str, Sequence[str]]) -> list[str]:
    """Where the tests of one of several projects lie. As an option, so that ids on the command line still select."""
    if len(projects) == 1:
        return []
    folders = [project] if project else sorted({path.split("/")[0] for path in projects[""]})
    return ["-o", f"testpaths={shlex.join(folders)}"]


def _plugin_off(plugin: str, kept: Sequence[str]) -> tuple[str, ...]:
    """Options that only a plugin knows would be errors without it; a shuffling plugin then gets a fixed order."""
    name = plugin.removeprefix("no:")
    if not any(f"--{name}" in word for word in kept):
        return ("-p", plugin)
    return ("-p", "randomly", "--randomly-seed=0", "--randomly-dont-reorganize") if name == "randomly" and "no:randomly" not in kept else ()


def _importable(
    configuration: Configuration, options: Options, files: Sequence[str], installed: Mapping[str, str], project: str
) -> list[str]:
    """Tests import a project that is not installed from its folder; equal file names in several folders need another import mode."""
    words: list[str] = []
    folders = () if "pythonpath" in options.values else import_path(configuration, installed, project)
    if folders:
        words += ["-o", f"pythonpath={' '.join(shlex.quote(folder) for folder in folders)}"]
    said = any(word.startswith("--import-mode") for word in options.added)
    names = [posixpath.basename(path) for path in files if f"{posixpath.dirname(path)}/__init__.py".lstrip("/") not in configuration.files]
    if len(names) != len(set(names)) and not said and not options.file:
        words.append("--import-mode=importlib")
    return words


def _since(version: str, options: Options) -> list[str]:
    """Options that only newer versions have: one line a test, so that a run that dies still tells where; and an end to hanging tests."""
    try:
        known = Version(version)
    except InvalidVersion:
        return []
    words = ["-o", "verbosity_test_cases=1"] if known >= Version("8.1") else []
    if known >= Version("9.0") and "faulthandler_timeout" not in options.values:
        words += ["-o", f"faulthandler_timeout={HANG_SECONDS}", "-o", "faulthandler_exit_on_timeout=true"]
    return words


def _patterns(options: Options) -> Sequence[str]:
    value = options.values.get("python_files")
    words = [word for text in texts(value) for word in text.split()]
    return [posixpath.basename(word) for word in words] or ("test_*.py", "*_test.py")


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # TOML of unknown shape


def _unittest(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    files = files_of_tests(configuration, ("test*.py", "*_test.py"))
    using = [path for path in files[:_MOST_READ] if _imports_unittest(configuration.root / path)]
    missing = f"{NO_RUNNER}; install it there to have its tests run"
    if not using:
        return [missing]
    pattern = "test*.py" if any(posixpath.basename(path).startswith("test") for path in using) else "*_test.py"
    using = [path for path in using if pattern != "test*.py" or posixpath.basename(path).startswith("test")]
    folders = import_path(configuration, installed)
    start = ("python", "-c", programs.UNITTEST.format(folders=[*folders])) if folders else ("python", "-m", "unittest")
    if pattern == "test*.py" and all(_reachable(configuration, path) for path in using):
        check = Check(name="tests", kind="tests", command=(*start, "-v"), report="unittest", selectable=True)
    else:
        folder = _common_folder(using)
        command = (*start, "discover", "-v", *(("-s", folder) if folder else ()), *(("-p", pattern) if pattern != "test*.py" else ()))
        check = Check(name="tests", kind="tests", command=command, report="unittest")
    return [check, f"tests: unittest, {len(using)} test files import it and pytest is not installed"]


def _reachable(configuration: Configuration, path: str) -> bool:
    """Whether unittest finds a file from the workspace's root: every folder on the way is a package."""
    parts = path.split("/")[:-1]
    return all("/".join([*parts[:length], "__init__.py"]) in configuration.files for length in range(1, len(parts) + 1))


def _common_folder(paths: Iterable[str]) -> str:
    return posixpath.commonpath([posixpath.dirname(path) or "." for path in paths]).removeprefix(".")


def _imports_unittest(path: Path) -> bool:
    return _UNITTEST.search(read_head(path, 100_000).decode("utf-8", "replace")) is not None
