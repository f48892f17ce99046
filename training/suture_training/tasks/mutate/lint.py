"""What linters find: comparisons with None, membership spelt backwards, texts with nothing to format, variables that nobody reads."""

from __future__ import annotations

import ast

from suture_training.tasks.mutate.code import Change, Changes, Code, without_docstring


def equal_to_none(code: Code) -> Changes:
    """`== None` for `is None`."""
    for node in code.nodes(ast.Compare):
        right = node.comparators[0]
        if len(node.ops) == 1 and isinstance(right, ast.Constant) and right.value is None:
            old, new = ("is not", "!=") if isinstance(node.ops[0], ast.IsNot) else ("is", "==")
            if isinstance(node.ops[0], ast.Is | ast.IsNot) and (change := code.between(node.left, right, old, new)) is not None:
                yield change


def not_in(code: Code) -> Changes:
    """`not x in y` for `x not in y`."""
    for node in code.nodes(ast.Compare):
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.NotIn) and isinstance(code.parents.get(node), ast.If | ast.While):
            yield code.swap(node, f"not {code.source(node.left)} in {code.source(node.comparators[0])}")


def empty_format(code: Code) -> Changes:
    """An f-string with nothing in it."""
    for node in code.nodes(ast.Constant):
        text = code.source(node) if isinstance(node.value, str) else ""
        if (
            text[:1] in ("'", '"')
            and not text.startswith(('"""', "'''"))
            and "{" not in text
            and isinstance(code.parents.get(node), ast.Call | ast.Return)
        ):
            yield code.swap(node, f"f{text}")


def unread(code: Code) -> Changes:
    """A variable that nobody reads."""
    for function in code.functions():
        first = without_docstring(function.body)[:1]
        whole = code.whole_lines(first[0]) if first else None
        if whole is not None:
            yield Change(((whole[0], whole[0], f"{code.indent(first[0])}unread = None{code.newline}"),))


def bare(code: Code) -> Changes:
    """`except:` without a type."""
    for handler in code.nodes(ast.ExceptHandler):
        if handler.type is not None and handler.name is None:
            yield code.replace(code.span(handler)[0] + len("except"), code.span(handler.type)[1], "")


def compared_with_truth(code: Code) -> Changes:
    """`== True` for the value itself."""
    for node in code.nodes(ast.If):
        if isinstance(node.test, ast.Name | ast.Attribute):
            yield code.swap(node.test, f"{code.source(node.test)} == True")
