"""Edits and diagnostics as an editor would read them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lsprotocol import types

from suture_sandbox.findings import Finding, Place
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import Position, Range
from suture_server.lsp import convert
from suture_server.lsp.client import Abilities
from suture_server.lsp.documents import Document
from suture_server.lsp.findings import Tracked
from suture_server.lsp.renames import renamed

ROOT = Path("/work space/100%")
MARK = "\ufeff"
WIDTHS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
ENCODINGS = st.sampled_from(sorted(WIDTHS))
LINES = st.lists(
    st.sampled_from(["a\n", "b\r\n", "c\r", "\n", "\u2028\x0c\n", "\U0001f600é\n", "", "d", "\U0001f600", f"{MARK}e\n"]), max_size=8
)
TEXTS = LINES.map("".join) | st.text("ab\r\n\U0001f600\x0c", max_size=20)
BASE = "file:///work%20space/100%25"
ALL = Abilities(document_changes=True, resource_operations=frozenset({"create", "delete"}), annotations=True)
MOVING = msgspec.structs.replace(ALL, resource_operations=frozenset({"create", "delete", "rename"}))


def applied(text: str, edits: list[types.TextEdit], encoding: str) -> str:
    """As LSP says: all edits refer to the text before, and do not overlap."""
    places = [(offset(text, each.range.start, encoding), offset(text, each.range.end, encoding), each.new_text) for each in edits]
    for (_, end, _), (start, _, _) in itertools.pairwise(places):
        assert end <= start
    for start, end, new in reversed(places):
        text = text[:start] + new + text[end:]
    return text


def offset(text: str, place: types.Position, encoding: str) -> int:
    """Strict: an editor may refuse a place that its text does not have."""
    starts = [0, *(end.end() for end in re.finditer("\r\n|\r|\n", text))]
    start = starts[place.line]
    line = re.split("\r|\n", text[start:], maxsplit=1)[0]
    codec, width = WIDTHS[encoding]
    raw = line.encode(codec)[: place.character * width]
    assert len(raw) == place.character * width
    return start + len(raw.decode(codec))


@given(before=TEXTS, after=TEXTS, encoding=ENCODINGS)
@example(before="a", after="a\nb", encoding="utf-8")
@example(before="a\r", after="a\r\n", encoding="utf-16")
@example(before="\U0001f600", after="", encoding="utf-16")
def test_the_edits_give_the_text_after(before: str, after: str, encoding: str):
    before, after = before.lstrip(MARK), after.lstrip(MARK)
    edits = convert.text_edits(FileEdit(path="a.py", before=before.encode(), after=after.encode()), encoding)
    assert applied(before, edits, encoding) == after
    assert bool(edits) == (before != after)


@given(before=TEXTS, after=TEXTS, encoding=ENCODINGS, marked=st.booleans())
def test_a_byte_order_mark_stays_where_it_is(before: str, after: str, encoding: str, marked: bool):
    before, after = before.lstrip(MARK), after.lstrip(MARK)
    shown = MARK if marked else ""
    edit = FileEdit(path="a.py", before=(MARK + before).encode(), after=(MARK + after).encode())
    edits = convert.text_edits(edit, encoding, marked=marked)
    assert applied(shown + before, edits, encoding) == shown + after


@given(text=TEXTS, encoding=ENCODINGS)
def test_a_new_file_is_what_was_proven_byte_for_byte(text: str, encoding: str):
    edits = convert.text_edits(FileEdit(path="a.py", before=None, after=text.encode()), encoding)
    assert applied("", edits, encoding) == text


def test_what_is_no_text_cannot_be_sent():
    with pytest.raises(convert.Unsendable, match=r"a\.bin is not UTF-8"):
        convert.text_edits(FileEdit(path="a.bin", before=b"\xff\xfe", after=b"x"), "utf-16")


CHANGE = FileEdit(path="a.py", before=b"x\n", after=b"y\n")
CREATE = FileEdit(path="new/b.py", before=None, after=b"z\n")
EMPTY = FileEdit(path="new/__init__.py", before=None, after=b"")
DELETE = FileEdit(path="old.py", before=b"o\n", after=None)


def test_files_are_changed_created_and_deleted_in_order():
    document = Document("file:///a.py", "python", 7, "x\n")
    patch = Patch((CHANGE, CREATE, EMPTY, DELETE))
    edit = convert.workspace_edit(patch, ROOT, {"a.py": document}, ALL, label="Fix", description="why")
    change, create, text, empty, delete = edit.document_changes
    assert change.text_document == types.OptionalVersionedTextDocumentIdentifier(uri="file:///work%20space/100%25/a.py", version=7)
    assert [each.annotation_id for each in change.edits] == ["suture"]
    assert (create.kind, create.uri, create.options.overwrite) == ("create", "file:///work%20space/100%25/new/b.py", False)
    assert (text.text_document.uri, text.text_document.version, text.edits[0].new_text) == (create.uri, None, "z\n")
    assert (empty.kind, empty.uri) == ("create", "file:///work%20space/100%25/new/__init__.py")
    assert (delete.kind, delete.annotation_id) == ("delete", "suture")
    assert edit.change_annotations == {"suture": types.ChangeAnnotation(label="Fix", needs_confirmation=False, description="why")}
    assert edit.changes is None


EIGHT = "".join(f"line {number}\n" for number in range(8))


def moving(before: str | bytes, after: str | bytes, *, name: str = "new.py") -> tuple[FileEdit, FileEdit]:
    old, new = (each.encode() if isinstance(each, str) else each for each in (before, after))
    return FileEdit(path=name, before=None, after=new), FileEdit(path="old.py", before=old, after=None)


CHANGED = EIGHT.replace("line 3", "LINE 3")
OPENED = {"old.py": Document(f"{BASE}/old.py", "python", 7, EIGHT)}


@pytest.mark.parametrize(("after", "text", "opened"), [(EIGHT, [], {}), (EIGHT, [], OPENED), (CHANGED, ["LINE 3\n"], {})])
def test_a_file_that_moves_is_renamed_and_what_changes_in_it_is_edited_there(after: str, text: list[str], opened: dict[str, Document]):
    edit = convert.workspace_edit(Patch(moving(EIGHT, after)), ROOT, opened, MOVING, label="Fix")
    rename, *edits = edit.document_changes
    assert (rename.kind, rename.old_uri, rename.new_uri) == ("rename", f"{BASE}/old.py", f"{BASE}/new.py")
    assert (rename.options.overwrite, rename.annotation_id) == (False, "suture")
    assert [(each.text_document.uri, each.text_document.version) for each in edits] == [(f"{BASE}/new.py", None)] * len(text)
    assert [each.new_text for one in edits for each in one.edits] == text


def test_the_most_alike_are_the_same_file_and_each_only_once():
    same, other = moving(EIGHT, EIGHT, name="same.py")[0], moving(EIGHT, f"{EIGHT}more\n", name="other.py")[0]
    edit = convert.workspace_edit(Patch((other, same, moving(EIGHT, "")[1])), ROOT, {}, MOVING)
    assert [each.kind if hasattr(each, "kind") else "edit" for each in edit.document_changes] == ["create", "edit", "rename"]


@pytest.mark.parametrize(("before", "after"), [(EIGHT, "line 1\nnothing\nelse\n"), (b"\xff\n", b"\xfe\n"), ("", ""), (EIGHT, EIGHT * 3)])
def test_another_text_is_another_file(before: str | bytes, after: str | bytes):
    edits = moving(before, after)
    assert renamed(edits) == {}


@pytest.mark.parametrize(("after", "opened", "can"), [(EIGHT, {}, ALL), (CHANGED, OPENED, MOVING)])
def test_else_one_comes_and_one_goes(after: str, opened: dict[str, Document], can: Abilities):
    """Where an editor does not rename, or an open text would be edited with no word of its version."""
    edit = convert.workspace_edit(Patch(moving(EIGHT, after)), ROOT, opened, can)
    assert [each.kind if hasattr(each, "kind") else "edit" for each in edit.document_changes] == ["create", "edit", "delete"]


def test_annotations_only_for_those_who_take_them():
    plain = Abilities(document_changes=True)
    edit = convert.workspace_edit(Patch((CHANGE,)), ROOT, {}, plain, label="Fix")
    assert edit.change_annotations is None
    assert isinstance(edit.document_changes[0].edits[0], types.TextEdit)
    edit = convert.workspace_edit(Patch((CHANGE,)), ROOT, {}, ALL)
    assert edit.change_annotations is None
    assert edit.document_changes[0].text_document.version is None


@pytest.mark.parametrize(("edit", "operation"), [(CREATE, "create"), (DELETE, "delete")])
@pytest.mark.parametrize(
    "can", [Abilities(), Abilities(document_changes=True), Abilities(document_changes=True, resource_operations=frozenset({"rename"}))]
)
def test_files_come_and_go_only_where_the_editor_can(edit: FileEdit, operation: str, can: Abilities):
    with pytest.raises(convert.Unsendable, match=f"cannot {operation} files"):
        convert.workspace_edit(Patch((CHANGE, edit)), ROOT, {}, can)


@pytest.mark.parametrize("shown", ["x\n", f"{MARK}x\n"])
def test_clients_without_versions_get_plain_changes(shown: str):
    document = Document("file:///a.py", "python", 7, shown)
    marked = FileEdit(path="a.py", before=f"{MARK}x\n".encode(), after=f"{MARK}y\n".encode())
    edit = convert.workspace_edit(Patch((marked,)), ROOT, {"a.py": document}, Abilities(), label="Fix")
    assert edit.document_changes is None
    ((uri, edits),) = edit.changes.items()
    assert uri == "file:///work%20space/100%25/a.py"
    assert applied(shown, list(edits), "utf-16") == shown.replace("x", "y")


def finding(**given_fields: object) -> Finding:
    fields = {"check": "tests", "path": "a.py", "range": Range(Position(2, 1), Position(2, 3)), "message": "wrong", **given_fields}
    return Finding(**fields)


def shown(of: Finding, can: Abilities = ALL, lines: dict[tuple[str, int], str] | None = None) -> types.Diagnostic:
    known = lines or {}
    return convert.diagnostic(Tracked(of), of.path, ROOT, can, lambda path, number: known.get((path, number), ""))


@pytest.mark.parametrize(
    ("given_fields", "message"),
    [
        ({"message": ""}, "tests failed"),
        ({"message": " \n "}, "tests failed"),
        ({"message": "", "code": "E501"}, "E501"),
        ({"message": "", "test": "a.py::TestA::test_b"}, "test_b: tests failed"),
        ({"test": "a.py::test_b[1]"}, "test_b[1]: wrong"),
        ({"message": "x" * 5000}, "x" * 2000 + "…"),
    ],
)
def test_a_diagnostic_always_says_something(given_fields: dict, message: str):
    assert shown(finding(**given_fields)).message == message


def test_a_diagnostic_has_what_the_client_takes():
    of = finding(code="F401", severity="warning")
    assert shown(of).tags is None
    assert shown(of).data is None
    assert shown(of, Abilities(tags=frozenset({1}))).tags == [types.DiagnosticTag.Unnecessary]
    assert shown(finding(code="reportDeprecated"), Abilities(tags=frozenset({1, 2}))).tags == [types.DiagnosticTag.Deprecated]
    assert shown(finding(code="reportDeprecated"), Abilities(tags=frozenset({1}))).tags is None
    assert shown(of, Abilities(diagnostic_data=True)).data == {"check": "tests", "mark": ""}
    assert (shown(of).severity, shown(of).code, shown(of).source) == (types.DiagnosticSeverity.Warning, "F401", "suture")
    assert shown(finding()).code == "tests"


def test_places_elsewhere_are_named_where_they_lie_in_the_workspace():
    where = Range(Position(0, 2), Position(0, 2))
    places = (Place("b.py", where, "helper"), Place("/usr/lib/python3/x.py", where), Place("", where), Place("c d.py", where))
    related = shown(finding(related=places), Abilities(related=True)).related_information
    assert [(each.location.uri, each.message) for each in related] == [
        ("file:///work%20space/100%25/b.py", "helper"),
        ("file:///work%20space/100%25/c%20d.py", "here"),
    ]
    assert shown(finding(related=places)).related_information is None
    many = tuple(Place(f"{number}.py", where) for number in range(100))
    assert len(shown(finding(related=many), Abilities(related=True)).related_information) == convert.MOST_RELATED


@pytest.mark.parametrize(("encoding", "columns"), [("utf-8", (4, 7)), ("utf-16", (2, 5)), ("utf-32", (1, 4))])
def test_columns_count_as_the_client_does(encoding: str, columns: tuple[int, int]):
    of = finding(range=Range(Position(2, 2), Position(2, 5)))
    found = shown(of, Abilities(encoding=encoding), {("a.py", 2): "\U0001f600abc"}).range
    assert (found.start.character, found.end.character) == columns


@pytest.mark.parametrize("name", ["a.py", "with space.py", "100%.py", "ü😀.py", "#a?.py", "a;b&c=d.py", "tab\t.py"])
def test_addresses_are_those_of_their_files(name: str):
    path = Path("/tmp/x") / name
    assert convert.path_of(convert.uri_of(path)) == str(path)


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "", "vscode-notebook-cell:/a.py", "git:/a.py?x", "file:///a%00b.py", "http://[bad"])
def test_other_addresses_are_no_files(uri: str):
    assert convert.path_of(uri) is None
