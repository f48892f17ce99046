"""What rules read: the Python of both sides of each edit, as trees, with the names that an import gives resolved.

Nothing here judges. Text that Python 3.11 cannot parse gives no tree; `unparsed` has the rules for it.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from suture_sandbox.guard.paths import is_test
from suture_sandbox.patch import FileEdit, Patch

MAX_DEPTH = 120
"""Deeper trees are not examined: a person does not write them, and recursion over them could fail."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Module(msgspec.Struct, frozen=True):
    """One side of an edit, parsed."""

    tree: ast.Module
    imports: dict[str, str]
    """Name in the file -> dotted name of what it is."""
    modules: frozenset[str]
    """Names in the file that are bound by plain `import`, so that they certainly are modules."""
    functions: dict[str, Function]
    """Qualified name -> definition, the last one where there are several."""
    classes: dict[str, ast.ClassDef]
    nodes: tuple[ast.AST, ...]
    """Every node, parents first."""

    def name(self, node: ast.AST) -> str:
        """Dotted name of an expression with imports resolved: `exit` after `from sys import exit` is `sys.exit`; empty for other things."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            parts.append(self.imports.get(node.id, node.id))
        elif isinstance(node, ast.Call):
            called = _called_name(self, node)
            if not called:
                return ""
            parts.append(called)
        else:
            return ""
        return ".".join(reversed(parts))


class Change(msgspec.Struct, frozen=True):
    """One Python file of a patch."""

    path: str
    old: str
    """Text before; empty for a new file."""
    new: str
    """Text after; empty for a deleted file."""
    before: Module | None
    """None for a new file and for text that does not parse."""
    after: Module | None
    created: bool
    deleted: bool

    @property
    def old_lines(self) -> frozenset[str]:
        """Lines before, without their indentation."""
        return frozenset(line.strip() for line in self.old.splitlines())


class Hit(msgspec.Struct, frozen=True):
    """Something that a rule looks for."""

    key: str
    """What makes two of them the same, wherever they stand."""
    line: int
    """Zero-based."""
    message: str


def text_of(content: bytes | None) -> str:
    """The content as text; what is not UTF-8 is read byte by byte, so that nothing is lost."""
    if content is None:
        return ""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def changes(patch: Patch, *, tests: bool = False) -> tuple[Change, ...]:
    """The patch's Python files: source, or tests."""
    return tuple(_change(edit) for edit in patch.edits if edit.path.endswith((".py", ".pyi", ".pyw")) and is_test(edit.path) == tests)


def _change(edit: FileEdit) -> Change:
    return Change(
        path=edit.path,
        old=text_of(edit.before),
        new=text_of(edit.after),
        before=parse(edit.before),
        after=parse(edit.after),
        created=edit.before is None,
        deleted=edit.after is None,
    )


@functools.lru_cache(maxsize=32)
def parse(content: bytes | None) -> Module | None:
    """The module, None where there is none that can be examined."""
    if content is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
        return None
    nodes = _flatten(tree)
    if nodes is None:
        return None
    imports, modules = _imports(nodes)
    functions: dict[str, Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    _collect(tree, "", functions, classes)
    return Module(tree, imports, modules, functions, classes, nodes)


def too_deep(content: bytes | None) -> bool:
    """Whether the text is Python that is nested too deeply to be examined."""
    if content is None or parse(content) is not None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except (RecursionError, MemoryError):
        return True
    except (SyntaxError, ValueError, LookupError) as error:
        return "too many nested" in str(error) or "too complex" in str(error)
    return True


def _flatten(tree: ast.Module) -> tuple[ast.AST, ...] | None:
    nodes: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        if not level:
            return tuple(nodes)
        nodes += level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return None


def _imports(nodes: Iterable[ast.AST]) -> tuple[dict[str, str], frozenset[str]]:
    names: dict[str, str] = {}
    modules: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
                modules.add(bound)
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for alias in node.names:
                names[alias.asname or alias.name] = f"{prefix}.{alias.name}"
    return names, frozenset(modules)


def _collect(scope: ast.AST, prefix: str, functions: dict[str, Function], classes: dict[str, ast.ClassDef]) -> None:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            classes[prefix + node.name] = node
            _collect(node, f"{prefix}{node.name}.", functions, classes)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions[prefix + node.name + _accessor(node)] = node
            _collect(node, f"{prefix}{node.name}.<locals>.", functions, classes)
        elif not isinstance(node, ast.expr):
            _collect(node, prefix, functions, classes)


def _accessor(node: Function) -> str:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "getter", "deleter"):
            return f"@{decorator.attr}"
    return ""


def _called_name(module: Module, call: ast.Call) -> str:
    function = call.func.id if isinstance(call.func, ast.Name) else ""
    literals = [arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else None for arg in call.args]
    if function == "getattr" and len(literals) >= 2 and literals[1] is not None:
        base = module.name(call.args[0])
        return f"{base}.{literals[1]}" if base else ""
    imports_it = function == "__import__" or module.name(call.func) == "importlib.import_module"
    return literals[0] if imports_it and literals and literals[0] else ""


def added(files: Sequence[Change], find: Callable[[Module], Iterable[Hit]]) -> Iterator[tuple[Change, Hit]]:
    """What `find` finds after the patch and did not find before it, wherever in the patch it stood."""
    known = Counter(hit.key for change in files if change.before for hit in find(change.before))
    for change in files:
        if change.after is None:
            continue
        unread = change.before is None and not change.created
        lines = change.new.splitlines() if unread else []
        old = change.old_lines if unread else frozenset[str]()
        for hit in find(change.after):
            if unread and hit.line < len(lines) and lines[hit.line].strip() in old:
                continue
            known[hit.key] -= 1
            if known[hit.key] < 0:
                yield change, hit


def added_text(files: Sequence[tuple[str, str, str]], find: Callable[[str], Iterable[Hit]]) -> Iterator[tuple[str, Hit]]:
    """The same for plain text: (path, before, after)."""
    known = Counter(hit.key for _path, old, _new in files for hit in find(old))
    for path, _old, new in files:
        for hit in find(new):
            known[hit.key] -= 1
            if known[hit.key] < 0:
                yield path, hit


def line_of(node: ast.AST) -> int:
    """Zero-based line of a node."""
    return max(0, getattr(node, "lineno", 1) - 1)


def dump(node: ast.AST) -> str:
    """The node as text that two equal nodes share."""
    return ast.dump(node)


def statements(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The body without its docstring."""
    return list(body[1:]) if body and is_docstring(body[0]) else list(body)


def is_docstring(node: ast.stmt) -> bool:
    """Whether it is a string that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def walk_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Every node of a scope, without what is inside functions and classes defined in it."""
    stack = list(body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))


def import_time(module: Module) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported; what only `python file.py` runs is left out."""
    stack: list[ast.AST] = [node for node in module.tree.body if not is_main_block(node)]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            stack += [*node.decorator_list, *node.args.defaults, *(default for default in node.args.kw_defaults if default)]
        elif not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def main_block(module: Module) -> frozenset[ast.AST]:
    """Every node under `if __name__ == "__main__"`."""
    return frozenset(inner for node in module.tree.body if is_main_block(node) for inner in ast.walk(node))


def is_main_block(node: ast.AST) -> bool:
    """Whether it is `if __name__ == "__main__":`."""
    test = node.test if isinstance(node, ast.If) else None
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def references(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Every name that is read, called or assigned, resolved, with its node; parts of a longer dotted name are left out."""
    inner = {id(node.value) for node in module.nodes if isinstance(node, ast.Attribute)}
    for node in module.nodes:
        if isinstance(node, ast.Name | ast.Attribute | ast.Call) and id(node) not in inner:
            name = module.name(node)
            if name:
                yield name, node


def bound_names(module: Module) -> frozenset[str]:
    """Names that the file itself defines or takes as parameters, so that they are not the builtins of that name."""
    names = {node.id for node in module.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.arg for node in module.nodes if isinstance(node, ast.arg)}
    names |= {node.name for node in module.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return frozenset(names)


def matches(name: str, patterns: re.Pattern[str]) -> bool:
    """Whether a dotted name is one that a pattern means."""
    return bool(patterns.fullmatch(name))
