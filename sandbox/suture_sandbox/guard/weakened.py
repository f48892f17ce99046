"""Weakened tests. Where the user lets a patch edit tests, it may add and mend them; it may not make them ask for less.

The tests of a patch are compared by name: a test that is gone, skipped, or that asserts less than before is refused. Examples in
docstrings are tests too, and are looked at in every file.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from suture_sandbox.guard.emptied import is_always, last_name
from suture_sandbox.guard.exceptions import is_fixed
from suture_sandbox.guard.paths import kind_of
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Function, Hit, Module, added, changes, dump, line_of, references, statements, walk_scope
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_SKIPS = re.compile(
    r"pytest\.(mark\.(skip|skipif|xfail)|skip|xfail|exit|importorskip)|unittest\.(skip|skipIf|skipUnless|expectedFailure|SkipTest)|"
    r"(sys|os)\.(exit|_exit)|\w+\.skipTest"
)
_LOOSE = frozenset(
    {"assertTrue", "assertIsNotNone", "assertIn", "assertGreaterEqual", "assertLessEqual", "assertAlmostEqual", "assertIsInstance"}
)
_STRICT = frozenset({"assertEqual", "assertIs", "assertListEqual", "assertDictEqual", "assertRaises", "assertCountEqual", "assertFalse"})


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse tests that ask for less than before."""
    yield from _examples(changes(patch))
    if not policy.allow_test_edits:
        return
    files = changes(patch, tests=True)
    everywhere = {name.rpartition(".")[2] for change in files if change.after for name in _tests(change.after)}
    for edit in patch.edits:
        if edit.after is None and kind_of(edit.path) == "tests" and not edit.path.endswith(".py"):
            yield GuardFinding(rule="tests-deleted", path=edit.path, message=f"it deletes {edit.path}, which tests may need")
    for change in files:
        yield from _compare(change, everywhere)
    for change, hit in added(files, _skips):
        yield GuardFinding(rule="tests-skipped", path=change.path, line=hit.line, message=hit.message)


def _tests(module: Module) -> dict[str, Function]:
    """Test functions by name: at the top, or a method of a class."""
    return {name: node for name, node in module.functions.items() if "<locals>" not in name and name.rpartition(".")[2].startswith("test")}


def _collected(module: Module, name: str) -> bool:
    owner = name.rpartition(".")[0]
    if not owner:
        return True
    cls = module.classes.get(owner)
    return owner.startswith("Test") or (cls is not None and bool(cls.bases))


def _compare(change: Change, everywhere: set[str]) -> Iterator[GuardFinding]:
    if change.before is None:
        return
    if change.after is None:
        said = f"it deletes the tests in {change.path}" if change.deleted else f"{change.path} can no longer be read as Python"
        if _tests(change.before):
            yield GuardFinding(rule="tests-deleted", path=change.path, message=said)
        return
    after = _tests(change.after)
    for name, old in _tests(change.before).items():
        new = after.get(name)
        last = name.rpartition(".")[2]
        if new is None and last not in everywhere:
            yield GuardFinding(rule="tests-deleted", path=change.path, message=f"it deletes or renames the test {name}")
        elif new is not None:
            yield from _weaker(change, name, old, new)
            if _collected(change.before, name) and not _collected(change.after, name):
                yield GuardFinding(
                    rule="tests-deleted", path=change.path, line=line_of(new), message=f"the test runner no longer collects {name}"
                )


def _weaker(change: Change, name: str, old: Function, new: Function) -> Iterator[GuardFinding]:
    def refuse(rule: str, said: str) -> GuardFinding:
        return GuardFinding(rule=rule, path=change.path, line=line_of(new), message=f"the test {name} {said}")

    before, after = _assertions(old), _assertions(new)
    if len(after) < len(before):
        yield refuse("tests-weakened", f"asserts {len(after)} things, where it asserted {len(before)}")
    elif _strength(after) < _strength(before):
        yield refuse("tests-weakened", "compares less strictly than before")
    elif _expected(before) - _expected(after):
        yield refuse("tests-weakened", "expects another value than before")
    if _cases(new) < _cases(old):
        yield refuse("tests-weakened", f"has {_cases(new)} parametrised cases, where it had {_cases(old)}")
    replaced = (_replaced(new) - _replaced(old)) & _called(new)
    if replaced:
        yield refuse("tests-weakened", f"replaces {min(replaced)}, which it tests")
    if _handlers(new) > _handlers(old):
        yield refuse("tests-weakened", "catches failures of its own assertions")
    if _early(new) and not _early(old):
        yield refuse("tests-weakened", "returns before its assertions")


def _assertions(node: Function) -> list[ast.AST]:
    """Assert statements, unittest's assert methods and `pytest.raises` blocks that can fail."""
    found: list[ast.AST] = []
    for inner in walk_scope(node.body):
        if isinstance(inner, ast.Assert) and is_always(inner.test) is None and not _always_true(inner.test):
            found.append(inner.test)
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            known = inner.func.attr.startswith("assert") or inner.func.attr in ("raises", "warns", "fail")
            if known and not (inner.args and all(is_fixed(arg) for arg in inner.args) and inner.func.attr.startswith("assert")):
                found.append(inner)
    return found


def _always_true(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(is_always(value) or _always_true(value) for value in test.values)
    same = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE)
    return same and isinstance(test, ast.Compare) and dump(test.left) == dump(test.comparators[0])


def _strength(assertions: Sequence[ast.AST]) -> int:
    """How much assertions ask for: equality more than order, membership or truth, one exception more than any exception."""
    return sum(_strength_of(each) for each in assertions)


def _strength_of(node: ast.AST) -> int:
    if isinstance(node, ast.Compare):
        loose = any(_approximate(side) for side in (node.left, *node.comparators))
        exact = all(isinstance(operator, ast.Eq | ast.Is) for operator in node.ops)
        return (
            3 if exact and not loose else 2 if loose or not any(isinstance(operator, ast.NotEq | ast.IsNot) for operator in node.ops) else 1
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "raises":
            broad = any(isinstance(arg, ast.Name) and arg.id in ("Exception", "BaseException") for arg in node.args)
            return (1 if broad else 3) + bool(node.keywords)
        return (
            3
            if node.func.attr in _STRICT or node.func.attr.startswith(("assertRaises", "assertWarns"))
            else 1
            if node.func.attr in _LOOSE
            else 2
        )
    if isinstance(node, ast.BoolOp):
        values = [_strength_of(value) for value in node.values]
        return sum(values) if isinstance(node.op, ast.And) else min(values) - 1
    return 3 if isinstance(node, ast.UnaryOp) else 2


def _approximate(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and "approx" in dump(node.func)


def _expected(assertions: Sequence[ast.AST]) -> Counter[str]:
    """What assertions compare with, by the expression that is compared; a changed expectation bends the test to the code."""
    found: Counter[str] = Counter()
    for node in assertions:
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and is_fixed(node.comparators[0]):
            found[f"{dump(node.left)} {type(node.ops[0]).__name__} {dump(node.comparators[0])}"] += 1
        elif isinstance(node, ast.Call) and len(node.args) >= 2 and is_fixed(node.args[1]):
            found[" ".join(dump(arg) for arg in node.args[:2])] += 1
    return found


def _cases(node: Function) -> int:
    """Number of parametrised cases in its decorators."""
    lists = (
        decorator.args[1]
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", "") == "parametrize" and len(decorator.args) > 1
    )
    return sum(len(each.elts) for each in lists if isinstance(each, ast.List | ast.Tuple))


def _handlers(node: Function) -> int:
    suppressing = sum(
        "suppress" in dump(item.context_expr) for inner in ast.walk(node) if isinstance(inner, ast.With) for item in inner.items
    )
    return suppressing + sum(isinstance(inner, ast.ExceptHandler) for inner in ast.walk(node))


def _replaced(node: Function) -> frozenset[str]:
    """Names that a test puts something else in place of."""
    calls = [
        inner for inner in ast.walk(node) if isinstance(inner, ast.Call) and last_name(inner) in ("setattr", "patch", "object", "setitem")
    ]
    texts = (arg.value for call in calls for arg in call.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
    return frozenset(text.rpartition(".")[2] for text in texts)


def _called(node: Function) -> frozenset[str]:
    return frozenset(last_name(call) for each in _assertions(node) for call in ast.walk(each) if isinstance(call, ast.Call))


def _early(node: Function) -> bool:
    """Whether a return stands before the last statement."""
    return any(isinstance(inner, ast.Return) for statement in statements(node.body)[:-1] for inner in walk_scope([statement]))


def _skips(module: Module) -> Iterator[Hit]:
    for name, node in references(module):
        if _SKIPS.fullmatch(name):
            yield Hit(f"skip:{name}", line_of(node), f"it adds {name}, so that tests do not run")
    for node in module.nodes:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("pytestmark", "__test__", "collect_ignore", "collect_ignore_glob"):
                yield Hit(f"skip:{target.id}", line_of(node), f"it sets {target.id}, so that tests do not run")


def _examples(files: Sequence[Change]) -> Iterator[GuardFinding]:
    """Examples in docstrings that give another result than before."""
    for change in files:
        if ">>>" not in change.old or ">>>" not in change.new:
            continue
        before, after = _parsed(change.old), _parsed(change.new)
        for source, wanted in after.items():
            if source in before and not wanted <= before[source]:
                message = f"it changes what the example {source.strip()[:60]!r} gives, to fit the code"
                yield GuardFinding(rule="tests-example", path=change.path, message=message)


def _parsed(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for block in re.split(r'"""|\'\'\'', text):
        if ">>>" not in block:
            continue
        try:
            examples = doctest.DocTestParser().get_examples(block)
        except ValueError:
            continue
        for example in examples:
            found[example.source] = found.get(example.source, frozenset()) | {example.want.strip()}
    return found
