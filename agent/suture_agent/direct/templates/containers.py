"""Lists, sets and mappings: what is shared and should be copied, what is not there yet, what must be in order, or cannot be a key."""

from __future__ import annotations

import ast

from suture_agent.direct.templates.scene import Found, Scene, nodes

_COPIES = ("list({})", "dict({})", "{}.copy()", "copy.deepcopy({})")


def handed_out(scene: Scene) -> Found:
    """What is put in, kept or yielded, and changed afterwards: a copy of it."""
    given: list[tuple[ast.expr, float]] = [
        (node.value, 0.5) for node in nodes(scene, ast.Yield) if isinstance(node.value, ast.Name | ast.Attribute)
    ]
    given += [(node.elt, 0.45) for node in nodes(scene, ast.ListComp) if isinstance(node.elt, ast.Name)]
    given += [(node.value, 0.45) for node in nodes(scene, ast.DictComp) if isinstance(node.value, ast.Name)]
    for call in nodes(scene, ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "appendleft", "add", "insert", "setdefault", "put"):
            given += [(each, 0.5) for each in call.args[-1:] if isinstance(each, ast.Name | ast.Attribute)]
    for value, weight in given:
        for made in _COPIES:
            yield scene.swap(value, made.format(scene.text(value))), value.lineno - 1, weight


def deep(scene: Scene) -> Found:
    """A copy of the outside only."""
    for node in nodes(scene, ast.Call):
        name = scene.text(node.func)
        inner = ""
        if name in ("list", "dict", "copy.copy", "copy") and len(node.args) == 1:
            inner = scene.text(node.args[0])
        elif name.endswith(".copy") and not node.args:
            inner = name.removesuffix(".copy")
        if not inner:
            continue
        yield scene.swap(node, f"copy.deepcopy({inner})"), node.lineno - 1, 0.9
        yield scene.swap(node, f"[list(row) for row in {inner}]"), node.lineno - 1, 0.5
        yield scene.swap(node, f"{{key: list(value) for key, value in {inner}.items()}}"), node.lineno - 1, 0.5
    for cut in nodes(scene, ast.Subscript):
        if isinstance(cut.slice, ast.Slice) and scene.text(cut.slice) == ":":
            yield scene.swap(cut, f"copy.deepcopy({scene.text(cut.value)})"), cut.lineno - 1, 0.8
            yield scene.swap(cut, f"[row[:] for row in {scene.text(cut.value)}]"), cut.lineno - 1, 0.6


def first_time(scene: Scene) -> Found:
    """A key that is not there yet: counted from nothing, collected from an empty list."""
    sure = 1.2 if "KeyError" in scene.said else 0.3
    for node in nodes(scene, ast.AugAssign):
        if isinstance(node.target, ast.Subscript) and isinstance(node.op, ast.Add):
            target, owner, key = scene.text(node.target), scene.text(node.target.value), scene.text(node.target.slice)
            yield scene.swap(node, f"{target} = {owner}.get({key}, 0) + {scene.text(node.value)}"), node.lineno - 1, sure
    for call in nodes(scene, ast.Call):
        holder = call.func.value if isinstance(call.func, ast.Attribute) else None
        empty = {"append": "[]", "extend": "[]", "add": "set()", "update": "{}"}.get(getattr(call.func, "attr", ""), "")
        if isinstance(holder, ast.Subscript) and empty and not isinstance(holder.slice, ast.Slice):
            owner, key = scene.text(holder.value), scene.text(holder.slice)
            yield scene.swap(holder, f"{owner}.setdefault({key}, {empty})"), call.lineno - 1, sure
    values = [node.value for node in nodes(scene, ast.Assign)] + [node.value for node in nodes(scene, ast.AnnAssign) if node.value]
    for value in [each for each in values if scene.text(each) in ("{}", "dict()")]:
        for kind in ("list", "int", "set", "dict"):
            yield scene.swap(value, f"defaultdict({kind})"), value.lineno - 1, sure / 2


def hashable(scene: Scene) -> Found:
    """What cannot be a key or an element of a set, as a tuple or a frozen set."""
    if "unhashable" not in scene.said:
        return
    places = [node.slice for node in nodes(scene, ast.Subscript) if not isinstance(node.slice, ast.Slice)]
    places += [each for node in nodes(scene, ast.Call) for each in node.args]
    places += [node.left for node in nodes(scene, ast.Compare)] + [node.elt for node in nodes(scene, ast.SetComp)]
    for place in places:
        for made in ("tuple({})", "frozenset({})", "str({})", "tuple(sorted({}))", "tuple(sorted({}.items()))"):
            yield scene.swap(place, made.format(scene.text(place))), place.lineno - 1, 1.0


_KEYS = ("str.lower", "str.casefold", "len", "int", "str", "abs")


def sorting(scene: Scene) -> Found:
    """What order a sort, a search for the largest, or a grouping goes by."""
    for node in nodes(scene, ast.Call):
        name = scene.text(node.func).rsplit(".", 1)[-1]
        if name not in ("sorted", "sort", "max", "min", "groupby", "nlargest", "nsmallest"):
            continue
        text, line = scene.text(node), node.lineno - 1
        key = next((each for each in node.keywords if each.arg == "key"), None)
        inside = text[:-1].rstrip().removesuffix(",")
        if name == "groupby" and node.args:
            over = scene.text(node.args[0])
            by = f", {scene.text(key)}" if key else f", key={scene.text(node.args[1])}" if len(node.args) > 1 else ""
            yield scene.swap(node.args[0], f"sorted({over}{by})"), line, 1.5
        if key is None:
            comma = ", " if node.args or node.keywords else ""
            for made in (*_KEYS, f"{scene.text(node.args[0])}.get" if len(node.args) == 1 and name in ("max", "min") else ""):
                if made:
                    yield scene.swap(node, f"{inside}{comma}key={made})"), line, 0.45
            if len(node.args) == 1 and name == "sorted":
                yield scene.swap(node.args[0], f"set({scene.text(node.args[0])})"), line, 0.4
        elif isinstance(key.value, ast.Lambda) and key.value.args.args:
            yield from _keyed(scene, key.value)


def _keyed(scene: Scene, key: ast.Lambda) -> Found:
    """Another form of what a key looks at, and what decides among equals."""
    whole, line, item = scene.text(key.body), key.lineno - 1, key.args.args[0].arg
    parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
    for part in parts:
        text = scene.text(part)
        for made in ("{}.lower()", "{}.casefold()", "int({})", "len({})", "abs({})", "float({})", "str({})"):
            yield scene.swap(part, made.format(text)), line, 0.45
    if not isinstance(key.body, ast.Tuple):
        negative = whole[1:] if whole.startswith("-") else f"-{whole}"
        attributes = [name for name in (*scene.around.fields, *scene.around.members) if name not in whole and not name.startswith("_")]
        ties = [item, *(f"{item}.{name}" for name in dict.fromkeys(attributes[:12]))]
        ties += [f"{item}[{place}]" for place in (0, 1)] if f"{item}[" in whole else []
        for tie in ties:
            yield scene.swap(key.body, f"({whole}, {tie})"), line, 0.5
            yield scene.swap(key.body, f"({negative}, {tie})"), line, 0.5
    else:
        for index in range(len(parts)):
            kept = [scene.text(part) for at, part in enumerate(parts) if at != index]
            yield scene.swap(key.body, kept[0] if len(kept) == 1 else f"({', '.join(kept)})"), line, 0.4


def heaps(scene: Scene) -> Found:
    """A heap that is changed by a list's own methods: one call, and all of them at once."""
    if "heap" not in scene.source.lower():
        return
    made = [pair for node in nodes(scene, ast.Call) for pair in _heap_call(scene, node)]
    for node, text in made:
        yield scene.swap(node, text), node.lineno - 1, 1.0
    if len(made) > 1:
        yield scene.swap_all([*made]), made[0][0].lineno - 1, 2.5
    for node in nodes(scene, ast.Call):
        for pushed in node.args[1:] if scene.text(node.func) == "heapq.heappush" else ():
            yield scene.swap(pushed, f"-{scene.text(pushed)}"), node.lineno - 1, 0.6


def _heap_call(scene: Scene, node: ast.Call) -> list[tuple[ast.expr, str]]:
    """A list's method that is called, with the heap's own in its place."""
    if not isinstance(node.func, ast.Attribute):
        return []
    owner = scene.text(node.func.value)
    if "heap" not in owner.lower():
        return []
    if node.func.attr in ("append", "insert") and node.args and owner != "heapq":
        return [(node, f"heapq.heappush({owner}, {scene.text(node.args[-1])})")]
    return [(node, f"heapq.heappop({owner})")] if node.func.attr == "pop" and owner != "heapq" else []
