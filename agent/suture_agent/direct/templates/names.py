"""A wrong name: of a method, a function, a variable, an attribute, or one that a library has removed."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from suture_agent.direct.templates.removed import ABSTRACT
from suture_agent.direct.templates.scene import Found, Scene, local_names, nodes

_NAMES: Mapping[str, tuple[str, ...]] = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "append": ("extend",), "extend": ("append",),
    "floor": ("ceil",), "ceil": ("floor",), "lstrip": ("rstrip", "strip"), "rstrip": ("lstrip", "strip"), "strip": ("lstrip", "rstrip"),
    "startswith": ("endswith",), "endswith": ("startswith",), "lower": ("upper", "casefold"), "upper": ("lower",), "find": ("rfind",),
    "rfind": ("find",), "split": ("rsplit",), "rsplit": ("split",), "partition": ("rpartition",), "rpartition": ("partition",),
    "match": ("fullmatch", "search"), "search": ("match", "fullmatch"), "fullmatch": ("match", "search"), "union": ("intersection",),
    "intersection": ("union",), "issubset": ("issuperset",), "issuperset": ("issubset",), "keys": ("values", "items"),
    "values": ("keys", "items"), "appendleft": ("append",), "popleft": ("pop",), "pop": ("popleft",), "discard": ("remove",),
    "remove": ("discard",), "seconds": ("total_seconds()",),
    "isdigit": ("isdecimal", "isnumeric"), "add": ("update",), "update": ("add",), "setdefault": ("get",),
    "bisect_left": ("bisect_right",), "bisect_right": ("bisect_left",), "bisect": ("bisect_left",), "isinstance": ("issubclass",),
    "getargspec": ("getfullargspec",), "cElementTree": ("ElementTree",), "utcnow": ("now",), "clock": ("perf_counter",),
    "getchildren": ("iter",), "assertEquals": ("assertEqual",), "iteritems": ("items",), "has_key": ("__contains__",),
    "tostring": ("tobytes",), "fromstring": ("frombytes",),
    "readfp": ("read_file",), "getiterator": ("iter",), "encodestring": ("encodebytes",), "decodestring": ("decodebytes",),
}  # fmt: skip


def names(scene: Scene) -> Found:
    """Another method or function of the same family; names that the standard library has moved or removed."""
    for node in nodes(scene, ast.Attribute):
        owner = scene.text(node.value)
        for other in _NAMES.get(node.attr, ()):
            yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, 0.8
        if owner == "collections" and node.attr in ABSTRACT:
            yield scene.swap(node, f"collections.abc.{node.attr}"), node.lineno - 1, 2.0
    for name in nodes(scene, ast.Name):
        for other in _NAMES.get(name.id, ()):
            if "(" not in other:
                yield scene.swap(name, other), name.lineno - 1, 0.8


def variables(scene: Scene) -> Found:
    """Another variable of the function in place of a read one; another attribute of the same object."""
    local = local_names(scene)
    for name in nodes(scene, ast.Name):
        if isinstance(name.ctx, ast.Load) and name.id in local:
            for other in local:
                if other not in (name.id, "self", "cls"):
                    yield scene.swap(name, other), name.lineno - 1, 0.45
    attributes: dict[str, set[str]] = {}
    for node in nodes(scene, ast.Attribute):
        attributes.setdefault(scene.text(node.value), set()).add(node.attr)
    for node in nodes(scene, ast.Attribute):
        owner = scene.text(node.value)
        for other in sorted(attributes[owner] - {node.attr}):
            yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, 0.4


def members(scene: Scene) -> Found:
    """Another attribute of the classes at hand, or the method that gives it: in one place, and in all of them."""
    known = [name for name in scene.around.members if not name.startswith("__")]
    called = {id(node.func) for node in nodes(scene, ast.Call)}
    read: dict[str, list[ast.Attribute]] = {}
    for node in nodes(scene, ast.Attribute):
        if isinstance(node.ctx, ast.Load) and node.attr in known:
            read.setdefault(node.attr, []).append(node)
    for attribute, found in read.items():
        uses = [node for node in found if id(node) not in called]
        calls = [node for node in found if id(node) in called]
        for other in known:
            if other == attribute:
                continue
            method = other in scene.around.methods
            pairs = [(node, f"{scene.text(node.value)}.{other}{'()' if method else ''}") for node in uses]
            if len(pairs) > 1:
                yield scene.swap_all([*pairs]), uses[0].lineno - 1, 0.5
            if method:
                pairs += [(node, f"{scene.text(node.value)}.{other}") for node in calls]
            for node, text in pairs[:6]:
                yield scene.swap(node, text), node.lineno - 1, 0.45


def everywhere(scene: Scene) -> Found:
    """Another variable in every place where the unit reads one."""
    local = [name for name in local_names(scene) if name not in ("self", "cls")]
    for name in local:
        uses = [node for node in nodes(scene, ast.Name) if node.id == name and isinstance(node.ctx, ast.Load)]
        if 1 < len(uses) < 8:
            for other in local:
                if other != name:
                    yield scene.swap_all([(node, other) for node in uses]), uses[0].lineno - 1, 0.25


def functions(scene: Scene) -> Found:
    """Another function of the file that takes as many arguments."""
    known = scene.around.functions
    own = scene.unit.name.rsplit(".", 1)[-1]
    for call in nodes(scene, ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in known:
            for other, parameters in known.items():
                if other not in (call.func.id, own) and len(parameters) == len(known[call.func.id]):
                    yield scene.swap(call.func, other), call.lineno - 1, 0.5


def tables(scene: Scene) -> Found:
    """Another constant of the file; what a table holds under a name, in place of the name."""
    local = {*scene.parameters, *local_names(scene)}
    for name in nodes(scene, ast.Name):
        if not isinstance(name.ctx, ast.Load):
            continue
        if name.id in scene.around.constants:
            for other in scene.around.constants:
                if other != name.id:
                    yield scene.swap(name, other), name.lineno - 1, 0.5
        elif name.id in local:
            for table in scene.around.tables[:4]:
                yield scene.swap(name, f"{table}[{name.id}]"), name.lineno - 1, 0.4
                yield scene.swap(name, f"{table}.get({name.id}, {name.id})"), name.lineno - 1, 0.25


def fields(scene: Scene) -> Found:
    """Another attribute of the object itself; an attribute in place of a variable of its name."""
    known = scene.around.fields
    for node in nodes(scene, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in known:
            for other in known:
                if other != node.attr:
                    yield scene.swap(node, f"self.{other}"), node.lineno - 1, 0.4
    for name in nodes(scene, ast.Name):
        if isinstance(name.ctx, ast.Load) and name.id in known:
            yield scene.swap(name, f"self.{name.id}"), name.lineno - 1, 0.5


def shadowed(scene: Scene) -> Found:
    """A loop's variable that takes the name of a parameter or of another variable, which is needed later: a name of its own."""
    for loop in nodes(scene, ast.For):
        if not isinstance(loop.target, ast.Name):
            continue
        inside = {id(node) for part in [loop.target, *loop.body] for node in ast.walk(part)}
        every = [node for node in nodes(scene, ast.Name) if node.id == loop.target.id]
        if len(every) > sum(id(node) in inside for node in every) or loop.target.id in scene.parameters:
            own = f"{loop.target.id}_"
            pairs = [(node, own) for node in every if id(node) in inside]
            yield scene.swap_all([*pairs]), loop.lineno - 1, 0.9
