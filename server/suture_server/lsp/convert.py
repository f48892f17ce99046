"""From suture's records to LSP's: findings to diagnostics, patches to workspace edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path, to_fs_path

from suture_sandbox.align import changes
from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import Encoding, Position, convert, lines_with_ends, units
from suture_server.lsp.client import Abilities
from suture_server.lsp.documents import Document
from suture_server.lsp.findings import Tracked
from suture_server.lsp.renames import renamed

SOURCE = "suture"
SEVERITIES: Mapping[str, types.DiagnosticSeverity] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "information": types.DiagnosticSeverity.Information,
}
UNUSED = frozenset({"F401", "F811", "F841", "reportUnusedImport", "reportUnusedVariable", "reportUnusedClass", "reportUnusedFunction"})
DEPRECATED = frozenset({"deprecated", "reportDeprecated", "UP005", "UP019", "UP035"})
Operation = types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile
ANNOTATION = "suture"
MARK = "\ufeff"
MOST_RELATED = 20
LONGEST_MESSAGE = 2000

LineOf = Callable[[str, int], str]
"""Workspace path and number of a line -> its text, as far as it is known; for the client's encoding."""


def path_of(uri: str) -> str | None:
    """The absolute path of a `file:` address; None for any other."""
    if not uri.startswith("file:"):
        return None
    try:
        path = to_fs_path(uri)
    except ValueError:
        return None
    return path if path and "\0" not in path else None


def uri_of(path: Path) -> str:
    """The address of a file."""
    uri = from_fs_path(str(path))
    assert uri is not None
    return str(uri)


def diagnostic(tracked: Tracked, path: str, root: Path, can: Abilities, line_of: LineOf) -> types.Diagnostic:
    """A finding as a diagnostic."""
    finding = tracked.finding
    return types.Diagnostic(
        range=_range(tracked.start, tracked.end, path, can.encoding, line_of),
        severity=SEVERITIES[finding.severity],
        code=finding.code or finding.check,
        source=SOURCE,
        message=message_of(finding),
        tags=_tags(finding, can) or None,
        related_information=_related(finding, root, can, line_of) or None,
        data={"check": finding.check, "mark": tracked.mark} if can.diagnostic_data else None,
    )


def message_of(finding: Finding) -> str:
    """What a diagnostic says; a test's own name first, since the place may be a helper's."""
    text = finding.message.strip() or finding.code or f"{finding.check} failed"
    text = text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
    return f"{finding.test.rpartition('::')[2]}: {text}" if finding.test else text


def _tags(finding: Finding, can: Abilities) -> list[types.DiagnosticTag]:
    tags = [types.DiagnosticTag.Unnecessary] if finding.code in UNUSED else []
    tags += [types.DiagnosticTag.Deprecated] if finding.code in DEPRECATED else []
    return [tag for tag in tags if int(tag) in can.tags]


def _related(finding: Finding, root: Path, can: Abilities, line_of: LineOf) -> list[types.DiagnosticRelatedInformation]:
    if not can.related:
        return []
    inside = [place for place in finding.related if place.path and not place.path.startswith("/")][-MOST_RELATED:]
    return [
        types.DiagnosticRelatedInformation(
            location=types.Location(
                uri=uri_of(root / place.path), range=_range(place.range.start, place.range.end, place.path, can.encoding, line_of)
            ),
            message=place.message or "here",
        )
        for place in inside
    ]


def _range(start: Position, end: Position, path: str, encoding: Encoding, line_of: LineOf) -> types.Range:
    return types.Range(start=_position(start, path, encoding, line_of), end=_position(end, path, encoding, line_of))


def _position(place: Position, path: str, encoding: Encoding, line_of: LineOf) -> types.Position:
    if encoding == "utf-16" or place.character == 0:
        return types.Position(line=place.line, character=place.character)
    line = line_of(path, place.line)
    return types.Position(line=place.line, character=convert(line, place.character, source="utf-16", target=encoding))


class Unsendable(Exception):
    """The client cannot take the edit."""


def workspace_edit(
    patch: Patch, root: Path, documents: Mapping[str, Document], can: Abilities, *, label: str = "", description: str = ""
) -> types.WorkspaceEdit:
    """A patch as an edit of the present text, which must be what the patch expects. Raises Unsendable.

    Files that are open are edited at their version; the others where they lie on the disk.
    """
    if not can.document_changes:
        return _plain_edit(patch, root, documents, can)
    annotation = ANNOTATION if can.annotations and label else None
    moves = _moves(patch, documents, can)
    operations: list[Operation] = []
    for edit in patch.edits:
        was = moves.get(edit)
        if was is not None:
            options = types.RenameFileOptions(overwrite=False)
            uris = uri_of(root / was.path), uri_of(root / edit.path)
            operations.append(types.RenameFile(*uris, options=options, annotation_id=annotation))
            left = FileEdit(path=edit.path, before=was.before, after=edit.after)
            operations += _on_file(left, root, None, can, annotation)
        elif edit not in moves.values():
            operations += _on_file(edit, root, documents.get(edit.path), can, annotation)
    notes = {ANNOTATION: types.ChangeAnnotation(label=label, needs_confirmation=False, description=description)} if annotation else None
    return types.WorkspaceEdit(document_changes=operations, change_annotations=notes)


def _moves(patch: Patch, documents: Mapping[str, Document], can: Abilities) -> Mapping[FileEdit, FileEdit]:
    """File that comes -> the one that it was. What is edited on its way has no version any more, so that an open one must not be."""
    if "rename" not in can.resource_operations:
        return {}
    return {new: old for new, old in renamed(patch.edits).items() if new.after == old.before or old.path not in documents}


def _on_file(edit: FileEdit, root: Path, document: Document | None, can: Abilities, annotation: str | None) -> Iterator[Operation]:
    """What happens to one file."""
    uri = uri_of(root / edit.path)
    if edit.before is None:
        _require(can, "create", edit)
        yield types.CreateFile(uri=uri, options=types.CreateFileOptions(overwrite=False), annotation_id=annotation)
    if edit.after is None:
        _require(can, "delete", edit)
        yield types.DeleteFile(uri=uri, annotation_id=annotation)
    elif edit.before != edit.after:
        version = document.version if document is not None else None
        named = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
        marked = document is not None and document.text.startswith(MARK)
        edits = [_annotated(each, annotation) for each in text_edits(edit, can.encoding, marked=marked)]
        if edits:
            yield types.TextDocumentEdit(text_document=named, edits=edits)


def text_edits(edit: FileEdit, encoding: Encoding, *, marked: bool = False) -> list[types.TextEdit]:
    """The text edits that turn a file's text before into the one after, by whole lines. Raises Unsendable for what is no text.

    `marked`: whether the editor counts the file's byte order mark as a character of its text, which most do not.
    """
    marked = marked or (edit.before is None and (edit.after or b"").startswith(MARK.encode()))  # a new file has only what it is given
    before, after = (
        f"{MARK if marked and content is not None else ''}{_decoded(content, edit.path)}" for content in (edit.before, edit.after)
    )
    old, new = lines_with_ends(before), lines_with_ends(after)
    return [
        types.TextEdit(
            range=types.Range(start=_line_start(old, each.start, encoding), end=_line_start(old, each.end, encoding)),
            new_text="".join(new[each.new_start : each.new_end]),
        )
        for each in changes(old, new)
    ]


def _line_start(lines: Sequence[str], number: int, encoding: Encoding) -> types.Position:
    """The start of a line; behind the last line the end of the text."""
    if number < len(lines) or not lines or lines[-1].endswith(("\n", "\r")):
        return types.Position(line=min(number, len(lines)), character=0)
    return types.Position(line=len(lines) - 1, character=units(lines[-1], encoding))


def _plain_edit(patch: Patch, root: Path, documents: Mapping[str, Document], can: Abilities) -> types.WorkspaceEdit:
    """For clients without versions: only files that exist, and stay."""
    edits: dict[str, Sequence[types.TextEdit]] = {}
    for edit in patch.edits:
        if edit.before is None or edit.after is None:
            raise Unsendable(f"this editor cannot {'create' if edit.before is None else 'delete'} files for a server ({edit.path})")
        document = documents.get(edit.path)
        marked = document is not None and document.text.startswith(MARK)
        edits[uri_of(root / edit.path)] = text_edits(edit, can.encoding, marked=marked)
    return types.WorkspaceEdit(changes=edits)


def _require(can: Abilities, operation: str, edit: FileEdit) -> None:
    if operation not in can.resource_operations:
        raise Unsendable(f"this editor cannot {operation} files for a server ({edit.path})")


def _annotated(edit: types.TextEdit, annotation: str | None) -> types.TextEdit | types.AnnotatedTextEdit:
    if annotation is None:
        return edit
    return types.AnnotatedTextEdit(range=edit.range, new_text=edit.new_text, annotation_id=annotation)


def _decoded(content: bytes | None, path: str) -> str:
    try:
        return (content or b"").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unsendable(f"{path} is not UTF-8, so an editor cannot be told what changes in it") from error
