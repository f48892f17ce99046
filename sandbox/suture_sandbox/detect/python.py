"""The checks of a Python workspace: syntax, imports, wheel, ruff or flake8, mypy, pyright; `testing` has the tests.

A check is found when its tool is installed in the workspace's environment and the workspace says that it uses it. Whether a tool's
findings matter to the owner is not guessed from the tool being there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from suture_sandbox.checks import Check
from suture_sandbox.detect import Detection, programs
from suture_sandbox.detect.configuration import (
    Configuration,
    development_dependencies,
    find_table,
    read_configuration,
    read_text,
    texts,
)
from suture_sandbox.detect.layout import import_path, packages_in, sources
from suture_sandbox.detect.testing import tests

MYPY = (
    *("python", "-m", "mypy", "--no-error-summary", "--show-column-numbers", "--show-error-codes", "--hide-error-context"),
    *("--no-color-output", "--no-pretty", "--no-incremental", "--cache-dir=/dev/null"),
)
"""Without a cache: an attempt starts from the same state every time, and a cache would be thrown away with it."""
MOST_TARGETS = 40
FLAKE8_FORMAT = "--format=%(path)s:%(row)d:%(col)d: error: %(code)s %(text)s"
_VENV = re.compile(r'"venv"\s*:')


def detect_python(root: Path, installed: Mapping[str, str]) -> Detection | None:
    """The checks of a Python workspace, None for a folder without Python files."""
    configuration = read_configuration(root)
    if not configuration.files:
        return None
    tested = tests(configuration, installed)
    found = [
        _syntax(),
        *([] if any(isinstance(item, Check) for item in tested) else _imports(configuration, installed)),
        *_wheel(configuration, installed),
        *_lint(configuration, installed),
        *_types(configuration, installed),
        *tested,
    ]
    checks = tuple(item for item in found if isinstance(item, Check))
    notes = tuple(item for item in found if isinstance(item, str))
    return Detection(language="python", checks=checks, notes=(*configuration.notes, *notes))


def _syntax() -> Check:
    return Check(name="build", kind="build", command=("python", "-c", programs.syntax()), report="compileall", timeout=120)


def _imports(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    """Without tests, that the packages can be imported is the least that can be asked; single modules may be scripts and are not."""
    folders = import_path(configuration, installed)
    packages = [name for folder in ("", *folders) for name in packages_in(configuration, folder)]
    if not packages:
        return []
    program = programs.IMPORTS.format(folders=[*folders], packages=packages[:MOST_TARGETS])
    check = Check(name="import", kind="build", command=("python", "-c", program), report="traceback", timeout=120)
    return [check, f"import: there are no tests, so importing {', '.join(packages[:5])} is checked"]


def _wheel(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    """Building the wheel costs seconds and needs the build's own tools offline: only where `[tool.suture.checks.wheel]` asks for it."""
    asked = configuration.table("tool", "suture", "checks", "wheel")
    if asked is None:
        asked = find_table(configuration.tables.get("suture.toml", {}), "checks", "wheel")
    if asked is None or "command" in asked:
        return []
    system = configuration.table("build-system") or {}
    required = _required(texts(system.get("requires")) or ["setuptools"])
    lacking = [name for name in required if name not in installed]
    if lacking:
        return [f"wheel: left out, {', '.join(lacking)} is not installed in the workspace's environment"]
    if "build" in installed:
        command: tuple[str, ...] = ("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist")
    elif "pip" in installed:
        command = ("python", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", ".")
    else:
        return ["wheel: left out, neither build nor pip is installed in the workspace's environment"]
    return [Check(name="wheel", kind="build", command=command, report="build"), "wheel: suture's settings ask for it"]


def _required(requirements: list[str]) -> list[str]:
    names: list[str] = []
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            names.append(text)
            continue
        if requirement.marker is None or requirement.marker.evaluate():
            names.append(re.sub(r"[-_.]+", "-", requirement.name).lower())
    return names


def _lint(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    ruff = _ruff_configured(configuration)
    flake8 = configuration.section("flake8", ".flake8", "setup.cfg", "tox.ini") or ("flake8" in configuration.hooks and "pre-commit")
    if ruff and "ruff" in installed:
        command = ("python", "-m", "ruff", "check", "--output-format=json", "--no-cache", "--no-fix", "--force-exclude", ".")
        check = Check(name="lint", kind="lint", command=command, report="ruff", timeout=120, tool="ruff")
        return [check, f"lint: ruff {installed['ruff']}, configured in {ruff}"]
    if flake8 and "flake8" in installed:
        spoken = ("python", "-m", "flake8", FLAKE8_FORMAT, ".")
        check = Check(name="lint", kind="lint", command=spoken, report="generic", timeout=120, tool="flake8")
        return [check, f"lint: flake8 {installed['flake8']}, configured in {flake8}"]
    if ruff or flake8:
        return [_missing("lint", "ruff" if ruff else "flake8", str(ruff or flake8))]
    return ["lint: left out, neither ruff nor flake8 is configured"]


def _ruff_configured(configuration: Configuration) -> str:
    """Where ruff's linter is configured; a table for its formatter alone does not count."""
    table = configuration.table("tool", "ruff")
    if table is not None and set(table) != {"format"}:
        return "pyproject.toml"
    named = configuration.has("ruff.toml", ".ruff.toml")
    return named or ("pre-commit" if {"ruff", "ruff-check"} & configuration.hooks else "")


def _types(configuration: Configuration, installed: Mapping[str, str]) -> list[Check | str]:
    development = development_dependencies(configuration)
    found: list[Check | str] = []
    if where := _mypy_configured(configuration) or ("the development dependencies" if {"mypy"} & development & {*installed} else ""):
        if "mypy" in installed:
            command = (*MYPY, *_since_mypy(installed["mypy"]), *_mypy_targets(configuration))
            found.append(Check(name="types", kind="types", command=command, report="mypy", tool="mypy"))
            found.append(f"types: mypy {installed['mypy']}, configured in {where}")
        else:
            found.append(_missing("types", "mypy", where))
    for tool in ("pyright", "basedpyright"):
        where = _pyright_configured(configuration, tool, development & {*installed})
        if where and tool not in installed:
            found.append(_missing("types", tool, where))
        elif where:
            name = "types-pyright" if any(isinstance(item, Check) for item in found) else "types"
            start = ("-c", programs.PYRIGHT.format(tool=tool)) if _names_environment(configuration, tool) else ("-m", tool)
            command = ("python", *start, "--outputjson")
            found.append(Check(name=name, kind="types", command=command, report="pyright", tool=tool))
            found.append(f"{name}: {tool} {installed[tool]}, configured in {where}")
            break
    return found or ["types: left out, neither mypy nor pyright is configured"]


def _mypy_configured(configuration: Configuration) -> str:
    if named := configuration.has("mypy.ini", ".mypy.ini"):
        return named
    if configuration.table("tool", "mypy") is not None:
        return "pyproject.toml"
    return configuration.section("mypy", "setup.cfg") or ("pre-commit" if "mypy" in configuration.hooks else "")


def _pyright_configured(configuration: Configuration, tool: str, development: frozenset[str]) -> str:
    if configuration.table("tool", tool) is not None:
        return "pyproject.toml"
    if tool == "pyright" and configuration.has("pyrightconfig.json") and configuration.table("tool", "basedpyright") is None:
        return "pyrightconfig.json"
    if tool in configuration.hooks:
        return "pre-commit"
    return "the development dependencies" if tool in development else ""


def _names_environment(configuration: Configuration, tool: str) -> bool:
    """Whether pyright's configuration names a virtual environment, which may not be the one that the checks run in."""
    named = _VENV.search(read_text(configuration.root / "pyrightconfig.json", []) or "")
    return bool(named) or "venv" in (configuration.table("tool", tool) or {})


def _mypy_targets(configuration: Configuration) -> tuple[str, ...]:
    """What mypy is run on: nothing to say where its own configuration names it; else the sources, never an environment."""
    options = _mypy_options(configuration)
    if any(options.get(key) for key in ("files", "packages", "modules")):
        return ()
    found = sources(configuration)
    return found if 0 < len(found) <= MOST_TARGETS else (".",)


def _mypy_options(configuration: Configuration) -> Mapping[str, object]:
    """The options of the one file that mypy takes."""
    if named := configuration.has("mypy.ini", ".mypy.ini"):
        return configuration.sections.get(named, {}).get("mypy", {})
    table = configuration.table("tool", "mypy")
    return configuration.sections.get("setup.cfg", {}).get("mypy", {}) if table is None else table


def _since_mypy(version: str) -> tuple[str, ...]:
    try:
        return ("--show-error-end",) if Version(version) >= Version("0.990") else ()
    except InvalidVersion:
        return ()


def _missing(check: str, tool: str, where: str) -> str:
    return (
        f"{check}: {tool} is configured in {where}, but not installed in the workspace's environment; install it there to have this check"
    )
