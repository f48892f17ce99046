"""What is written in a string: a regular expression, an encoding, the shape of what is put in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from suture_agent.direct.templates.scene import Found, Scene, nodes, within

_OPENING = re.compile(r"(?i)r?('''|\"\"\"|'|\")")
_LOOKS_REGULAR = re.compile(r"[\\\[(.^$]")
_FLAGS = ("re.IGNORECASE", "re.MULTILINE", "re.DOTALL")
_FUNCTIONS = frozenset({"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"})
_CLASSES = {
    "[a-z]": "[a-zA-Z]",
    "[A-Z]": "[A-Za-z]",
    "[a-zA-Z]": "[a-zA-Z0-9]",
    "[A-Za-z]": "[A-Za-z0-9]",
    "[1-9]": "[0-9]",
    "[0-8]": "[0-9]",
}
_CODES = ("utf-8", "utf-8-sig", "latin-1", "cp1252", "ascii", "utf-16")
_ERRORS = ("strict", "replace", "ignore", "backslashreplace", "surrogateescape")


def groups(scene: Scene) -> Found:
    """A regular expression: a group that should not be one or should, parts that are optional, whole words, wider classes."""
    for node in nodes(scene, ast.Constant):
        text = scene.text(node)
        head = _OPENING.match(text)
        if not isinstance(node.value, str) or head is None or not _LOOKS_REGULAR.search(node.value):
            continue
        slash = "\\" if text[0] in "rR" else "\\\\"
        start, end = head.end(), len(text) - len(head[1])
        for inner, weight in _regular(text[start:end], slash):
            yield scene.swap(node, f"{text[:start]}{inner}{text[end:]}"), node.lineno - 1, weight


def _regular(inner: str, slash: str) -> Iterator[tuple[str, float]]:
    """Other regular expressions for one; `slash` is a backslash as the string writes it."""
    for found in re.finditer(r"(?<!\\)\((?!\?)", inner):
        yield f"{inner[: found.end()]}?:{inner[found.end() :]}", 0.9
    for found in re.finditer(r"\(\?:", inner):
        yield f"{inner[: found.start()]}({inner[found.end() :]}", 0.7
    for found in re.finditer(r"(?<![\\(])[\])](?![*+?{])", inner):
        yield f"{inner[: found.end()]}?{inner[found.end() :]}", 0.5
    for found in re.finditer(r"(?<=[\])\w])\?", inner):
        yield f"{inner[: found.start()]}{inner[found.end() :]}", 0.4
    for found in re.finditer(r"\{(\d{1,9})(,?)(\d{0,9})\}", inner):
        low, comma, high = int(found[1]), found[2], found[3]
        others = [f"{low + 1}{comma}{high}", f"{max(0, low - 1)}{comma}{high}", f"{low},", f"1,{high or low}"]
        others += [f"{low},{int(high) + 1}", f"{low},{int(high) - 1}"] if high else []
        for other in others:
            yield f"{inner[: found.start()]}{{{other}}}{inner[found.end() :]}", 0.6
    yield from _widened(inner, slash)
    for swapped in _reordered(inner):
        yield swapped, 0.9


_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|.", re.DOTALL)


def _reordered(inner: str) -> Iterator[str]:
    """Two alternatives of a regular expression in the other order: the first that fits is taken, though a later one is longer."""
    depth, opened = 0, {0: [0]}
    ends: list[tuple[int, int, int]] = []
    for piece in _PIECE.finditer(inner):
        if piece[0] == "(":
            depth += 1
            start = piece.end() + 2 if inner.startswith("?:", piece.end()) else piece.end()
            opened[depth] = [start]
        elif piece[0] == "|":
            opened[depth].append(piece.end())
        elif piece[0] == ")" and depth:
            ends += _adjacent(opened.pop(depth), piece.start())
            depth -= 1
    ends += _adjacent(opened[0], len(inner))
    for start, middle, end in ends:
        one, other = inner[start : middle - 1], inner[middle:end]
        first, second = (re.split(r"\s#", each)[0].strip() for each in (one, other))
        if first and second:
            yield inner[:start] + one.replace(first, second, 1) + "|" + other.replace(second, first, 1) + inner[end:]


def _adjacent(starts: list[int], end: int) -> list[tuple[int, int, int]]:
    """Start of one alternative, start of the next, and its end."""
    return [(start, after, stop) for start, after, stop in zip(starts, starts[1:], [*(each - 1 for each in starts[2:]), end], strict=False)]


def _widened(inner: str, slash: str) -> Iterator[tuple[str, float]]:
    """Whole words only, more characters, a sign, any white space."""
    if not inner.startswith(("^", f"{slash}b")) and not inner.endswith(("$", f"{slash}b")):
        yield f"{slash}b{inner}{slash}b", 0.7
        yield f"{slash}b(?:{inner}){slash}b", 0.5
    for narrow, wide in _CLASSES.items():
        for found in re.finditer(re.escape(narrow), inner):
            yield f"{inner[: found.start()]}{wide}{inner[found.end() :]}", 0.6
    for found in re.finditer(r"\\+w", inner):
        yield f"{inner[: found.start()]}[{found[0]}-]{inner[found.end() :]}", 0.6
        yield f"{inner[: found.start()]}[{found[0]}.-]{inner[found.end() :]}", 0.5
    for found in re.finditer(r"\\+d", inner):
        yield f"{inner[: found.start()]}-?{inner[found.start() :]}", 0.6
    for found in re.finditer(r" ", inner):
        yield f"{inner[: found.start()]}{slash}s*{inner[found.end() :]}", 0.4
        yield f"{inner[: found.start()]}{slash}s+{inner[found.end() :]}", 0.4


def flags(scene: Scene) -> Found:
    """A flag of a regular expression that is missing; text of somebody else's that is taken for a pattern."""
    for node in nodes(scene, ast.Call):
        module, _, name = scene.text(node.func).rpartition(".")
        if module != "re" or name not in _FUNCTIONS or not node.args:
            continue
        text, line = scene.text(node), node.lineno - 1
        inside = text[:-1].rstrip().removesuffix(",")
        for flag in _FLAGS:
            if "flags=" not in text and "re.I" not in text and "re.M" not in text:
                yield scene.swap(node, f"{inside}, flags={flag})"), line, 0.6
        pattern = node.args[0]
        if isinstance(pattern, ast.Name | ast.Attribute | ast.Subscript):
            yield scene.swap(pattern, f"re.escape({scene.text(pattern)})"), line, 0.9
        for part in within(pattern, ast.FormattedValue):
            value = scene.text(part.value)
            if value and "re.escape" not in value and scene.text(pattern).count(f"{{{value}}}") == 1:
                yield scene.swap(pattern, scene.text(pattern).replace(f"{{{value}}}", f"{{re.escape({value})}}")), line, 0.9
        for joined in within(pattern, ast.BinOp):
            for side in (joined.left, joined.right):
                if isinstance(side, ast.Name | ast.Attribute):
                    yield scene.swap(side, f"re.escape({scene.text(side)})"), line, 0.9


def encodings(scene: Scene) -> Found:
    """Another encoding, or one where none is named; what happens to what does not fit; how lines end."""
    for constant in nodes(scene, ast.Constant):
        if isinstance(constant.value, str) and constant.value.lower() in {*_CODES, "utf8"}:
            for code in _CODES:
                if code != constant.value.lower():
                    yield scene.swap(constant, f'"{code}"'), constant.lineno - 1, 0.9
        if isinstance(constant.value, str) and constant.value in _ERRORS:
            for other in _ERRORS:
                if other != constant.value:
                    yield scene.swap(constant, f'"{other}"'), constant.lineno - 1, 0.7
    for node in nodes(scene, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1:
            yield scene.swap(node.args[0], f"{scene.text(node.args[0])}.encode()"), node.lineno - 1, 0.4


def opened(scene: Scene) -> Found:
    """How a file is opened or a text is encoded where nothing is said of it."""
    for node in nodes(scene, ast.Call):
        name = scene.text(node.func).rsplit(".", 1)[-1]
        text, line, given = scene.text(node), node.lineno - 1, {each.arg for each in node.keywords}
        opens = name in ("open", "read_text", "write_text")
        if not (opens or name in ("encode", "decode")) or None in given:
            continue
        inside = text[:-1].rstrip().removesuffix(",")
        comma = ", " if node.args or node.keywords else ""
        if opens and "encoding" not in given:
            yield scene.swap(node, f'{inside}{comma}encoding="utf-8")'), line, 0.8
            yield scene.swap(node, f'{inside}{comma}encoding="utf-8-sig")'), line, 0.5
        if name == "open" and "newline" not in given:
            yield scene.swap(node, f'{inside}{comma}newline="")'), line, 0.6
        if "errors" not in given:
            for errors in ("replace", "ignore"):
                yield scene.swap(node, f'{inside}{comma}errors="{errors}")'), line, 0.5


_FIELD = re.compile(r"(?<!\{)\{([^{}:!]+)(![rsa])?(?::([^{}]*))?\}(?!\})")
_SHAPES = (".2f", ".1f", ".0f", "02d", "03d", ",", ",.2f")


def shapes(scene: Scene) -> Found:
    """How a value is put into a text: how many digits, how wide, to which side."""
    for node in nodes(scene, ast.JoinedStr):
        text = scene.text(node)
        fields = list(_FIELD.finditer(text))
        for form in ("02", "02x", ".2f") if len(fields) > 1 else ():
            for start in (0, fields[0].end()):  # all of them, all but the first
                made = _FIELD.sub(rf"{{\1\2:{form}}}", text[start:])
                yield scene.swap(node, text[:start] + made), node.lineno - 1, 0.5
        for found in _FIELD.finditer(text):
            name, form = f"{found[1]}{found[2] or ''}", found[3] or ""
            others = [*_respecified(form)] if form else [(other, 0.35) for other in _SHAPES]
            for other, weight in others:
                field = f"{{{name}:{other}}}" if other else f"{{{name}}}"
                yield scene.swap(node, f"{text[: found.start()]}{field}{text[found.end() :]}"), node.lineno - 1, weight
            if not found[2]:
                changed = f"{{{found[1]}!r{f':{form}' if form else ''}}}"
                yield scene.swap(node, f"{text[: found.start()]}{changed}{text[found.end() :]}"), node.lineno - 1, 0.4


def _respecified(form: str) -> Iterator[tuple[str, float]]:
    """Other format specifications for one."""
    sides = "<>^"
    for side in sides:
        for other in sides if side in form else "":
            if other != side:
                yield form.replace(side, other), 0.7
    if form[:1].isdigit():
        yield (form[1:] if form.startswith("0") else f"0{form}"), 0.7
        yield f">{form}", 0.5
        yield f"<{form}", 0.5
    for found in re.finditer(r"(?<!\d)\d{1,9}(?!\d)", form):
        for number in (int(found[0]) + 1, int(found[0]) - 1):
            width = f"{number}".zfill(len(found[0])) if found[0].startswith("0") else f"{number}"
            if number >= 0:
                yield f"{form[: found.start()]}{width}{form[found.end() :]}", 0.7
    if "," not in form and form[-1:] in ("f", "d"):
        yield re.sub(r"(\.\d+)?[fd]$", lambda end: f",{end[0]}", form), 0.6
    yield "", 0.4
