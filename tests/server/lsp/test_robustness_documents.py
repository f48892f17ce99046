"""Documents that are in no workspace, in no file, or no text that a check could make anything of."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

URIS = [
    "untitled:Untitled-1",
    "vscode-vfs://github/someone/repository/cart.py",
    "git:/cart.py?HEAD",
    "file:///nowhere/at/all.py",
    "not an address",
]


@pytest.mark.parametrize("uri", URIS)
async def test_what_lies_in_no_workspace_is_left_alone(editor, cart: Path, right: str, uri: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text="def broken(:\n")
    named = types.TextDocumentIdentifier(uri)
    start = types.Position(0, 0)
    it.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    it.client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(2, uri), [types.TextDocumentContentChangePartial(types.Range(start, start), "x")]
        )
    )
    it.client.text_document_did_save(types.DidSaveTextDocumentParams(named))
    asked = types.CodeActionParams(named, types.Range(start, start), types.CodeActionContext(diagnostics=[]))
    assert not await it.client.text_document_code_action_async(asked)
    report = await it.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(named))
    assert not report.items
    it.client.text_document_did_close(types.DidCloseTextDocumentParams(named))
    await it.failing()
    assert len(await it.actions(tests, 4)) == 1
    assert it.messages() == []


async def test_a_notebook_is_refused_politely(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    it.open("test_cart.py")
    cell = types.NotebookCell(kind=types.NotebookCellKind.Code, document="vscode-notebook-cell:/n.ipynb#1")
    notebook = types.NotebookDocument(uri=it.uri("n.ipynb"), notebook_type="jupyter-notebook", version=1, cells=[cell])
    text = types.TextDocumentItem(uri=cell.document, language_id="python", version=1, text="1 +")
    it.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(notebook, [text]))
    await it.wait(lambda: any("does not look at notebooks" in each.message for each in it.client.log_messages))
    await it.failing()
    assert it.messages() == []


async def test_a_file_of_ten_megabytes_holds_nothing_up(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    (cart / "large.py").write_text("number = 1\n" * 1_000_000)
    large, tests = it.open("large.py"), it.open("test_cart.py")
    it.change(large, "number = 1\n", "number = 2\n")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    it.change(large, "number = 2\n", "number = '😀'\n")
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}


GARBAGE = "\0\x01\ufffe\ufeff\r\u2028\x0c\x85\ud800 😀\r\n\n\r" * 50


async def test_garbage_as_text_breaks_nothing(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    garbage = it.open("garbage.py", "") if (cart / "garbage.py").write_text("") is not None else None
    change = types.TextDocumentContentChangeWholeDocument(text=GARBAGE)
    it.client.text_document_did_change(types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, garbage.uri), [change]))
    where = types.Range(types.Position(3, 4), types.Position(90, 1000))
    again = types.TextDocumentContentChangePartial(range=where, text="\ud83d")
    it.client.text_document_did_change(types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(3, garbage.uri), [again]))
    await it.actions(garbage, 3)
    (cart / "binary.py").write_bytes(bytes(range(256)) * 100)
    it.save(tests)
    answer = await it.command("suture.check")
    assert "refused" not in answer
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.messages() == []
