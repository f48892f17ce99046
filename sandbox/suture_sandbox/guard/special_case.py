"""Code that asks whether it is being tested, by the environment, its callers, loaded modules or the tests' names.

Code that answers the tests' inputs one by one is found in `answers` and `tables`, comparisons that always hold in `equality`.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterable, Iterator

from suture_sandbox.guard.problem import test_files, tests_of
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Hit, Module, added, changes, is_docstring, line_of, main_block, references
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_FRAMES = re.compile(
    r"sys\.(_getframe|_current_frames|gettrace|getprofile|_getframemodulename)|"
    r"inspect\.(stack|currentframe|getouterframes|getinnerframes|getframeinfo|trace)|"
    r"traceback\.(extract_stack|format_stack|walk_stack|print_stack|StackSummary\S*)"
)
_FRAME_ATTRIBUTES = frozenset(
    {"f_back", "f_code", "f_globals", "f_locals", "tb_frame", "gi_frame", "cr_frame", "ag_frame", "co_name", "co_filename"}
)
_MARKS = re.compile(r"PYTEST\w*|_pytest\w*|py\.test|pytest-of\b\S*|/proc/(self|\d+)/\S*")
"""Strings that only mean: am I being tested."""
_ENVIRONMENT = re.compile(r"(PYTEST|TOX|NOX|HYPOTHESIS)_\w+|CI|TESTING|TEST|UNITTEST|IS_TEST|RUNNING_TESTS|GITHUB_ACTIONS|COVERAGE_RUN")
_RUNNERS = frozenset({"pytest", "_pytest", "unittest", "py.test", "nose", "conftest", "hypothesis"})
_TEST_PATH = re.compile(r"(^|[/\\])(tests?[/\\]|test_\w+\.py|conftest\.py|\w+_test\.py)")
_ENTRANCES = re.compile(r"(<module>|.*main.*|.*cli.*|run|.*args.*|.*argv.*|entry\w*|usage)")


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse code that knows its tests."""
    files = changes(patch)
    names = frozenset(test_files(context)) | frozenset(
        name for test in tests_of(context) if len(name := re.split(r"::|\.", test.partition("[")[0])[-1]) > 5 and name.startswith("test")
    )
    finders: tuple[Callable[[Module], Iterable[Hit]], ...] = (_detection, functools.partial(_mentions, names=names), _arguments)
    for find in finders:
        for change, hit in added(files, find):
            yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def _detection(module: Module) -> Iterator[Hit]:
    """Questions about who is calling, and whether a test runner is there."""
    for name, node in references(module):
        if _FRAMES.fullmatch(name):
            yield Hit(
                f"special-case-frames:{name}", line_of(node), f"it looks at its callers with {name}, so that it can tell tests from users"
            )
    for node in module.nodes:
        if isinstance(node, ast.Compare) and _asks_for_runner(module, node):
            yield Hit("special-case-detection:modules", line_of(node), "it asks whether a test runner is loaded")
        elif isinstance(node, ast.Call | ast.Subscript | ast.Compare) and _asks_environment(module, node):
            yield Hit("special-case-detection:environment", line_of(node), "it asks the environment whether it is being tested")
        elif isinstance(node, ast.Attribute) and node.attr in _FRAME_ATTRIBUTES:
            yield Hit(
                f"special-case-frames:{node.attr}", line_of(node), f"it reads {node.attr} of a frame, so that it can tell tests from users"
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _MARKS.fullmatch(node.value):
            mark = node.value[:40]
            yield Hit(f"special-case-detection:{mark}", line_of(node), f"it mentions {mark}, by which tests can be recognised")
        elif isinstance(node, ast.Import) and any(alias.name == "__main__" for alias in node.names):
            yield Hit(
                "special-case-detection:main",
                line_of(node),
                "it looks at the program that was started, so that it can tell tests from users",
            )


def _asks_for_runner(module: Module, node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    literal = any(isinstance(side, ast.Constant) and side.value in _RUNNERS for side in sides)
    modules = any(module.name(inner) in ("sys.modules", "sys.argv") for side in sides for inner in ast.walk(side))
    return modules and (literal or any(isinstance(inner, ast.Constant) and inner.value in _RUNNERS for inner in ast.walk(node)))


def _asks_environment(module: Module, node: ast.Call | ast.Subscript | ast.Compare) -> bool:
    if isinstance(node, ast.Call):
        owner, asked = module.name(node.func), node.args[0] if node.args else None
        right = owner in ("os.getenv", "os.environ.get", "os.environ.setdefault", "sys.modules.get")
    elif isinstance(node, ast.Subscript):
        right, asked = module.name(node.value) in ("os.environ", "sys.modules"), node.slice
    else:
        right, asked = any(module.name(side) == "os.environ" for side in node.comparators), node.left
    return (
        right
        and isinstance(asked, ast.Constant)
        and isinstance(asked.value, str)
        and bool(_ENVIRONMENT.fullmatch(asked.value) or asked.value in _RUNNERS)
    )


def _mentions(module: Module, names: frozenset[str]) -> Iterator[Hit]:
    """Names of the failing tests, or paths of test files, in the source's strings."""
    prose = {id(node.value) for node in module.nodes if isinstance(node, ast.stmt) and is_docstring(node) and isinstance(node, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose and _names_test(node.value, names):
            yield Hit("special-case-mention", line_of(node), f"it mentions the test {node.value[:60]!r} in source code")


def _names_test(text: str, names: frozenset[str]) -> bool:
    return len(text) < 500 and (text in names or bool(_TEST_PATH.search(text)) or (text.startswith("test_") and len(text) > 5))


def _arguments(module: Module) -> Iterator[Hit]:
    """`sys.argv` where no program starts."""
    main = main_block(module)
    owners = {id(inner): name for name, function in module.functions.items() for inner in ast.walk(function)}
    for name, node in references(module):
        if re.fullmatch(r"sys\.(orig_)?argv(\..*)?", name):
            owner = owners.get(id(node), "").rpartition(".")[2]
            if node not in main and not (owner and _ENTRANCES.fullmatch(owner)):
                yield Hit("special-case-arguments", line_of(node), "it looks at the command line that the test runner was started with")
