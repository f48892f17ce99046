"""Folders, settings, files that the client watches, progress, trust."""

from __future__ import annotations

import asyncio

from lsprotocol import types

from suture_server.lsp import convert
from suture_server.lsp.session import Session


async def did_change_folders(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Workspace folders came and went."""
    gone = session.folders_changed((each.uri for each in params.event.added), (each.uri for each in params.event.removed))
    await asyncio.gather(*(root.end() for root in gone))


async def did_change_configuration(session: Session, params: types.DidChangeConfigurationParams) -> None:
    """The client's settings changed; some clients send them, the others are asked."""
    await session.configure(params.settings)


def did_change_watched_files(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """Files that the client watches changed on the disk."""
    for root in session.roots:
        paths = [path for each in params.changes if (path := convert.path_of(each.uri))]
        inside = tuple(relative for path in paths if (relative := root.relative(path)))
        if inside:
            root.disk_changed(inside)


def progress_cancel(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """The person cancels what a progress shows."""
    session.cancel_progress(params.token)
