"""Times: one without a zone that meets one with a zone, and the letters of their formats."""

from __future__ import annotations

import ast
import itertools
import re

from suture_agent.direct.templates.scene import Found, Scene, nodes

_READ = ("fromisoformat", "strptime", "combine")


def zones(scene: Scene) -> Found:
    """A time without a zone that meets one with a zone; only where the failure speaks of times."""
    if not re.search(r"offset-naive|datetime|tzinfo", scene.said):
        return
    for node in nodes(scene, ast.Call):
        if not isinstance(node.func, ast.Attribute):
            continue
        text, owner, line = scene.text(node), scene.text(node.func.value), node.lineno - 1
        given = [*(scene.text(each) for each in node.args), *(f"{each.arg}={scene.text(each.value)}" for each in node.keywords if each.arg)]
        if node.func.attr in ("now", "fromtimestamp") and "tz" not in text and "utc" not in text.lower():
            yield scene.swap(node, f"{owner}.{node.func.attr}({', '.join([*given, 'timezone.utc'])})"), line, 1.2
        if node.func.attr in ("now", "today"):
            yield scene.swap(node, f"{owner}.now(timezone.utc)"), line, 0.8
        if node.func.attr in _READ:
            yield scene.swap(node, f"{text}.replace(tzinfo=timezone.utc)"), line, 0.9
            yield scene.swap(node, f"{text}.replace(tzinfo=None)"), line, 0.7
            yield scene.swap(node, f"{text}.astimezone(timezone.utc)"), line, 0.6
        for zone in [each.value for each in node.keywords if each.arg == "tzinfo" and node.func.attr == "replace"]:
            yield scene.swap(node, f"{owner}.astimezone({scene.text(zone)})"), line, 0.9
        if node.func.attr == "astimezone" and len(node.args) == 1:
            yield scene.swap(node, f"{owner}.replace(tzinfo={given[0]})"), line, 0.8
    yield from _where_read(scene)


def _where_read(scene: Scene) -> Found:
    """A zone only for a time that has none; a clock that is handed on."""
    for leave in nodes(scene, ast.Return):
        if isinstance(leave.value, ast.Call) and isinstance(leave.value.func, ast.Attribute) and leave.value.func.attr in _READ:
            text, indent = scene.text(leave.value), " " * leave.col_offset
            made = f"time = {text}\n{indent}return time if time.tzinfo else time.replace(tzinfo=timezone.utc)"
            yield scene.swap(leave, made), leave.lineno - 1, 1.0
    for made_by in nodes(scene, ast.Attribute):
        if made_by.attr in ("utcnow", "now") and scene.text(made_by.value).endswith("datetime"):
            called = any(isinstance(node, ast.Call) and node.func is made_by for node in ast.walk(scene.tree))
            if not called:
                yield scene.swap(made_by, f"lambda: {scene.text(made_by.value)}.now(timezone.utc)"), made_by.lineno - 1, 1.2


_TOKENS = {
    "Y": "y", "y": "Y", "H": "I", "I": "H", "m": "M", "M": "m", "d": "j", "j": "d",
    "b": "B", "B": "b", "a": "A", "A": "a", "s": "S", "S": "s",
}  # fmt: skip


def tokens(scene: Scene) -> Found:
    """A letter of a date's format, or two that have changed places."""
    for node in nodes(scene, ast.Constant):
        text = scene.text(node)
        if not isinstance(node.value, str) or len(re.findall(r"%[A-Za-z]", node.value)) < 2 or text[:1] not in "\"'":
            continue
        found = [each.start() + 1 for each in re.finditer(r"%[A-Za-z]", text)]
        for at in found:
            if text[at] in _TOKENS:
                yield scene.swap(node, f"{text[:at]}{_TOKENS[text[at]]}{text[at + 1 :]}"), node.lineno - 1, 0.7
        for one, other in itertools.pairwise(found):
            changed = f"{text[:one]}{text[other]}{text[one + 1 : other]}{text[one]}{text[other + 1 :]}"
            yield scene.swap(node, changed), node.lineno - 1, 0.9
