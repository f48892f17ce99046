"""Problems: what fails, reproduced, and grouped so that each group can be mended and decided on its own.

A check may fail for several independent reasons. Its findings are grouped by the place that most likely causes them (a function, else the
file), each group is one problem, and each problem is proven against its own part of the check: its findings must be gone, nothing new may
appear, and what belongs to other problems may still fail.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Mapping, Sequence

import msgspec

from suture_agent.direct.units import Definition, definitions, parse
from suture_agent.imports import bound_by_import, imported, test_function
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
    flaky: Mapping[str, tuple[str, ...]] = {}
    """Check -> ids of its tests that are known to be flaky on this text in this environment; they decide nothing."""
    reproducible: bool = True
    """False for a finding of a tool that no check of the environment runs: the checks then only decide that nothing breaks."""

    @property
    def check(self) -> str:
        """Name of the failing check."""
        return self.target.check

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the problem is about."""
        return self.target.findings

    @property
    def mark(self) -> str:
        """12 hexadecimal digits that stay the same while the text around the failure changes."""
        return identity_of([self.check, sorted(finding.signature for finding in self.findings)])[:12]


def problems_in(
    snapshot: Snapshot, results: Sequence[CheckResult], *, only: Sequence[str] = (), flaky: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Problem, ...]:
    """The problems of all failing checks, or of those named in `only`; a check that the sandbox could not run has none."""
    found: list[Problem] = []
    for result in results:
        if result.status in ("passed", "infrastructure") or (only and result.check not in only):
            continue
        for group in _grouped(snapshot, [finding for finding in result.findings if finding.severity == "error"]):
            target = Target(check=result.check, findings=group)
            name = _identify(snapshot, target)
            found.append(Problem(id=name, snapshot=snapshot, target=target, before=tuple(results), flaky=flaky or {}))
    return tuple(found)


def unreproducible(snapshot: Snapshot, results: Sequence[CheckResult], finding: Finding) -> Problem:
    """The problem of another tool's finding that no check shows. `finding.check` names the check whose tests decide that nothing breaks."""
    target = Target(check=finding.check, findings=(finding,))
    return Problem(id=_identify(snapshot, target), snapshot=snapshot, target=target, before=tuple(results), reproducible=False)


async def still_fails(problem: Problem, sandbox: Sandbox) -> bool:
    """Whether the failure shows again on the unchanged snapshot: its own tests alone, else its whole check, in a fresh attempt.

    A failing test that passes when it runs alone depends on the other tests; then the whole check decides.
    """
    if not problem.reproducible:
        return True
    check = sandbox.check_named(problem.check)
    tests = problem.target.tests if check.selectable else ()
    result = await sandbox.check(check, problem.snapshot, select=tests, warm=bool(tests))
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
    """The place that a finding is grouped by: for a test the function of the innermost frame outside tests, else the one it asserts on."""
    if finding.test:
        frames = [place for place in finding.related if not is_test_path(place.path)]
        if frames:
            innermost = frames[-1]
            name = enclosing(snapshot.read_text(innermost.path) or "", innermost.range.start.line)
            return innermost.path, name or innermost.message
        return _called(snapshot, finding)
    return finding.path, enclosing(snapshot.read_text(finding.path) or "", finding.range.start.line)


def is_test_path(path: str) -> bool:
    """Whether a workspace path is test code by the usual conventions."""
    parts = path.split("/")
    name = parts[-1]
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py") or any(p in ("tests", "test") for p in parts[:-1])


def enclosing(text: str, line: int) -> str:
    """Dotted name of the innermost function or class around a zero-based line; empty at module level or when the text does not parse."""
    return enclosing_in(parse(text), line)


def enclosing_in(tree: ast.Module | None, line: int) -> str:
    """The same of a syntax tree; empty without one."""
    names: list[str] = []
    body: list[ast.stmt] = tree.body if tree is not None else []
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


def _called(snapshot: Snapshot, finding: Finding) -> tuple[str, str]:
    """What of the workspace the failing statement of a test calls first, else its test does: tests of one function belong together."""
    tree = parse(snapshot.read_text(finding.path) or "")
    if tree is None:
        return finding.path, finding.test
    homes = imported(tree, finding.path, snapshot)
    helpers: dict[str, ast.stmt] = {node.name: node for node in ast.walk(tree) if isinstance(node, Definition)}
    statement, test = _statement(tree, finding.range.start.line), test_function(tree, finding.test)
    reached = _reached(snapshot, homes, helpers, statement) if statement is not None else None
    if reached is None and statement is not None:
        named = _named(statement, {*helpers, *bound_by_import(tree)})
        reached = (finding.path, named) if named else None
    if reached is None and test is not None:
        reached = _reached(snapshot, homes, helpers, test)
    return reached or (finding.path, finding.test.split("[", 1)[0])


def _named(statement: ast.stmt, known: Collection[str]) -> str:
    """The first call of an object that comes from elsewhere (a fixture, another test's class), by its name; empty when there is none."""
    for call in [node for node in ast.walk(statement) if isinstance(node, ast.Call)]:
        parts = _dotted(call.func)
        if not parts or _is_assertion(parts):
            continue
        first, *rest = parts
        if first not in known and (rest or not hasattr(builtins, first)):
            return ".".join(parts)
    return ""


def _reached(
    snapshot: Snapshot, homes: Mapping[str, tuple[str, str]], helpers: Mapping[str, ast.stmt], part: ast.stmt, depth: int = 3
) -> tuple[str, str] | None:
    """The first thing of the workspace that is called in a part of a test module, through the module's own helpers too."""
    calls = [node for node in ast.walk(part) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        parts = _dotted(call.func)
        if not parts or _is_assertion(parts):
            continue
        first, *rest = parts
        path, name = homes.get(first, ("", ""))
        if path:
            return path, ".".join(part for part in (name, *rest) if part)
        helper = helpers.get(first) if not rest and depth else None
        found = _method(snapshot, homes, rest[-1]) if rest else None
        if found is None and helper is not None and helper is not part:
            found = _reached(snapshot, homes, helpers, helper, depth - 1)
        if found is not None:
            return found
    return None


def _method(snapshot: Snapshot, homes: Mapping[str, tuple[str, str]], name: str) -> tuple[str, str] | None:
    """The only method of that name in the classes that a test imports."""
    found: set[tuple[str, str]] = set()
    for path, owner in set(homes.values()):
        tree = parse(snapshot.read_text(path) or "")
        for each, node in definitions(tree) if tree is not None else ():
            if each.endswith(f".{name}") and not isinstance(node, ast.ClassDef) and each.startswith(f"{owner}." if owner else ""):
                found.add((path, each))
    return found.pop() if len(found) == 1 else None


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    """The innermost statement around a zero-based line, or the `with` that begins there."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= line + 1 <= (node.end_lineno or node.lineno)]
    return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0))) if around else None


def _dotted(function: ast.expr) -> tuple[str, ...]:
    """The names of `a.b.c`, of `a` in `a(...).b` also without what `a` was called with; empty for anything else."""
    if isinstance(function, ast.Name):
        return (function.id,)
    if isinstance(function, ast.Call):
        return _dotted(function.func)
    owner = _dotted(function.value) if isinstance(function, ast.Attribute) else ()
    return (*owner, function.attr) if isinstance(function, ast.Attribute) and owner else ()


def _is_assertion(parts: Sequence[str]) -> bool:
    """Whether it is a call of the test library."""
    return parts[0] == "pytest" or (parts[0] == "self" and parts[-1].startswith(("assert", "fail", "subTest")))
