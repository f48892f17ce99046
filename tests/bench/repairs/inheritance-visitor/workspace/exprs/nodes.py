from __future__ import annotations

from dataclasses import dataclass


class Node:
    """An expression."""


@dataclass(frozen=True)
class Number(Node):
    value: float


@dataclass(frozen=True)
class Name(Node):
    text: str


@dataclass(frozen=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node
