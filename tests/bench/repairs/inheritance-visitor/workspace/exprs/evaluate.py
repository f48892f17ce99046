from __future__ import annotations

import operator

from exprs.nodes import Binary, Name, Number
from exprs.visitor import Visitor

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class Evaluator(Visitor):
    def __init__(self, **names: float) -> None:
        self.names = names

    def visit_number(self, node: Number) -> float:
        return node.value

    def visit_name(self, node: Name) -> float:
        return self.names[node.text]

    def visit_binary(self, node: Binary) -> float:
        return OPERATORS[node.operator](self.visit(node.left), self.visit(node.right))


class NameCollector(Visitor):
    """Names in the order in which they are read."""

    def visit_name(self, node: Name) -> list[str]:
        return [node.text]

    def visit_binary(self, node: Binary) -> list[str]:
        return self.visit(node.left) + self.visit(node.right)

    def generic_visit(self, node: object) -> list[str]:
        return []
