"""Files that a patch may not touch: tests, configuration, CI, lock files, suture's and git's own, and hooks into the interpreter.

New files that would be imported in place of the standard library, of a dependency or of a module of the project are refused as well.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.toml import BadToml, parse

_TESTS = re.compile(
    r"(^|/)(tests?/|__tests__/|testdata/|__snapshots__/|test_[^/]*\.pyi?$|[^/]*_test\.(py|go)$|tests?\.py$|conftest\.py$|"
    r"[^/]*\.(test|spec)\.[cm]?[jt]sx?$|[^/]*\.(snap|ambr)$)"
)
_CONFIGURATION = re.compile(
    r"(^|/)(pyproject\.toml|setup\.(py|cfg)|tox\.(ini|toml)|\.?pytest\.(ini|toml)|\.?mypy\.ini|\.?(ruff|ty|hatch)\.toml|pyrightconfig\.json|"
    r"\.coveragerc|noxfile\.py|GNUmakefile|[Mm]akefile|[Jj]ustfile|\.pre-commit-config\.yaml|\.flake8|\.?pylintrc(\.toml)?|\.isort\.cfg|\.bandit|"
    r"MANIFEST\.in|\.python-version|environment\.ya?ml|Dockerfile[^/]*|\.env[^/]*|package\.json|tsconfig[^/]*\.json|jest\.config\.[^/]*|"
    r"vitest\.config\.[^/]*|\.?eslint(rc|\.config)[^/]*|Cargo\.toml|go\.mod|\.cargo/config\.toml)$"
)
_LOCKS = re.compile(
    r"(^|/)((uv|poetry|pdm|Cargo)\.lock|pylock[^/]*\.toml|[^/]*requirements[^/]*\.(txt|in)|constraints[^/]*\.txt|Pipfile(\.lock)?|"
    r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum)$"
)
_CI = re.compile(
    r"(^|/)(\.github|\.gitlab|\.circleci|\.ci|\.azure-pipelines|\.buildkite)/|"
    r"(^|/)(\.gitlab-ci\.yml|\.travis\.yml|Jenkinsfile|azure-pipelines\.yml|appveyor\.yml|bitbucket-pipelines\.yml)$"
)
_OWN = re.compile(r"(^|/)(suture\.(toml|lock)|pylock\.suture\.toml|\.suture/|\.git/|\.gitattributes|\.gitmodules|\.gitignore)")
_HOOKS = re.compile(
    r"(^|/)(sitecustomize|usercustomize)(/|\.pyi?$)|\.pth$|(^|/)py\.typed$|\.(so|pyd|dll|dylib|pyc|egg-link)$|\.(dist|egg)-info/"
)
_INSTALLED = re.compile(r"(^|/)(\.venv|venv|site-packages|node_modules|__pycache__|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.tox|\.nox)/")
_TOOLS = frozenset(
    [
        "pytest",
        "_pytest",
        "py",
        "pluggy",
        "iniconfig",
        "hypothesis",
        "coverage",
        "mypy",
        "mypy_extensions",
        "typing_extensions",
        "pyright",
        "ruff",
        "flake8",
        "pylint",
        "xdist",
        "pytest_asyncio",
        "pytest_mock",
        "pytest_cov",
        "freezegun",
        "packaging",
        "setuptools",
        "pkg_resources",
        "pip",
        "wheel",
        "numpy",
        "pandas",
        "attr",
        "attrs",
        "requests",
        "yaml",
        "six",
        "nose",
        "exceptiongroup",
        "pygments",
    ]
)
_INTERPRETERS = re.compile(r"(python|pypy)[\d.]*|(ba|da|z)?sh|env|node|uv|run|poetry|hatch|pdm|xvfb-run|coverage")
_ROOTS = ("", "src", "lib", "python")


def kind_of(path: str) -> str:
    """What a path is protected as; empty for ordinary source."""
    for name, pattern in _KINDS:
        if pattern.search(path):
            return name
    return ""


def is_test(path: str) -> bool:
    """Whether a path is test code."""
    return bool(_TESTS.search(path))


def protected_paths(patch: Patch, policy: GuardPolicy) -> frozenset[str]:
    """The patch's paths whose originals the verdict puts back."""
    return frozenset(path for path in patch.paths if _refused(path, policy))


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:
    """Refuse edits of protected files, and new files that stand in for others."""
    programs = frozenset(path for check in context.checks if check.kind != "build" for path in _programs(check.command))
    tools = frozenset(check.tool.lower().replace("-", "_") for check in context.checks if check.tool)
    for edit in patch.edits:
        kind = _refused(edit.path, policy)
        if kind:
            yield GuardFinding(rule=f"paths-{kind}", path=edit.path, message=f"it edits {edit.path}, which is {_MEANING[kind]}")
            continue
        if _holds_tests(edit, context) and not policy.allow_test_edits:
            yield GuardFinding(rule="paths-tests", path=edit.path, message=f"it edits {edit.path}, which holds the failing test")
        if edit.path in programs and not policy.allow_configuration_edits:
            yield GuardFinding(rule="paths-check", path=edit.path, message=f"it edits {edit.path}, the program of a check")
        message = _binary(edit) or _package(edit) or _stub(edit)
        if message:
            yield GuardFinding(rule=message[0], path=edit.path, message=message[1])
        elif edit.before is None and edit.after is not None:
            yield from _shadow(edit, snapshot, patch, context, tools)


def _refused(path: str, policy: GuardPolicy) -> str:
    kind = kind_of(path)
    if any(fnmatch.fnmatch(path, glob) for glob in policy.protected):
        return "protected"
    allowed = (kind == "tests" and policy.allow_test_edits) or (
        kind in ("configuration", "locks", "ci") and policy.allow_configuration_edits
    )
    return "" if allowed else kind


def _programs(command: tuple[str, ...]) -> Iterator[str]:
    """Files of the workspace that a check's command runs as its program, not those that it looks at."""
    for index, word in enumerate(command):
        if index and command[index - 1] == "-m":
            module = word.replace(".", "/")
            yield from (f"{root}{module}{end}" for root in ("", "src/") for end in (".py", "/__main__.py", "/__init__.py"))
            return
        if index and command[index - 1] in ("-X", "-W"):
            continue
        if word == "-c":
            return
        if not word.startswith("-"):
            yield word.removeprefix("./")
            if not _INTERPRETERS.fullmatch(word.rpartition("/")[2]):
                return


def _holds_tests(edit: FileEdit, context: GuardContext) -> bool:
    """Whether the failing test's own function is in the file, whatever the file is called."""
    for finding in context.findings:
        path, _colons, rest = finding.test.partition("::")
        name = rest.partition("[")[0].rpartition("::")[2]
        if path == edit.path and name.isidentifier() and re.search(rb"\bdef +" + name.encode() + rb"\b", edit.before or b""):
            return True
    return False


def _binary(edit: FileEdit) -> tuple[str, str] | None:
    after, before = edit.after or b"", edit.before or b""
    if b"\0" in after and not after.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "paths-binary", f"{edit.path} is binary, so that nobody can read what changes"
    if _readable(after) or not _readable(before):
        return None
    return "paths-binary", f"{edit.path} is no UTF-8 text, so that nobody can read what changes"


def _readable(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _package(edit: FileEdit) -> tuple[str, str] | None:
    if edit.after is None and edit.path.rpartition("/")[2] == "__init__.py":
        return "paths-package", f"it deletes {edit.path}, so that the folder is no package any more"
    return None


def _stub(edit: FileEdit) -> tuple[str, str] | None:
    if edit.before is None and edit.path.endswith(".pyi"):
        return "paths-stub", f"it adds the stub {edit.path}, which a type checker reads in place of the code"
    return None


def _shadow(edit: FileEdit, snapshot: Snapshot, patch: Patch, context: GuardContext, tools: frozenset[str]) -> Iterator[GuardFinding]:
    """A new file that an import finds before what it means."""
    if not edit.path.endswith(".py"):
        return
    folder, _slash, file = edit.path.rpartition("/")
    stem = file.removesuffix(".py")
    if stem == "__init__":
        own = f"{folder}.py"
        if snapshot.exists(own) and own not in {each.path for each in patch.edits if each.after is None}:
            yield GuardFinding(rule="paths-shadow", path=edit.path, message=f"it adds the package {folder}, which hides {own}")
    elif snapshot.exists(f"{folder}/{stem}/__init__.py" if folder else f"{stem}/__init__.py"):
        yield GuardFinding(rule="paths-shadow", path=edit.path, message=f"it adds {edit.path} beside the package of the same name")
    top = _top_level(edit.path)
    if top and (top in sys.stdlib_module_names or top in _TOOLS or top in tools):
        yield GuardFinding(
            rule="paths-shadow", path=edit.path, message=f"it adds a module {top}, which is imported in place of the real {top}"
        )
    elif top and top in _dependencies(snapshot) and not any(top in finding.message for finding in context.findings):
        yield GuardFinding(rule="paths-shadow", path=edit.path, message=f"it adds a module {top}, which hides the dependency {top}")


def _top_level(path: str) -> str:
    """The name by which a new file is imported from a root of imports; empty where it lies in a package of the project."""
    for root in _ROOTS:
        inner = path.removeprefix(f"{root}/") if root else path
        if root and inner == path:
            continue
        top, slash, rest = inner.partition("/")
        if not slash:
            return top.removesuffix(".py")
        if rest and top not in _ROOTS and (rest == "__init__.py" or "/" not in rest):
            return top
    return ""


class _Project(msgspec.Struct, rename="kebab"):
    dependencies: list[str] = []
    optional_dependencies: dict[str, list[str]] = {}


class _Pyproject(msgspec.Struct, rename="kebab"):
    project: _Project = msgspec.field(default_factory=_Project)
    dependency_groups: dict[str, list[Any]] = {}


def _dependencies(snapshot: Snapshot) -> frozenset[str]:
    """Import names that the workspace's own dependency lists suggest."""
    try:
        lists = msgspec.convert(parse(snapshot.read_text("pyproject.toml") or ""), _Pyproject)
    except (msgspec.ValidationError, BadToml):
        lists = _Pyproject()
    named: list[str] = [*lists.project.dependencies, *(snapshot.read_text("requirements.txt") or "").splitlines()]
    named += (item for group in lists.project.optional_dependencies.values() for item in group)
    named += (item for group in lists.dependency_groups.values() for item in group if isinstance(item, str))
    found = (re.match(r"[A-Za-z0-9][\w.-]*", name) for name in named)
    return frozenset(match.group().lower().replace("-", "_") for match in found if match)


_KINDS = (
    ("own", _OWN),
    ("installed", _INSTALLED),
    ("hooks", _HOOKS),
    ("ci", _CI),
    ("locks", _LOCKS),
    ("configuration", _CONFIGURATION),
    ("tests", _TESTS),
)

_MEANING = {
    "own": "suture's or git's own",
    "installed": "an installed package or a tool's cache",
    "hooks": "loaded by the interpreter or hides what is checked",
    "ci": "part of CI",
    "locks": "a lock file",
    "configuration": "configuration of checks",
    "tests": "test code",
    "protected": "protected by your configuration",
}
