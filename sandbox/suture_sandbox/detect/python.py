"""The checks of a Python workspace: syntax, ruff or flake8, mypy and pyright, pytest or unittest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from packaging.version import InvalidVersion, Version

from suture_sandbox.checks import Check
from suture_sandbox.detect import Detection
from suture_sandbox.detect.configuration import Configuration, read_configuration

PYTEST = (
    *("python", "-m", "pytest", "-q", "--tb=short", "--color=no", "-p", "no:cacheprovider"),
    *("-o", "junit_family=xunit1", "--junitxml={report}", "--maxfail=0"),
)
"""What makes pytest's report whole and stable: the workspace's own addopts come before and may stop at the first failure."""
HANG_SECONDS = 60
"""pytest >= 9 names a test that hangs this long and ends, instead of using up the check's whole time-out."""
MYPY = (
    *("python", "-m", "mypy", "--no-error-summary", "--show-column-numbers", "--show-error-codes", "--hide-error-context"),
    *("--no-color-output", "--no-pretty", "--no-incremental", "--cache-dir=/dev/null"),
)
"""Without a cache: an attempt starts from the same state every time, and a cache would be thrown away with it."""

_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


def detect_python(root: Path, installed: Mapping[str, str]) -> Detection | None:
    """The checks of a Python workspace, None for a folder without Python files."""
    configuration = read_configuration(root)
    if not configuration.files:
        return None
    found = [_build(), *_lint(configuration, installed), *_types(configuration, installed), *_tests(configuration, installed)]
    checks = tuple(item for item in found if isinstance(item, Check))
    notes = tuple(item for item in found if isinstance(item, str))
    return Detection(language="python", checks=checks, notes=(*configuration.damaged, *notes))


def _build() -> Check:
    program = resources.files("suture_sandbox").joinpath("detect", "syntax_program.py").read_text(encoding="utf-8")
    return Check(name="build", kind="build", command=("python", "-c", program), report="compileall", timeout=120)


def _lint(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    if configuration.tool("ruff") is not None or configuration.has("ruff.toml", ".ruff.toml"):
        if "ruff" not in installed:
            return [_missing("lint", "ruff")]
        command = ("python", "-m", "ruff", "check", "--output-format=json", "--no-cache", "--no-fix", ".")
        return [Check(name="lint", kind="lint", command=command, report="ruff", timeout=120, tool="ruff")]
    if configuration.has(".flake8") or configuration.section("flake8", "setup.cfg", "tox.ini"):
        if "flake8" not in installed:
            return [_missing("lint", "flake8")]
        return [Check(name="lint", kind="lint", command=("python", "-m", "flake8", "."), report="generic", timeout=120, tool="flake8")]
    return ["lint: neither ruff nor flake8 is configured"]


def _types(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    found: list[Check | str] = []
    configured = configuration.tool("mypy") is not None or configuration.has("mypy.ini", ".mypy.ini")
    if configured or configuration.section("mypy", "setup.cfg"):
        targets = () if _names_targets(configuration) else _source_targets(configuration)
        found.append(
            Check(name="types", kind="types", command=(*MYPY, *targets), report="mypy", tool="mypy")
            if "mypy" in installed
            else _missing("types", "mypy")
        )
    if configuration.tool("pyright") is not None or configuration.has("pyrightconfig.json"):
        name = "types-pyright" if found else "types"
        command = ("python", "-m", "pyright", "--outputjson")
        found.append(
            Check(name=name, kind="types", command=command, report="pyright", tool="pyright")
            if "pyright" in installed
            else _missing(name, "pyright")
        )
    return found or ["types: neither mypy nor pyright is configured"]


def _tests(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    files = [path for path in configuration.files if _TEST_FILE.search(path)]
    configured = configuration.tool("pytest") is not None or configuration.has("pytest.ini", ".pytest.ini")
    if not (configured or files or configuration.section("pytest", "tox.ini") or configuration.section("tool:pytest", "setup.cfg")):
        return ["tests: there is no test file and no configuration of pytest"]
    if "pytest" in installed:
        command = (*PYTEST, *_import_path(configuration, installed), *_hang(installed["pytest"]))
        return [Check(name="tests", kind="tests", command=command, report="pytest", selectable=True, tool="pytest")]
    if not any(_imports(configuration.root / path, "unittest") for path in files):
        return [_missing("tests", "pytest")]
    start = "tests" if (configuration.root / "tests").is_dir() and all(path.startswith("tests/") for path in files) else "."
    command = (
        ("python", "-m", "unittest", "discover", "-v", "-s", start, "-t", ".")
        if start != "."
        else ("python", "-m", "unittest", "discover", "-v")
    )
    return [Check(name="tests", kind="tests", command=command, report="unittest")]


def _import_path(configuration: Configuration, installed: Mapping[str, str]) -> tuple[str, ...]:
    """A `src` layout whose project is not installed: its tests import from `src`, as its owner's installed copy would let them."""
    options = configuration.tool("pytest") or {}
    said = json.dumps(options, default=str)
    project = configuration.toml.get("project")
    name = str(project.get("name", "")) if isinstance(project, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # TOML of unknown shape
    known = re.sub(r"[-_.]+", "-", name).lower() in installed if name else False
    if known or "pythonpath" in said or not any(path.startswith("src/") for path in configuration.files):
        return ()
    return ("-o", "pythonpath=src .")


def _hang(version: str) -> tuple[str, ...]:
    try:
        known = Version(version) >= Version("9.0")
    except InvalidVersion:
        return ()
    return ("-o", f"faulthandler_timeout={HANG_SECONDS}", "-o", "faulthandler_exit_on_timeout=true") if known else ()


def _names_targets(configuration: Configuration) -> bool:
    """Whether mypy's configuration itself says what to check."""
    table = configuration.tool("mypy")
    if table is not None:
        return any(key in table for key in ("files", "packages", "modules", "mypy_path"))
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        path = configuration.root / name
        if "mypy" in configuration.sections.get(name, frozenset()):
            text = path.read_text("utf-8-sig", "replace")
            return re.search(r"^(?:files|packages|modules)\s*=", text, re.MULTILINE) is not None
    return False


def _source_targets(configuration: Configuration) -> tuple[str, ...]:
    return ("src",) if any(path.startswith("src/") for path in configuration.files) else (".",)


def _imports(path: Path, module: str) -> bool:
    try:
        return re.search(rf"^\s*(?:import|from) {module}\b", path.read_text("utf-8", "replace"), re.MULTILINE) is not None
    except OSError:
        return False


def _missing(check: str, tool: str) -> str:
    return f"{check}: {tool} is configured or needed, but not installed in the workspace's environment; install it there to have this check"
