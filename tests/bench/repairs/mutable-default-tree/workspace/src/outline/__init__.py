from outline.node import Node
from outline.text import parse, render

__all__ = ["Node", "parse", "render"]
