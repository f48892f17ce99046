"""Pull diagnostics. Every client gets the same items that a push would hold.

A client that pulls and cannot be told to pull again (Neovim 0.11, Helix) would show what it pulled for as long as nothing is typed, beside
what is pushed: to such a client everything is pushed, and a pull finds nothing.
"""

from __future__ import annotations

from lsprotocol import types

from suture_server.lsp import convert
from suture_server.lsp.session import Session


def diagnostic(session: Session, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
    """The diagnostics of one document as the last run of the checks left them."""
    placed, can = session.place(params.text_document.uri), session.client.can
    if placed is None or (can.pulls and not can.refreshes):
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    root, path = placed
    result = root.publisher.result_id(path)
    if params.previous_result_id == result:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=result)
    return types.RelatedFullDocumentDiagnosticReport(items=root.publisher.items(path), result_id=result)


def workspace_diagnostic(session: Session, params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
    """The diagnostics of all files of all workspaces; what the client has already is named, not sent again."""
    known = {each.uri: each.value for each in params.previous_result_ids}
    items: list[types.WorkspaceFullDocumentDiagnosticReport | types.WorkspaceUnchangedDocumentDiagnosticReport] = []
    for root in session.roots:
        root.publisher.pull_whole()
        for path in root.publisher.paths():
            document = root.buffers.documents.get(path)
            uri = document.uri if document is not None else convert.uri_of(root.path / path)
            version = document.version if document is not None else None
            result = root.publisher.result_id(path)
            if known.get(uri) == result:
                items.append(types.WorkspaceUnchangedDocumentDiagnosticReport(uri=uri, version=version, result_id=result))
            else:
                found = root.publisher.items(path)
                items.append(types.WorkspaceFullDocumentDiagnosticReport(uri=uri, version=version, items=found, result_id=result))
    return types.WorkspaceDiagnosticReport(items=items)
