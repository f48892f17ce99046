"""Indented text to nodes and back; two spaces a level."""

from __future__ import annotations

from outline.node import Node


def parse(text: str) -> Node:
    root = Node("")
    path = [root]
    for line in text.splitlines():
        if not line.strip():
            continue
        level = (len(line) - len(line.lstrip())) // 2
        del path[level + 1 :]
        path.append(path[-1].add(Node(line.strip())))
    return root


def render(root: Node) -> str:
    return "\n".join("  " * (depth - 1) + node.title for depth, node in root.walk() if depth)
