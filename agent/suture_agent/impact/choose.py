"""Which tests a patch may break, read off a map: those that ran a function that it changes, then those that import what else it changes.

A change in a body, a signature or a docstring is its function's. Everything else of a file is import-time code: decorators, constants,
class bodies, imports. Such a change concerns every test whose module, through however many others, imports the file. The map says nothing
about a file that it does not know in this very text, so that a patch which touches one has no impacted tests.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable

import msgspec

from suture_agent.direct.units import first_line, parse
from suture_agent.impact.map import ImpactMap, MappedFile
from suture_sandbox.align import changes
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import lines_with_ends

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Impacted(msgspec.Struct, frozen=True):
    """Tests in two groups, each in the order in which they ran."""

    ran: tuple[str, ...] = ()
    """They ran a function that is changed."""
    imported: tuple[str, ...] = ()
    """Others: they import a file that is changed outside its functions."""


class Touched(msgspec.Struct, frozen=True):
    """What an edit changes in one text."""

    functions: frozenset[str]
    """Dotted names."""
    outside: bool
    """Whether something outside all functions is among it."""


def impacted(found: ImpactMap, patch: Patch) -> Impacted:
    """The tests that a patch may break; none where the map does not know all the files that it touches in this text."""
    known = {file.path: number for number, file in enumerate(found.files)}
    ran: set[int] = set()
    imported: set[int] = set()
    for edit in patch.edits:
        number = known.get(edit.path)
        if number is None or edit.before is None or hashlib.sha256(edit.before).hexdigest() != found.files[number].hash:
            return Impacted()
        lines, outside = _lines(edit, found.files[number])
        ran |= _ran(found.files[number], lines)
        if outside or not lines.isdisjoint(found.files[number].early):
            imported |= _importers(found, number)
    return Impacted(found.named(ran), found.named(imported - ran))


def worth_running(found: Impacted, tests: int) -> tuple[str, ...]:
    """Both groups, or the first one, or none: a stage before the whole check pays as long as it runs at most half of all tests."""
    groups = ((*found.ran, *found.imported), found.ran)
    return next((group for group in groups if 2 * len(group) <= tests), ())


def _lines(edit: FileEdit, file: MappedFile) -> tuple[set[int], bool]:
    """First lines, in the old text, of the functions that an edit changes, and whether it changes something else too."""
    old, new = _text(edit.before), _text(edit.after)
    tree = parse(old) if old is not None else None
    if old is None or new is None or tree is None:
        return set(file.functions), True
    before, after = lines_with_ends(old), lines_with_ends(new)
    different = changes(before, after)
    gone = [line for change in different for line in range(change.start, change.end)]
    come = [line for change in different for line in range(change.new_start, change.new_end)]
    places = _functions(tree)
    left = touched(places, before, gone)
    new_tree = parse(new)
    made = touched(_functions(new_tree), after, come) if new_tree is not None else Touched(frozenset(), outside=True)
    lines = {first_line(node) + 1 for name, node in places if name in left.functions | made.functions}
    return lines | (file.functions.keys() & {line + 1 for line in gone}), left.outside or made.outside


def _text(content: bytes | None) -> str | None:
    try:
        return content.decode("utf-8-sig") if content is not None else None
    except UnicodeDecodeError:
        return None


def _functions(tree: ast.Module) -> list[tuple[str, Function]]:
    """All functions with dotted names, outer before inner, those inside functions included."""
    found: list[tuple[str, Function]] = []
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                found.append((f"{prefix}{child.name}", child))
            inner = f"{prefix}{child.name}." if isinstance(child, Function | ast.ClassDef) else prefix
            waiting.append((inner, child))
    return sorted(found, key=lambda each: each[1].lineno)


def touched(functions: Iterable[tuple[str, Function]], lines: list[str], numbers: Iterable[int]) -> Touched:
    """What these lines (zero-based) belong to; blank lines and comments belong to nothing."""
    owner: dict[int, str] = {}
    for name, node in functions:  # an inner one after the one around it
        owner.update(dict.fromkeys(range(node.lineno - 1, node.end_lineno or node.lineno), name))
    telling = [number for number in numbers if lines[number].strip() and not lines[number].lstrip().startswith("#")]
    return Touched(
        functions=frozenset(owner[number] for number in telling if number in owner),
        outside=any(number not in owner for number in telling),
    )


def _ran(file: MappedFile, lines: Iterable[int]) -> set[int]:
    pairs = [file.functions.get(line, ()) for line in lines]
    spans = [(each[place], each[place + 1]) for each in pairs for place in range(0, len(each), 2)]
    return {test for first, last in spans for test in range(first, last + 1)}


def _importers(found: ImpactMap, number: int) -> set[int]:
    """Tests whose file is this one or imports it, through others too."""
    above: dict[int, list[int]] = {}
    for importer, file in enumerate(found.files):
        for reached in file.imports:
            above.setdefault(reached, []).append(importer)
    seen, waiting = {number}, [number]
    while waiting:
        for importer in above.get(waiting.pop(), ()):
            if importer not in seen:
                seen.add(importer)
                waiting.append(importer)
    return {test for test, home in enumerate(found.homes) if home in seen}
