from __future__ import annotations

from collections.abc import Iterator


class Node:
    """A heading with sub-headings."""

    def __init__(self, title: str, children: list[Node]= []) -> None:
        self.title = title
        self.children = children

    def add(self, child: Node) -> Node:
        self.children.append(child)
        return child

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def count(self) -> int:
        return sum(1 for _ in self.walk())
