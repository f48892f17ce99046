"""Imports: a name or a module that is not there, an import that is gone, one that nobody needs."""

from __future__ import annotations

import ast

from suture_training.tasks.mutate.code import Change, Changes, Code


def renamed(code: Code) -> Changes:
    """A name that its module does not have, as after a release that renamed it."""
    for node in code.nodes(ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*" and node.module != "__future__":
                bound = f" as {alias.asname or alias.name}"
                yield code.swap(alias, f"{alias.name.lstrip('_') if alias.name.startswith('_') else f'_{alias.name}'}{bound}")


def moved(code: Code) -> Changes:
    """A module that is not where it is looked for."""
    for node in code.nodes(ast.ImportFrom):
        if node.module and node.module != "__future__":
            start = code.text.index(node.module, code.span(node)[0] + len("from"))
            yield code.replace(start, start + len(node.module), f"{node.module}s" if not node.module.endswith("s") else node.module[:-1])


def missing(code: Code) -> Changes:
    """An import that is gone: of a whole statement, or of one name among others."""
    found: list[ast.Import | ast.ImportFrom] = [*code.nodes(ast.Import), *code.nodes(ast.ImportFrom)]
    for node in found:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        if len(node.names) == 1:
            if (change := code.delete(node)) is not None:
                yield change
            continue
        for first, second in zip(node.names, node.names[1:], strict=False):
            yield code.replace(code.span(first)[0], code.span(second)[0], "")


def unused(code: Code) -> Changes:
    """An import that nobody needs: for the linter."""
    names = {node.id for node in code.nodes(ast.Name, frozen=True)} | {
        alias.name for node in code.nodes(ast.Import) for alias in node.names
    }
    places = [node for node in code.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    places = [node for node in places if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    for node in places:
        whole = code.whole_lines(node)
        for module in ("os", "sys", "json", "re", "math"):
            if whole is not None and module not in names:
                yield Change(((whole[0], whole[0], f"import {module}{code.newline}"),))


def exported(code: Code) -> Changes:
    """A name that is exported and does not exist: for the linter, and for whoever imports everything."""
    for node in code.tree.body:
        named = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        if (
            named
            and isinstance(node, ast.Assign)
            and code.source(node.targets[0]) == "__all__"
            and isinstance(node.value, ast.List | ast.Tuple)
        ):
            for element in node.value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    yield code.swap(element, repr(f"{element.value}_"))
