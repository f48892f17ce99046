"""JSON, TOML, YAML and XML of a workspace as plain data: with line numbers where readers give them, without what makes them dangerous.

YAML is read as events, so that nothing is constructed and an alias is not expanded; XML with a document type is refused, so that there are
no entities. A damaged file is a note and no data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast
from xml.parsers import expat

import msgspec

from suture_sandbox.pins.finding import LARGEST_LOCK, Tree
from suture_sandbox.toml import BadToml, parse

LARGEST_YAML = 1 << 18
"""Bytes: the slowest reader has the smallest bound."""
MOST_NODES = 20_000
MOST_DEPTH = 50

Table = Mapping[str, Any]


class Node(msgspec.Struct):
    """A value of a YAML file with its line. An alias is an empty text."""

    line: int
    text: str = ""
    items: list[Node] = []
    keys: dict[str, Node] = {}

    def get(self, *path: str) -> Node:
        """The value below a path of keys; an empty one where there is none."""
        node = self
        for key in path:
            node = node.keys.get(key, _NOTHING)
        return node

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every value of a mapping below this one, with its key."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield from node.keys.items()
            stack += [*node.items, *node.keys.values()]


_NOTHING = Node(0)


class Element(msgspec.Struct):
    """An element of an XML file."""

    name: str
    line: int
    text: str = ""
    children: list[Element] = []

    def all(self, name: str) -> list[Element]:
        """Children of that name."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str:
        """The text of the first child of that name; empty where there is none."""
        return next((child.text.strip() for child in self.all(name)), "")

    def walk(self) -> Iterator[Element]:
        """This element and all below it."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack += element.children


def read_toml(tree: Tree, path: str, most: int = LARGEST_LOCK) -> dict[str, Any]:
    """A TOML file; empty where it is absent or damaged."""
    try:
        return parse(tree.text(path, most))
    except BadToml as error:
        tree.note(error.within(path))
        return {}


def read_json(tree: Tree, path: str, most: int = LARGEST_LOCK) -> dict[str, Any]:
    """A JSON object; empty where it is absent or damaged."""
    text = tree.text(path, most)
    if not text.strip():
        return {}
    try:
        return table(json.loads(text))
    except (ValueError, RecursionError) as error:
        tree.note(f"{path}: not valid JSON: {str(error)[:100]}")
        return {}


def read_yaml(tree: Tree, path: str) -> Node:
    """The first document of a YAML file; an empty one where it is absent or damaged."""
    import yaml  # type: ignore[import-untyped]  # its stubs are another package

    text = tree.text(path, LARGEST_YAML)
    try:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        events = cast("Iterator[Any]", yaml.parse(text, Loader=loader))  # pyright: ignore[reportUnknownMemberType]  # partly typed stubs
        return _composed(events)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        tree.note(f"{path}: not looked at: {' '.join(str(error).split())[:100]}")
        return Node(0)


def read_xml(tree: Tree, path: str) -> Element:
    """The root element of an XML file, names without their namespace; an empty one where it is absent or damaged."""
    top = Element("", 0, children=[])
    stack = [top]
    parser = expat.ParserCreate("utf-8", " ")

    def start(name: str, _attributes: object) -> None:
        element = Element(name.rpartition(" ")[2], parser.CurrentLineNumber, children=[])
        stack[-1].children.append(element)
        stack.append(element)
        if len(stack) > MOST_DEPTH:
            raise ValueError("nested too deeply")

    def end(_name: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text += data[:256] if len(stack[-1].text) < 256 else ""

    def refuse(*_: object) -> None:
        raise ValueError("it has a document type, which may hold entities")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(tree.text(path).encode("utf-8", "replace"), True)
    except (expat.ExpatError, ValueError) as error:
        tree.note(f"{path}: not looked at: {error}")
        return Element("", 0)
    return top.children[0] if top.children else top


def table(value: object) -> dict[str, Any]:
    """The value where it is a table, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def texts(value: object) -> list[str]:
    """The texts of a list; empty where it is none."""
    return [item for item in _items(value) if isinstance(item, str)]


def tables(value: object) -> list[dict[str, Any]]:
    """The tables of a list; empty where it is none."""
    return [found for item in _items(value) if (found := table(item))]


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]  # a file of the workspace


def _composed(events: Iterator[Any]) -> Node:
    """A tree from the events of the first document. Keys that are no plain texts are left out with what they name."""
    top = Node(0, items=[])
    stack: list[tuple[Node, Node | None]] = [(top, None)]
    """What is open, each with the key that waits for its value."""
    for count, event in enumerate(events):
        kind = type(event).__name__
        if count > MOST_NODES or len(stack) > MOST_DEPTH:
            raise ValueError("too large or nested too deeply")
        if kind == "DocumentEndEvent":
            break
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            stack.pop()[0].text = ""
        elif kind in ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"):
            block = getattr(event, "style", None) in ("|", ">")  # whose text begins in the next line
            node = Node(event.start_mark.line + 1 + block, str(getattr(event, "value", "") or ""), items=[], keys={})
            _attach(stack, node)
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                node.text = "" if kind == "SequenceStartEvent" else "{"  # tells a mapping from a list until it is closed
                stack.append((node, None))
    return top.items[0] if top.items else top


def _attach(stack: list[tuple[Node, Node | None]], node: Node) -> None:
    parent, key = stack[-1]
    if parent.text != "{":
        parent.items.append(node)
    elif key is None:
        stack[-1] = (parent, node)
    else:
        parent.keys.setdefault(key.text, node)
        stack[-1] = (parent, None)
