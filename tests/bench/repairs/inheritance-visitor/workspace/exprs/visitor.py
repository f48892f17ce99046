from __future__ import annotations

from typing import Any

from exprs.nodes import Node


class Visitor:
    """Calls the method for a node's class: `visit_number` for Number, and so on."""

    def visit(self, node: Node) -> Any:
        method = getattr(self, f"visit_{type(node).__name__}", None)
        if method is None:
            return self.fallback(node)
        return method(node)

    def generic_visit(self, node: Node) -> Any:
        raise TypeError(f"cannot visit {type(node).__name__}")
