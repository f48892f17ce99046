"""What a small policy is shown: the failure first, then one unit.

The failure is the same for every suspect, so the server's prompt cache holds it.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from string import Template

from suture_agent.direct.localise import Suspect
from suture_agent.direct.units import Definition, Unit, definitions, first_line, parse
from suture_agent.harness import prompt
from suture_agent.imports import imported, test_function
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines

_NO_NAME = re.compile(r"cannot import name '\w+' from '(?P<a>[\w.]+)'|module '(?P<b>[\w.]+)' has no attribute")
_EXCEPTION = re.compile(r"(?:\w+\.)*[A-Z]\w*")
_NOT_RAISED = ("AssertionError", "Failed", "Skipped", "Exit")
"""What pytest itself raises: it says nothing of what the code should raise or catch."""
LONGEST_TEST = 40
LONGEST_ERROR = 14
LONGEST_CONTEXT = 40
"""Lines of a test, of an error's text and of the code around a unit."""
SHORT_DETAIL = 1200
"""Characters of two failures' details up to which both are shown."""


def first_prompt(findings: Sequence[Finding], suspect: Suspect, snapshot: Snapshot, *, line: str = "") -> str:
    """The user message that asks for a unit to be written anew; `line` is the one that must change, where that is known."""
    unit = suspect.unit
    return Template(prompt("direct_function")).safe_substitute(
        failure=failure(findings, snapshot),
        path=unit.path,
        context=around(unit, snapshot),
        source=unit.source,
        observed=observed(suspect),
        name=unit.name,
        pointed=f" It is in this line, which must change:\n```python\n{line}\n```\n" if line else " ",
    )


def again_prompt(findings: Sequence[Finding], unit: Unit, snapshot: Snapshot, *, told: str = "") -> str:
    """The user message after an answer that did not hold."""
    text = told or failure(findings, snapshot, with_test=False)
    return Template(prompt("direct_again")).safe_substitute(failure=text, name=unit.name)


def failure(findings: Sequence[Finding], snapshot: Snapshot, *, with_test: bool = True) -> str:
    """The failure in words and code: at most two tests, or the tool's findings with the lines they point at."""
    if findings and findings[0].test:
        return "\n".join(_test_failure(finding, snapshot, with_test=with_test) for finding in _different(findings))
    return "\n".join(_tool_failure(finding, snapshot) for finding in findings[:6])


def observed(suspect: Suspect) -> str:
    """The calls that were seen in the failing test."""
    name = suspect.unit.name.rsplit(".", 1)[-1]
    lines = [f"{name}({call.arguments}) -> {call.result}" for call in suspect.calls[:3] if call.result is not None]
    return "" if not lines else "Observed in the failing test:\n" + "\n".join(lines) + "\n"


def around(unit: Unit, snapshot: Snapshot) -> str:
    """The code that the unit needs to be understood: imports and constants, the class it belongs to, signatures of what it calls."""
    text = snapshot.read_text(unit.path)
    tree = parse(text) if text else None
    if tree is None or text is None or unit.kind in ("head", "statement"):
        return ""
    lines = split_lines(text)
    names = {each.id for each in ast.walk(parse(unit.source) or tree) if isinstance(each, ast.Name)}
    names |= {each.attr for each in ast.walk(parse(unit.source) or tree) if isinstance(each, ast.Attribute)}
    kept = [*_head(tree, lines, names), *_helpers(tree, lines, unit, names), *_imported_signatures(tree, unit.path, names, snapshot)]
    if "." in unit.name and unit.kind == "function":
        kept += _class_outline(tree, lines, unit)
    return "\n".join(kept[:LONGEST_CONTEXT]) + "\n\n" if kept else ""


def _different(findings: Sequence[Finding]) -> list[Finding]:
    """The finding that says it shortest, and a second one with another message when both are short."""
    first, *others = sorted(findings, key=lambda finding: len(finding.detail))
    other = next((finding for finding in others if finding.message != first.message), None)
    return [first] if other is None or len(first.detail) + len(other.detail) > SHORT_DETAIL else [first, other]


def _test_failure(finding: Finding, snapshot: Snapshot, *, with_test: bool) -> str:
    path = finding.test.split("::", 1)[0]
    text = snapshot.read_text(path) or ""
    tree = parse(text)
    node = test_function(tree, finding.test) if tree else None
    name = finding.test.rsplit("::", 1)[-1]
    parts: list[str] = []
    if node is not None and with_test:
        source = _cut("\n".join(split_lines(text)[first_line(node) : node.end_lineno]), LONGEST_TEST)
        parts.append(f"This test fails:\n```python\n{source}\n```")
    else:
        parts.append(f"`{name}` fails.")
    parts.append(f"Error:\n```\n{_cut(_error_text(finding, snapshot), LONGEST_ERROR)}\n```")
    offered = offered_names(finding, snapshot)
    if offered:
        parts.append(offered)
    return "\n".join(parts)


def _error_text(finding: Finding, snapshot: Snapshot) -> str:
    """The failing line and what pytest says of it."""
    said = [line[1:].strip() for line in finding.detail.splitlines() if line.startswith("E ")]
    wheres = [number for number, line in enumerate(said) if line.startswith(("+", "-")) and "where" in line]
    said = [line for number, line in enumerate(said) if number not in wheres[1:] and not line.startswith(("+    and", "Use -v"))]
    lines = split_lines(snapshot.read_text(finding.path) or "")
    at = finding.range.start.line
    shown = [f"> {lines[at].strip()}"] if finding.path and at < len(lines) else []
    return "\n".join([*shown, *(said or finding.message.splitlines())])


def exceptions_named(findings: Sequence[Finding], snapshot: Snapshot) -> tuple[str, ...]:
    """Exceptions that the failing tests expect or that were raised."""
    names: dict[str, None] = {}
    for finding in findings[:5]:
        raised = bool(finding.test) and _EXCEPTION.fullmatch(finding.code) is not None and finding.code not in _NOT_RAISED
        if raised or _is_exception(finding.code):
            names[finding.code] = None
        tree = parse(snapshot.read_text(finding.test.split("::", 1)[0]) or "") if finding.test else None
        node = test_function(tree, finding.test) if tree is not None else None
        for call in ast.walk(node) if node is not None else ():
            if isinstance(call, ast.Call) and ast.unparse(call.func).rsplit(".", 1)[-1] in ("raises", "assertRaises", "assertRaisesRegex"):
                given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "expected_exception")]
                names |= {ast.unparse(argument): None for argument in given}
    return tuple(names)


def _is_exception(code: str) -> bool:
    found = getattr(builtins, code, None)
    return isinstance(found, type) and issubclass(found, BaseException) and code not in _NOT_RAISED


def offered_names(finding: Finding, snapshot: Snapshot) -> str:
    """For an import or attribute that does not exist: what the workspace's module does define."""
    found = _NO_NAME.search(finding.message)
    module = found.group("a") or found.group("b") if found else ""
    stem = module.replace(".", "/")
    for path in (f"{stem}.py", f"{stem}/__init__.py", f"src/{stem}.py", f"src/{stem}/__init__.py"):
        text = snapshot.read_text(path) if stem else None
        tree = parse(text) if text else None
        if tree is not None:
            names = [name for name, _ in definitions(tree) if "." not in name]
            return f"`{module}` defines: {', '.join(names[:30])}."
    return ""


def _tool_failure(finding: Finding, snapshot: Snapshot) -> str:
    lines = split_lines(snapshot.read_text(finding.path) or "")
    at = finding.range.start.line
    shown = f" in this line:\n```python\n{lines[at].strip()}\n```" if finding.path and at < len(lines) else ""
    code = f" [{finding.code}]" if finding.code and finding.code not in finding.message else ""
    offered = offered_names(finding, snapshot)
    return f"The check `{finding.check}` reports: {finding.message}{code}{shown}" + (f"\n{offered}" if offered else "")


def _head(tree: ast.Module, lines: list[str], names: set[str]) -> list[str]:
    """Imports and assignments of the module that bind a name which the unit uses."""
    kept: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            bound = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        else:
            continue
        if bound & names:
            kept += lines[node.lineno - 1 : min(node.end_lineno or node.lineno, node.lineno + 9)]
    return kept


def _helpers(tree: ast.Module, lines: list[str], unit: Unit, names: set[str]) -> list[str]:
    """Other functions and classes of the module that the unit names: whole when short, else their signature."""
    kept: list[str] = []
    for node in tree.body:
        if isinstance(node, Definition) and node.name in names and node.name != unit.name.split(".")[0]:
            kept += ["", *_outline(node, lines)]
    return kept


def _imported_signatures(tree: ast.Module, path: str, names: set[str], snapshot: Snapshot) -> list[str]:
    """Functions of other workspace modules that the unit calls, as comments: small policies otherwise guess their arguments."""
    kept: list[str] = []
    for local, (home, original) in imported(tree, path, snapshot).items():
        text = snapshot.read_text(home) if local in names else None
        other = parse(text) if text else None
        if other is None or text is None:
            continue
        wanted = [node for each, node in definitions(other) if (each == original if original else each in names)]
        for node in wanted[:2]:
            kept += ["", f"# from {home}:", *_outline(node, split_lines(text))]
    return kept


def _outline(node: Definition, lines: list[str], *, longest: int = 10) -> list[str]:
    start, end = first_line(node), node.end_lineno or node.lineno
    if end - start <= longest:
        return lines[start:end]
    if isinstance(node, ast.ClassDef):
        fields = [lines[each.lineno - 1] for each in node.body if isinstance(each, ast.Assign | ast.AnnAssign)]
        methods = [
            f"{lines[each.lineno - 1].rstrip()} ..." for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        return [*lines[start : node.lineno], *fields, *methods]
    return [*lines[start : first_line(node.body[0])], " " * (node.col_offset + 4) + "..."]


def _class_outline(tree: ast.Module, lines: list[str], unit: Unit) -> list[str]:
    """The class around a method: its header, its fields, `__init__`, and the other methods' signatures."""
    owner = unit.name.rsplit(".", 1)[0]
    node = next((each for name, each in definitions(tree) if name == owner), None)
    if not isinstance(node, ast.ClassDef):
        return []
    kept = ["", *lines[first_line(node) : node.lineno]]
    for each in node.body:
        if isinstance(each, ast.Assign | ast.AnnAssign):
            kept.append(lines[each.lineno - 1])
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and first_line(each) != unit.start:
            short = each.name == "__init__" or (each.end_lineno or each.lineno) - each.lineno < 6
            kept += (
                lines[first_line(each) : each.end_lineno]
                if short
                else [*lines[first_line(each) : each.lineno], lines[each.lineno - 1][: each.col_offset] + "    ..."]
            )
    return [*kept, "", f"# {unit.name}:"]


def _cut(text: str, longest: int) -> str:
    lines = text.splitlines()
    return text if len(lines) <= longest else "\n".join([*lines[: longest // 2], "...", *lines[-longest // 2 :]])
