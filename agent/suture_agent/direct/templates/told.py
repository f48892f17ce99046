"""What the failure's own words ask for: an undefined name, an attribute that is not there, an unknown argument, a wrong type."""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Iterable

from suture_agent.direct.templates.scene import SURE, Found, Scene, local_names, nodes
from suture_sandbox.text import lines_with_ends


def missing_names(said: str) -> set[str]:
    """The names of which a message says that they are not defined."""
    return _names_in(r"[Nn]ame ['\"](\w+)['\"] is not defined|[`\"](\w+)[`\"] is not defined|Undefined name `(\w+)`", said)


def undefined(scene: Scene) -> Found:
    """`name 'x' is not defined`: the name that was meant, an attribute of the object, or an import."""
    missing = missing_names(scene.said)
    meant = re.findall(r"[Dd]id you mean:? ['\"]?(?:self\.)?(\w+)", scene.said)
    for node in nodes(scene, ast.Name):
        if node.id not in missing:
            continue
        line = node.lineno - 1
        known = [*local_names(scene), *scene.around.functions, *scene.around.constants]
        for other in dict.fromkeys([*meant, *_like(node.id, known)]):
            if other != node.id:
                yield scene.swap_all([(each, other) for each in nodes(scene, ast.Name) if each.id == node.id]), line, SURE
        if "." in scene.unit.name:
            for other in dict.fromkeys([node.id, *_like(node.id, [*scene.around.fields, *scene.around.members])]):
                yield scene.swap(node, f"self.{other}"), line, SURE if other in scene.around.fields else 0.8
        for other in local_names(scene):
            yield scene.swap(node, other), line, 0.6
        if node.id in ("List", "Dict", "Set", "Tuple", "Type", "FrozenSet"):
            yield scene.swap(node, node.id.lower()), line, SURE
        for module, names in scene.around.modules.items():
            if node.id in names and scene.body:
                yield scene.insert(scene.body[0].lineno - 1, f"from {module} import {node.id}"), line, 0.9


def attributes(scene: Scene) -> Found:
    """`has no attribute 'x'`: an attribute of a similar name, or the one that is suggested."""
    missing = set(re.findall(r"has no attribute ['\"](\w+)['\"]", scene.said)) | set(
        re.findall(r"attribute \"(\w+)\" (?:for|is un)", scene.said)
    )
    meant = re.findall(r"(?:[Dd]id you mean:?|maybe) ['\"]?(\w+)", scene.said)
    standard = {name for kind in (str, bytes, list, dict, set, int, float, tuple) for name in dir(kind) if not name.startswith("_")}
    for node in nodes(scene, ast.Attribute):
        if node.attr in missing:
            owner = scene.text(node.value)
            local = [*scene.around.members, *scene.around.fields]
            for other in dict.fromkeys([*meant, *_like(node.attr, local), *_like(node.attr, sorted(standard))]):
                if other != node.attr:
                    yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, SURE if other in (*meant, *local) else 1.2
            for other in scene.around.members:
                yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, 0.7
            if "'NoneType'" not in scene.said and isinstance(node.ctx, ast.Load):
                yield scene.swap(node.value, f"({owner} or {{}})"), node.lineno - 1, 0.2
                yield scene.swap(node, f'{owner}["{node.attr}"]'), node.lineno - 1, 0.6


def called(scene: Scene) -> Found:
    """A method that is not called, or an attribute that is."""
    function = set(
        re.findall(
            r"'(?:builtin_function_or_method|method|function)'|bound method|function object|\"(?:def |Callable\[|\([^\"]*\) -> )",
            scene.said,
        )
    )
    callable_ = "is not callable" in scene.said
    calls = {id(node.func): node for node in nodes(scene, ast.Call)}
    read: list[ast.Attribute | ast.Name] = [*nodes(scene, ast.Attribute), *nodes(scene, ast.Name)]
    for node in read:
        if not isinstance(node.ctx, ast.Load):
            continue
        call = calls.get(id(node))
        if call is None and function:
            yield scene.swap(node, f"{scene.text(node)}()"), node.lineno - 1, 1.2
        elif call is None and isinstance(node, ast.Attribute) and node.attr in scene.around.methods:
            yield scene.swap(node, f"{scene.text(node)}()"), node.lineno - 1, 0.7
        elif call is not None and callable_ and not call.args:
            yield scene.swap(call, scene.text(node)), node.lineno - 1, 1.5
        elif call is not None and callable_ and len(call.args) == 1:
            yield scene.swap(call, f"{scene.text(node)}[{scene.text(call.args[0])}]"), node.lineno - 1, 1.0
    if "not subscriptable" in scene.said:
        for item in nodes(scene, ast.Subscript):
            yield scene.swap(item, f"{scene.text(item.value)}({scene.text(item.slice)})"), item.lineno - 1, 0.8
            yield scene.swap(item.value, f"list({scene.text(item.value)})"), item.lineno - 1, 0.8


def keywords(scene: Scene) -> Found:
    """`unexpected keyword argument 'x'`: a call's keyword under the name that the function knows, or left out."""
    unknown = _unknown_keywords(scene)
    for node in nodes(scene, ast.Call):
        function = scene.text(node.func)
        have = {each.arg for each in node.keywords}
        free = [each for each in scene.around.functions.get(function.rsplit(".", 1)[-1], ())[len(node.args) :] if each not in have]
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg not in unknown:
                continue
            value, line = scene.text(keyword.value), node.lineno - 1
            for other in dict.fromkeys([*_like(keyword.arg, free), *free]):
                yield scene.swap(keyword, f"{other}={value}"), line, SURE
            kept = [scene.text(each) for each in (*node.args, *node.keywords) if each is not keyword]
            yield scene.swap(node, f"{function}({', '.join(kept)})"), line, 1.0
            yield scene.swap(node, f"{function}({', '.join([value, *kept])})"), line, 0.6


def positional(scene: Scene) -> Found:
    """`takes 2 positional arguments but 3 were given`: a call with one argument less."""
    for node in nodes(scene, ast.Call) if "positional argument" in scene.said else ():
        for left_out in node.args if len(node.args) > 1 else ():
            kept = [scene.text(each) for each in (*node.args, *node.keywords) if each is not left_out]
            yield scene.swap(node, f"{scene.text(node.func)}({', '.join(kept)})"), node.lineno - 1, 0.6


def parameters(scene: Scene) -> Found:
    """A definition that lacks `self`, calls a parameter otherwise than its callers do, or asks for one that they leave out."""
    function = scene.function
    if function is None:
        return
    absent = re.findall(r"missing \d+ required (?:positional|keyword-only) arguments?: (.+)", scene.said)
    needed = [name for text in absent for name in re.findall(r"'(\w+)'", text)]
    line = function.lineno - 1
    if needed == ["self"] or "takes 0 positional arguments but 1" in scene.said:
        lines = lines_with_ends(scene.source)
        opening = "(self, " if function.args.args else "(self"
        yield "".join([*lines[:line], lines[line].replace("(", opening, 1), *lines[line + 1 :]]), line, SURE
        yield f"@staticmethod\n{scene.source}", line, 1.2
    own = [*function.args.args, *function.args.kwonlyargs]
    for name in sorted(_unknown_keywords(scene)):
        for other in _like(name, [each.arg for each in own])[:2]:
            yield re.sub(rf"\b{re.escape(other)}\b", name, scene.source), line, 1.0
    for argument in own:
        if argument.arg in needed:
            yield scene.swap(argument, f"{scene.text(argument)}{' = ' if argument.annotation else '='}None"), argument.lineno - 1, 0.8


def _unknown_keywords(scene: Scene) -> set[str]:
    return _named(r"[Uu]nexpected keyword argument ['\"](\w+)['\"]|No parameter named \"(\w+)\"", scene)


def _named(pattern: str, scene: Scene) -> set[str]:
    """The names that a pattern's groups find in the message."""
    return _names_in(pattern, scene.said)


def _names_in(pattern: str, said: str) -> set[str]:
    found: list[str | tuple[str, ...]] = re.findall(pattern, said)
    return {name for each in found for name in ((each,) if isinstance(each, str) else each) if name}


def keys(scene: Scene) -> Found:
    """`KeyError: 'x'`: a key of a similar name."""
    missing = set(re.findall(r"KeyError: ['\"]([^'\"]+)['\"]|has no key ['\"]([^'\"]+)['\"]|\"([^\"]+)\" is not a defined key", scene.said))
    missing = {name for found in missing for name in found if name}
    texts = sorted(
        {node.value for node in nodes(scene, ast.Constant) if isinstance(node.value, str)} | {*scene.around.fields, *scene.around.members}
    )
    for node in nodes(scene, ast.Constant):
        if isinstance(node.value, str) and node.value in missing:
            for other in _like(node.value, texts):
                if other != node.value:
                    yield scene.swap(node, repr(other)), node.lineno - 1, 1.5
    for item in nodes(scene, ast.Subscript):
        if "KeyError" in scene.said and isinstance(item.ctx, ast.Load) and not isinstance(item.slice, ast.Constant | ast.Slice):
            for wrap in ("str({})", "int({})", "{}.lower()", "{}.strip()", "{}.upper()", "tuple({})"):
                yield scene.swap(item.slice, wrap.format(scene.text(item.slice))), item.lineno - 1, 0.7


def imports(scene: Scene) -> Found:
    """`cannot import name`: what the module calls it, or the module that has it."""
    missing = _named(r"cannot import name '(\w+)'|\"(\w+)\" is unknown import symbol|Module \"[^\"]+\" has no attribute \"(\w+)\"", scene)
    for node in nodes(scene, ast.ImportFrom):
        for alias in node.names:
            if alias.name in missing:
                yield from _other_names(scene, node, alias)
                yield from _other_homes(scene, node, alias)


def _other_names(scene: Scene, node: ast.ImportFrom, alias: ast.alias) -> Found:
    """Names that the module does define: one that the file uses and never binds, a similar one, any."""
    module = node.module or ""
    homes = [names for name, names in scene.around.modules.items() if name == module or name.endswith(f".{module}")]
    defined = [name for names in homes for name in names]
    local = alias.asname or alias.name
    unbound = [name for name in scene.around.unbound if name in defined]
    similar = _like(alias.name, defined)
    for other in dict.fromkeys([*unbound, *similar, *defined]):
        if other != local:
            weight = SURE if other in (*unbound, *similar) else 0.6
            yield scene.swap(alias, other if other in unbound else f"{other} as {local}"), node.lineno - 1, weight


def _other_homes(scene: Scene, node: ast.ImportFrom, alias: ast.alias) -> Found:
    """Modules of the workspace that define the name; the import without it."""
    kept = ", ".join(scene.text(each) for each in node.names if each is not alias)
    rest = f"from {'.' * node.level}{node.module or ''} import {kept}"
    for name, names in scene.around.modules.items():
        if alias.name in names:
            added = f"from {name} import {scene.text(alias)}"
            yield scene.swap(node, f"{rest}\n{added}" if kept else added), node.lineno - 1, SURE
    if kept:
        yield scene.swap(node, rest), node.lineno - 1, 0.5


def modules(scene: Scene) -> Found:
    """`No module named`: the module of the workspace or of the standard library that was meant."""
    gone = _named(r"No module named '([\w.]+)'|Cannot find .*module named \"([\w.]+)\"|Import \"([\w.]+)\" could not", scene)
    for node in nodes(scene, ast.ImportFrom):
        module = node.module or ""
        if module and any(each == module or each.endswith(f".{module}") for each in gone):
            rest = scene.text(node).split(" import ", 1)[-1]
            for other in _modules_like(scene, module, [alias.name for alias in node.names]):
                yield scene.swap(node, f"from {other} import {rest}"), node.lineno - 1, SURE
            if node.level == 0:
                yield scene.swap(node, f"from .{module} import {rest}"), node.lineno - 1, 1.0
    for plain in nodes(scene, ast.Import):
        for alias in plain.names:
            for other in _modules_like(scene, alias.name, []) if alias.name in gone else ():
                yield scene.swap(alias, f"{other} as {alias.asname or alias.name.split('.')[0]}"), plain.lineno - 1, SURE


def relative(scene: Scene) -> Found:
    """`No module named 'x'`: a relative import of what lies beside this module, or one from another level."""
    missing = set(re.findall(r"No module named '([\w.]+)'", scene.said))
    for node in nodes(scene, ast.ImportFrom):
        names = scene.text(node).partition(" import ")[2]
        if node.module in missing and not node.level:
            yield scene.swap(node, f"from .{node.module} import {names}"), node.lineno - 1, SURE
        if node.level:
            for level in (node.level - 1, node.level + 1):
                if level:
                    yield scene.swap(node, f"from {'.' * level}{node.module or ''} import {names}"), node.lineno - 1, 1.2


def _like(name: str, others: Iterable[str]) -> list[str]:
    """Names that resemble it, most similar first."""
    known = [other for other in dict.fromkeys(others) if other != name]
    words = set(name.lower().split("_")) - {"get", "set", "is", "to"}
    sharing = [other for other in known if words & set(other.lower().split("_"))]
    return list(dict.fromkeys([*difflib.get_close_matches(name, known, n=3, cutoff=0.55), *sharing[:3]]))


def _modules_like(scene: Scene, module: str, names: list[str]) -> list[str]:
    """Modules of the workspace or of the standard library that may be meant: those that have the names, end alike, or look alike."""
    offered = scene.around.modules
    having = [each for each, defined in offered.items() if names and set(names) <= set(defined)]
    alike = [each for each in offered if each.rsplit(".", 1)[-1] == module.rsplit(".", 1)[-1]]
    close = difflib.get_close_matches(module, [*offered, *sys.stdlib_module_names], n=3, cutoff=0.6)
    return list(dict.fromkeys([*having, *alike, *close]))[:5]
