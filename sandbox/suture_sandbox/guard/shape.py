"""The shape of a patch: its size, code made from text, packed data, and characters that hide what a text says."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Hit, Module, added, added_text, bound_names, changes, line_of, references, text_of, too_deep
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot

MAX_LINES = 2_000
MAX_BYTES = 512 * 1024
LONG_CODE_LINE, LONG_DATA_LINE = 1_000, 20_000

_CODE = re.compile(r"\.(py|pyi|pyw|js|jsx|ts|tsx|mjs|cjs|go|rs|java|kt|c|h|cc|cpp|hpp|cs|rb|php|sh|lua|swift)$")
_DYNAMIC = re.compile(
    r"(builtins\.)?(exec|eval|compile|__import__)|marshal\.loads?|types\.(FunctionType|CodeType)|code\.\w*[Ii]nteract\w*|"
    r"codecs\.(decode|encode)|zlib\.decompress|base64\.\w*decode\w*"
)
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u200b\u2060\ufeff\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029]")
_PACKED = re.compile(r"[A-Za-z0-9+/_=-]{160,}|(\\x[0-9a-fA-F]{2}){40,}")
_MIXED = re.compile("[a-zA-Z].*[\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f].*[a-zA-Z]")
_PADDED = re.compile(r"\S[ \t]{100,}\S|^[ \t]{200,}\S", re.MULTILINE)
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse what no developer would read or write."""
    yield from oversized(patch)
    for edit in patch.edits:
        yield from _encoding(edit)
    texts = [(edit.path, text_of(edit.before), text_of(edit.after)) for edit in patch.edits]
    for path, hit in added_text(texts, _characters):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=path, line=hit.line, message=hit.message)
    for edit in patch.edits:
        yield from _long_lines(edit)
    files = changes(patch)
    for change, hit in added(files, _dynamic):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def oversized(patch: Patch) -> Iterator[GuardFinding]:
    """Refuse a patch that is too large to be looked at; said before any other rule reads it."""
    lines = size = 0
    for edit in patch.edits:
        old = Counter((edit.before or b"").splitlines())
        new = Counter((edit.after or b"").splitlines())
        more, fewer = new - old, old - new
        lines += max(more.total(), fewer.total())
        size += sum(len(line) * count for line, count in (more + fewer).items())
    if lines > MAX_LINES or size > MAX_BYTES:
        yield GuardFinding(
            rule="shape-size",
            path=patch.edits[0].path,
            message=f"it changes {lines} lines and {size} bytes, more than {MAX_LINES} lines or {MAX_BYTES} bytes that a person can review",
        )


def _encoding(edit: FileEdit) -> Iterator[GuardFinding]:
    if edit.path.endswith((".py", ".pyi", ".pyw")):
        old, new = _cookie(edit.before), _cookie(edit.after)
        if new != old and new not in ("", "utf-8", "utf8", "ascii", "us-ascii"):
            yield GuardFinding(
                rule="shape-encoding",
                path=edit.path,
                line=0,
                message=f"it makes Python read the file as {new}, so that its text hides what it does",
            )
        if too_deep(edit.after) and not too_deep(edit.before):
            yield GuardFinding(rule="shape-depth", path=edit.path, message="it is nested too deeply to be examined")


def _cookie(content: bytes | None) -> str:
    for line in (content or b"")[:4096].splitlines()[:2]:
        found = _COOKIE.match(line)
        if found:
            return found.group(1).decode("ascii", "replace").lower().replace("_", "-")
    return ""


def _characters(text: str) -> Iterator[Hit]:
    for number, line in enumerate(text.split("\n")):
        for found in _HIDDEN.finditer(line):
            code = f"U+{ord(found.group()):04X}"
            message = f"it adds the invisible character {code}, which can make a text look like something else"
            yield Hit(f"shape-characters:{code}", number, message)


def _long_lines(edit: FileEdit) -> Iterator[GuardFinding]:
    code = bool(_CODE.search(edit.path))
    limit = LONG_CODE_LINE if code else LONG_DATA_LINE
    old = set((edit.before or b"").splitlines())
    for number, line in enumerate((edit.after or b"").splitlines()):
        if line in old:
            continue
        if len(line) > limit:
            yield GuardFinding(rule="shape-long-line", path=edit.path, line=number, message=f"it adds a line of {len(line)} characters")
            return
        text = line.decode("utf-8", "replace")
        if code and _PACKED.search(text):
            yield GuardFinding(rule="shape-packed", path=edit.path, line=number, message="it adds packed data that a person cannot read")
            return
        if code and _PADDED.search(text):
            yield GuardFinding(
                rule="shape-padding", path=edit.path, line=number, message="it hides code to the right of a long run of blanks"
            )
            return


def _dynamic(module: Module) -> Iterator[Hit]:
    own = bound_names(module)
    calls = [node for node in module.nodes if isinstance(node, ast.Call) and node.args]
    called = frozenset(id(call.func) for call in calls)
    literal_calls = frozenset(id(call.func) for call in calls if isinstance(call.args[0], ast.Constant))
    for name, node in references(module):
        if isinstance(node, ast.Name) and node.id in own and node.id not in module.imports:
            continue
        if _DYNAMIC.fullmatch(name) and not _harmless(name, node, called, literal_calls):
            yield Hit(f"shape-dynamic:{name}", line_of(node), f"it adds {name}, which runs or unpacks what a reader cannot see")
    for node in module.nodes:
        if isinstance(node, ast.Name) and not node.id.isascii() and _MIXED.search(node.id):
            yield Hit("shape-characters:name", line_of(node), f"it uses the name {node.id}, whose letters only look like others")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.isascii() and _MIXED.search(node.name):
            yield Hit("shape-characters:name", line_of(node), f"it defines the name {node.name}, whose letters only look like others")


def _harmless(name: str, node: ast.AST, called: frozenset[int], literal_calls: frozenset[int]) -> bool:
    """Decoding a value is what programs do, only a literal that is decoded is packed code; a type may be asked for, not called."""
    if name.startswith("types."):
        return id(node) not in called
    return name.startswith(("base64.", "codecs.", "zlib.")) and id(node) not in literal_calls
