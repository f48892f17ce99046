"""Code actions."""

from __future__ import annotations

from lsprotocol import types

from suture_server.lsp import actions
from suture_server.lsp.protocol import json_object
from suture_server.lsp.session import Session


def code_action(session: Session, params: types.CodeActionParams) -> list[types.CodeAction | types.Command] | None:
    """What can be done about a place in a document; nothing for one that is in no workspace or no file."""
    placed = session.place(params.text_document.uri)
    document = session.documents.get(params.text_document.uri)
    if placed is None or document is None:
        return None
    root, path = placed
    found = actions.code_actions(root, path, document, params)
    if params.context.trigger_kind == types.CodeActionTriggerKind.Invoked:
        for offer in actions.offers_among(root, found):
            root.later(root.offers.see(offer))
    return found or None


def resolve(session: Session, action: types.CodeAction) -> types.CodeAction:
    """Give a chosen action its edit."""
    root = session.root_of(str(json_object(action.data).get("root")))
    return actions.resolve(root, action) if root is not None else action
