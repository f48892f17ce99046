"""Problems: what fails, reproduced, and grouped so that each group can be mended and decided on its own.

A check may fail for several independent reasons. Its findings are grouped by the place that most likely causes them (a function, else the
file), each group is one problem, and each problem is proven against its own part of the check: its findings must be gone, nothing new may
appear, and what belongs to other problems may still fail.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence

import msgspec

from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.identity import identity_of
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target, remaining


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One failure of one check at one snapshot."""

    id: str
    """12 hexadecimal digits; equal for the same failure of the same text."""
    snapshot: Snapshot
    target: Target
    before: tuple[CheckResult, ...]
    """Results of all checks on the snapshot."""

    @property
    def check(self) -> str:
        """Name of the failing check."""
        return self.target.check

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the problem is about."""
        return self.target.findings


def problems_in(snapshot: Snapshot, results: Sequence[CheckResult], *, only: Sequence[str] = ()) -> tuple[Problem, ...]:
    """The problems of all failing checks, or of those named in `only`; a check that the sandbox could not run has none."""
    found: list[Problem] = []
    for result in results:
        if result.status in ("passed", "infrastructure") or (only and result.check not in only):
            continue
        for group in _grouped(snapshot, [finding for finding in result.findings if finding.severity == "error"]):
            target = Target(check=result.check, findings=group)
            found.append(Problem(id=_identify(snapshot, target), snapshot=snapshot, target=target, before=tuple(results)))
    return tuple(found)


async def still_fails(problem: Problem, sandbox: Sandbox) -> bool:
    """Whether the failure shows again on the unchanged snapshot: its own tests alone, else its whole check, in a fresh attempt.

    A failing test that passes when it runs alone depends on the other tests; then the whole check decides.
    """
    check = sandbox.check_named(problem.check)
    tests = problem.target.tests if check.selectable else ()
    result = await sandbox.check(check, problem.snapshot, select=tests)
    if tests and not remaining(problem.target, result):
        result = await sandbox.check(check, problem.snapshot)
    return result.status == "infrastructure" or bool(remaining(problem.target, result))


def _identify(snapshot: Snapshot, target: Target) -> str:
    texts = {path: identity_of(snapshot.read_text(path) or "") for path in sorted({finding.path for finding in target.findings} - {""})}
    return identity_of([target.check, sorted(finding.signature for finding in target.findings), texts])[:12]


def _grouped(snapshot: Snapshot, findings: Sequence[Finding]) -> list[tuple[Finding, ...]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_cause(snapshot, finding), []).append(finding)
    return [tuple(group) for group in groups.values()]


def _cause(snapshot: Snapshot, finding: Finding) -> tuple[str, str]:
    """The place that a finding is grouped by: for a test the innermost frame outside tests, else what the test file is about."""
    if finding.test:
        frames = [place for place in finding.related if not is_test_path(place.path)]
        if frames:
            return frames[-1].path, frames[-1].message
        return finding.path, _called_first(snapshot, finding)
    return finding.path, enclosing(snapshot.read_text(finding.path) or "", finding.range.start.line)


def is_test_path(path: str) -> bool:
    """Whether a workspace path is test code by the usual conventions."""
    parts = path.split("/")
    name = parts[-1]
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py") or any(p in ("tests", "test") for p in parts[:-1])


def enclosing(text: str, line: int) -> str:
    """Dotted name of the innermost function or class around a zero-based line; empty at module level or when the text does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    names: list[str] = []
    body: list[ast.stmt] = tree.body
    while True:
        inner = next((node for node in body if _holds(node, line)), None)
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return ".".join(names)
        names.append(inner.name)
        body = inner.body


def _holds(node: ast.stmt, line: int) -> bool:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return first <= line + 1 <= (node.end_lineno or node.lineno)


def _called_first(snapshot: Snapshot, finding: Finding) -> str:
    """What the failing line calls first, built-in functions left out: tests that assert on the same function belong together."""
    lines = (snapshot.read_text(finding.path) or "").splitlines()
    line = lines[finding.range.start.line].strip() if finding.range.start.line < len(lines) else ""
    try:
        calls = [node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return finding.test
    names = [ast.unparse(call.func) for call in calls]
    own = [name for name in names if not hasattr(builtins, name)]
    return next(iter(own or names), finding.test)
