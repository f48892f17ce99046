"""The beginning and the end of a connection, and trust."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from suture_server.lsp.session import Session


def initialize(session: Session, params: types.InitializeParams) -> None:
    """Take what the client says of itself; the answer is pygls's."""
    session.initialize(params)


async def initialized(session: Session, _params: types.InitializedParams) -> None:
    """Begin to work."""
    await session.begin()


async def shutdown(session: Session, _params: None) -> None:
    """End everything that runs, before the answer."""
    await session.close()


async def trust(session: Session, params: Any) -> None:  # noqa: ANN401  # a notification of our own, as pygls reads what it does not know
    """A person trusts the workspace, or no longer does."""
    await session.trust(bool(getattr(params, "trusted", False)))
