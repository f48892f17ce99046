"""The cases of the repair bench: their record, and the plain checks that decide them.

Nothing here knows suture: the checks are pytest, mypy, ruff and compileall as a person would call them, outside of any sandbox, on
workspaces of this repository only. That is what makes the bench's proof independent of the thing that it measures.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

import msgspec

REPAIRS = Path(__file__).parent / "repairs"

KINDS: tuple[str, ...] = (
    "api-misuse",
    "async-misuse",
    "context-manager",
    "copy-aliasing",
    "dataclass-property",
    "import-error",
    "inheritance",
    "iterator-exhaustion",
    "late-binding",
    "lint",
    "missing-base-case",
    "multi-file",
    "mutable-default",
    "none-handling",
    "off-by-one",
    "ordering-key",
    "recursion",
    "regex",
    "removed-api",
    "rounding-money",
    "string-encoding",
    "swapped-arguments",
    "syntax",
    "type-error",
    "types",
    "wrong-exception",
    "wrong-initial-value",
    "wrong-operator",
    "wrong-variable",
)

LIMIT_SECONDS = 60

CheckKind = Literal["tests", "types", "lint", "build"]


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `case.toml` says about one broken workspace."""

    id: str
    """Name of the folder: the kind, a dash, a name."""
    kind: str
    split: Literal["dev", "held-out"]
    """`dev` cases may be looked at while the harness is tuned, `held-out` ones may not."""
    check: CheckKind
    """The check that fails."""
    difficulty: Literal[1, 2, 3]
    """1 one line, 2 some lines of one function or file, 3 more than that."""
    description: str
    failing: tuple[str, ...]
    """Every test that fails before the fix, as pytest names it; a test file where it cannot be imported."""
    findings: tuple[str, ...] = ()
    """For the other checks: every `path: code` that is reported before the fix."""
    tests: int
    """How many tests pass with the fix."""

    @property
    def folder(self) -> Path:
        """The case's folder."""
        return REPAIRS / self.id

    @property
    def workspace(self) -> Path:
        """The broken workspace as its user has it."""
        return self.folder / "workspace"

    @property
    def patch(self) -> Path:
        """The reference fix."""
        return self.folder / "fix.patch"


class TestRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one plain run of pytest said."""

    __test__ = False  # tells pytest that this is a record, not a test class

    passed: frozenset[str]
    failed: frozenset[str]
    """Tests that fail or error, and test files that cannot be collected."""
    exit_code: int
    output: str


def load_case(folder: Path) -> Case:
    """The case of a folder; raises when its record is not well-formed."""
    return msgspec.toml.decode((folder / "case.toml").read_bytes(), type=Case)


def load_cases(pattern: str = "*") -> list[Case]:
    """All cases whose id matches the pattern, by id."""
    return [load_case(path.parent) for path in sorted(REPAIRS.glob(f"{pattern}/case.toml"))]


def copy_workspace(case: Case, target: Path) -> Path:
    """A copy of the broken workspace, without what an earlier run may have left in it."""
    shutil.copytree(case.workspace, target, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return target


def plain_environment() -> dict[str, str]:
    """Variables for the checks: nothing of the caller's Python settings, and no bytecode that could outlive an edit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "MYPY", "RUFF"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1", "COLUMNS": "1000"}


def run_module(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of `python -m ...` in a folder; the whole process group ends at the time limit, with exit code 124."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            code = 124
        finally:
            _end_group(process)
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_TEST_LINE = re.compile(r"^(PASSED|FAILED|ERROR) (\S+?\.py(?:::.+?)?)(?: - .*)?$", re.MULTILINE)


def run_tests(folder: Path) -> TestRun:
    """Run all tests of a workspace."""
    arguments = ("-q", "-rA", "--tb=no", "-p", "no:cacheprovider", "--continue-on-collection-errors")
    code, output = run_module(folder, "pytest", *arguments)
    lines = _TEST_LINE.findall(output)
    failed = frozenset(name for word, name in lines if word != "PASSED")
    passed = frozenset(name for word, name in lines if word == "PASSED") - failed
    return TestRun(passed=passed, failed=failed, exit_code=code, output=output)


_TYPE_LINE = re.compile(r"^([^\s:]+):\d+: error: .*\[([\w-]+)\]$", re.MULTILINE)
_LINT_LINE = re.compile(r"^([^\s:]+):\d+:\d+: ([A-Z]+\d+|invalid-syntax)", re.MULTILINE)
_BUILD_LINE = re.compile(r"^\*\*\* Error compiling '(?:\./)?(.+?)'", re.MULTILINE)


def run_findings(folder: Path, check: CheckKind) -> tuple[str, ...]:
    """What mypy, ruff or compileall find in a workspace, as sorted `path: code`.

    A tool that fails without a line that is understood is a finding too, so that silence never counts as a pass.
    """
    if check == "types":
        code, output = run_module(folder, "mypy", "--no-incremental", "--no-error-summary", "--hide-error-context")
        found = {f"{path}: {name}" for path, name in _TYPE_LINE.findall(output)}
    elif check == "lint":
        code, output = run_module(folder, "ruff", "check", "--no-cache", "--output-format=concise", ".")
        found = {f"{path}: {name}" for path, name in _LINT_LINE.findall(output)}
    elif check == "build":
        code, output = _compile_all(folder)
        found = {f"{path}: SyntaxError" for path in _BUILD_LINE.findall(output)}
    else:
        message = "tests have outcomes, not findings: use run_tests"
        raise ValueError(message)
    if code != 0 and not found:
        found = {f"{check}: exit code {code}: {output[-400:]}"}
    return tuple(sorted(found))


def _compile_all(folder: Path) -> tuple[int, str]:
    # compileall writes bytecode whatever the environment says, so it gets a copy of its own
    with tempfile.TemporaryDirectory(prefix="suture-compile-") as temporary:
        copy = shutil.copytree(folder, Path(temporary) / "workspace", ignore=shutil.ignore_patterns(".git", ".suture"))
        return run_module(copy, "compileall", "-q", ".")


def apply_patch(folder: Path, patch: Path, *, reverse: bool = False) -> None:
    """Apply a unified diff with git; the folder need not be a repository."""
    direction = ["--reverse"] if reverse else []
    environment = {**plain_environment(), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", "--whitespace=nowarn", *direction, str(patch.resolve())]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
