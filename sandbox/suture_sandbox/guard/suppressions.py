"""Suppressions: comments, decorators, annotations and calls that silence a check instead of mending what it found."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator

from suture_sandbox.guard.problem import is_types_problem
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Function, Hit, Module, added, added_text, changes, dump, line_of, references, text_of
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_COMMENT = re.compile(
    r"#\s*(noqa|ruff\s*:\s*noqa|flake8\s*:\s*noqa|type\s*:\s*ignore|pragma\s*:\s*no\s*(cover|branch|mutate)|pylint\s*:\s*(disable|skip-file)|"
    r"pyright\s*:\s*(ignore|basic|off|standard|report\w+)|mypy\s*:|pytype\s*:\s*(disable|skip-file)|pyre-(ignore|fixme|unsafe)|"
    r"ty\s*:\s*ignore|nosec\b|nosonar|ruff\s*:\s*(disable|ignore)|lgtm|doctest\s*:\s*\+SKIP|isort\s*:\s*(skip\w*|off)|(fmt|yapf)\s*:\s*(off|skip|disable))[^#]*",
    re.IGNORECASE,
)
_OTHER_LANGUAGES = re.compile(
    r"@ts-(ignore|expect-error|nocheck)|(eslint|tslint|stylelint|biome|oxlint)[-:]?\s?(disable|ignore)[\w-]*|//\s*nolint\b|#!?\[allow\(|"
    r"@SuppressWarnings|istanbul ignore|c8 ignore|NOLINT\w*|rubocop:disable|shellcheck disable|phpcs:(ignore|disable)"
)
_WARNINGS = re.compile(r"warnings\.(filterwarnings|simplefilter)|logging\.disable|(numpy|np)\.seterr")
_DECORATORS = re.compile(r"(typing|typing_extensions|t)\.no_type_check(_decorator)?|no_type_check")
_ANY = re.compile(r"(typing|typing_extensions|_typeshed|t)\.(Any|Incomplete)|Any")


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse new suppressions, unless the user allows them."""
    if policy.allow_suppressions:
        return
    both = (*changes(patch), *changes(patch, tests=True))
    for path, hit in added_text([(change.path, change.old, change.new) for change in both], _comments):
        yield GuardFinding(rule="suppressions-comment", path=path, line=hit.line, message=hit.message)
    python = {change.path for change in both}
    other = [(edit.path, text_of(edit.before), text_of(edit.after)) for edit in patch.edits if edit.path not in python]
    for path, hit in added_text(other, _foreign):
        yield GuardFinding(rule="suppressions-comment", path=path, line=hit.line, message=hit.message)
    for change, hit in added(both, _silencers):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)
    if is_types_problem(context):
        yield from _loosened(both)


def _comments(text: str) -> Iterator[Hit]:
    """Suppression comments; a string that looks like one is none."""
    for line, comment in comments(text):
        for found in _COMMENT.finditer(comment):
            said = " ".join(found.group().split()).rstrip(" -.,")
            key = re.sub(r"\s", "", said).lower()
            yield Hit(key, line, f'it adds "{said[:60]}", which hides a problem from a check instead of mending it')


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Zero-based line and text of each comment; all that follows a number sign, where the text cannot be read as Python."""
    if "#" not in text:
        return
    found: list[tuple[int, str]] = []
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found.extend((token.start[0] - 1, token.string) for token in tokens if token.type == tokenize.COMMENT)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        found = [(number, line[line.index("#") :]) for number, line in enumerate(text.splitlines()) if "#" in line]
    yield from found


def _foreign(text: str) -> Iterator[Hit]:
    for number, line in enumerate(text.splitlines()):
        for found in _OTHER_LANGUAGES.finditer(line[:2000]):
            yield Hit(found.group(), number, f'it adds "{found.group()[:60]}", which hides a problem from a check instead of mending it')


def _silencers(module: Module) -> Iterator[Hit]:
    """Decorators, casts and calls that switch a check or a warning off."""
    for name, node in references(module):
        if _DECORATORS.fullmatch(name):
            yield Hit("suppressions-types:no_type_check", line_of(node), "it adds no_type_check, which switches the type checker off")
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield from _silencing_call(module, node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_any(module, node.value):
            yield Hit("suppressions-types:alias", line_of(node), "it gives Any another name, which hides values from the type checker")
        elif isinstance(node, ast.If) and _not_type_checking(module, node.test):
            yield Hit("suppressions-types:checking", line_of(node), "it hides code from the type checker behind TYPE_CHECKING")


def _silencing_call(module: Module, call: ast.Call) -> Iterator[Hit]:
    name = module.name(call.func)
    if name in ("typing.cast", "t.cast", "cast") and call.args and _is_any(module, call.args[0]):
        yield Hit("suppressions-types:cast", line_of(call), "it casts to Any, which hides a value from the type checker")
    if _WARNINGS.fullmatch(name) and not _keeps_warning(call):
        yield Hit(f"suppressions-warnings:{name}", line_of(call), f"it adds {name}, which hides warnings instead of mending their cause")


def _keeps_warning(call: ast.Call) -> bool:
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg in ("action", "all"))]
    return any(isinstance(value, ast.Constant) and value.value in ("error", "always", "raise") for value in values)


def _not_type_checking(module: Module, test: ast.expr) -> bool:
    inner = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else None
    return inner is not None and module.name(inner) in ("typing.TYPE_CHECKING", "TYPE_CHECKING")


def _is_any(module: Module, node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value == "Any") or bool(_ANY.fullmatch(module.name(node)))


def _loosened(files: tuple[Change, ...]) -> Iterator[GuardFinding]:
    """For a problem of types: annotations that became Any or went away."""
    for change in files:
        if change.before is None or change.after is None:
            continue
        yield from _any_slots(change.path, change.before, change.after)
        yield from _by_text(change, change.before, change.after)
        for name, old in change.before.functions.items():
            new = change.after.functions.get(name)
            if (
                new is not None
                and _annotations(old)
                and len(_annotations(new)) < len(_annotations(old))
                and (_same_arity(old, new) or _takes_anything(old, new))
            ):
                yield GuardFinding(
                    rule="suppressions-annotation",
                    path=change.path,
                    line=line_of(new),
                    message=f"it takes annotations away from {name}, so that the type checker looks at it no longer",
                )


def _takes_anything(old: Function, new: Function) -> bool:
    return bool(new.args.vararg and not old.args.vararg) or bool(new.args.kwarg and not old.args.kwarg)


def _by_text(change: Change, before: Module, after: Module) -> Iterator[GuardFinding]:
    """Attributes that were read by name and are fetched by their text now, where no checker looks."""
    read = {node.attr for node in before.nodes if isinstance(node, ast.Attribute)}
    known = Counter(name for name, _node in _fetched(before))
    for name, node in _fetched(after):
        known[name] -= 1
        if known[name] < 0 and name in read:
            message = f"it fetches {name} by its text, which hides the attribute from the type checker"
            yield GuardFinding(rule="suppressions-attribute", path=change.path, line=line_of(node), message=message)


def _fetched(module: Module) -> Iterator[tuple[str, ast.AST]]:
    for node in module.nodes:
        asked: ast.expr | None = None
        if (
            isinstance(node, ast.Call)
            and module.name(node.func) in ("getattr", "setattr", "operator.attrgetter")
            and len(node.args) in (1, 2)
        ):
            asked = node.args[-1]
        elif isinstance(node, ast.Subscript) and (module.name(node.value).endswith("__dict__") or _vars(node.value)):
            asked = node.slice
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            yield asked.value, node


def _vars(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"


def _any_slots(path: str, before: Module, after: Module) -> Iterator[GuardFinding]:
    """Annotations that named a type and are Any now; parameters that a bare `dict` or `list` lacked may be Any."""
    old_slots = _slots(before)
    for name, new in _slots(after).items():
        old = old_slots.get(name)
        widened = old is not None and not (isinstance(new, ast.Subscript) and dump(new.value) == dump(old))
        fresh_local = old is None and name.startswith("=") and _is_any(after, new)
        if (widened or fresh_local) and _anys(after, new) > (_anys(before, old) if old is not None else 0):
            message = "it changes an annotation to Any, which hides the value from the type checker"
            yield GuardFinding(rule="suppressions-any", path=path, line=line_of(new), message=message)


def _slots(module: Module) -> dict[str, ast.expr]:
    """Every place for an annotation: results and parameters by function, variables by name."""
    found: dict[str, ast.expr] = {}
    for name, function in module.functions.items():
        if function.returns:
            found[f"{name}->"] = function.returns
        found.update((f"{name}({arg.arg}", arg.annotation) for arg in _arguments(function) if arg.annotation)
    targets = (node for node in module.nodes if isinstance(node, ast.AnnAssign))
    found.update((f"={module.name(node.target)}", node.annotation) for node in targets)
    return found


def _anys(module: Module, annotation: ast.expr) -> int:
    quoted = (
        re.search(r"\bAny\b", node.value) for node in ast.walk(annotation) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    named = (_is_any(module, node) for node in ast.walk(annotation) if isinstance(node, ast.Name | ast.Attribute))
    return sum(bool(each) for each in quoted) + sum(named)


def _arguments(node: Function) -> list[ast.arg]:
    extra = [arg for arg in (node.args.vararg, node.args.kwarg) if arg]
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *extra]


def _annotations(node: Function) -> list[ast.expr]:
    return [found for found in (node.returns, *(arg.annotation for arg in _arguments(node))) if found]


def _same_arity(old: Function, new: Function) -> bool:
    return len(_arguments(new)) >= len(_arguments(old))
