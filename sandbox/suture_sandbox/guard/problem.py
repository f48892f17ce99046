"""What the problem says: the failing tests' source and the literals in it, the files and functions of its tracebacks, its kind of check."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext
from suture_sandbox.guard.source import Function, Module, parse
from suture_sandbox.snapshot import Snapshot

_TYPE_TOOLS = ("types", "mypy", "pyright", "ty")


def tests_of(context: GuardContext) -> tuple[str, ...]:
    """The failing tests' identifiers, each once."""
    return tuple(dict.fromkeys(finding.test for finding in context.findings if finding.test))


def test_files(context: GuardContext) -> tuple[str, ...]:
    """Files that may hold the failing tests: of a node id, or of a dotted name."""
    return tuple(dict.fromkeys(path for test in tests_of(context) for path in _candidates(test)))


def _candidates(test: str) -> Iterator[str]:
    path, colons, _name = test.partition("::")
    if colons or path.endswith(".py"):
        yield path
        return
    parts = test.split(".")
    for end in range(len(parts) - 1, 0, -1):
        yield "/".join(parts[:end]) + ".py"


def failing_text(snapshot: Snapshot, context: GuardContext) -> str:
    """Source of the files with the failing tests, as they are before the patch."""
    return "\n".join(text for path in test_files(context) if (text := snapshot.read_text(path)))


def failing_tests(snapshot: Snapshot, context: GuardContext) -> Iterator[tuple[Module, Function | None]]:
    """The failing tests' modules and functions; None in place of a function that is not found."""
    for test in tests_of(context):
        name = test.partition("[")[0].replace("::", ".").rpartition(".")[2]
        for path in _candidates(test):
            module = parse(snapshot.read(path))
            if module is not None:
                yield module, next((node for key, node in module.functions.items() if key.rpartition(".")[2] == name), None)
                break


def literal_scopes(snapshot: Snapshot, context: GuardContext) -> tuple[ast.AST, ...]:
    """The trees in which the failing tests' inputs and expected values are written: the tests and their modules' constants."""
    scopes: dict[int, ast.AST] = {}
    for module, function in failing_tests(snapshot, context):
        found: list[ast.AST] = [node for node in module.tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
        found += module.tree.body if function is None else [function]
        scopes.update((id(node), node) for node in found)
    return tuple(scopes.values())


def is_types_problem(context: GuardContext) -> bool:
    """Whether the failing check is one of types."""
    kinds = {check.name: check.kind for check in context.checks}
    return any(
        kinds.get(finding.check, "types" if finding.check.startswith(_TYPE_TOOLS) else "") == "types" for finding in context.findings
    )


def codes_of(context: GuardContext) -> frozenset[str]:
    """Names of the exceptions that the problem shows, without their modules."""
    return frozenset(finding.code.rpartition(".")[2] for finding in context.findings if finding.code)
