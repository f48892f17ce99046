"""Text and notebook synchronisation."""

from __future__ import annotations

from lsprotocol import types

from suture_server.lsp.documents import Document
from suture_server.lsp.session import LARGEST_TEXT, Session


def did_open(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """A document was opened: in a workspace, outside of one, or in no file at all; the last two are only remembered."""
    item = params.text_document
    if len(item.text) > LARGEST_TEXT:
        session.client.log(f"{item.uri} is not looked at: it has more than {LARGEST_TEXT >> 20} million characters")
        return
    placed = session.adopt(item.uri)
    document = Document(item.uri, item.language_id, item.version, item.text)
    session.documents[item.uri] = document
    if placed is not None:
        root, relative = placed
        root.open(relative, document)


def did_change(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """A document was changed; one that was never opened is left alone."""
    document = session.documents.get(params.text_document.uri)
    if document is None:
        return
    encoding = session.client.can.encoding
    edits = [document.change(change, encoding) for change in params.content_changes]
    document.version = params.text_document.version
    placed = session.place(document.uri)
    if placed is not None:
        root, relative = placed
        root.change(relative, edits)


def did_save(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """A document was saved."""
    placed = session.place(params.text_document.uri)
    if placed is not None:
        root, relative = placed
        root.save(relative)


def did_close(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """A document was closed."""
    uri = params.text_document.uri
    document = session.documents.pop(uri, None)
    placed = session.place(uri)
    if document is not None and placed is not None:
        root, relative = placed
        root.close(relative)


def notebook_did_open(session: Session, params: types.DidOpenNotebookDocumentParams) -> None:
    """Notebooks are refused politely: a patch of one would have to be proven by running it."""
    session.client.log(f"{params.notebook_document.uri}: suture does not look at notebooks")
