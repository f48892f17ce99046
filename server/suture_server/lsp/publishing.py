"""Showing diagnostics: pushed to every client, or pulled by those that can.

A client that pulls gets the diagnostics of open documents by pulling, and those of other files by push until it first asks for the whole
workspace. Pushing goes on in small portions, so that thousands of files do not hold up an answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends
from suture_server.lsp import convert

if TYPE_CHECKING:
    from suture_server.lsp.root import Root

PORTION = 8
"""Files that are pushed before other work gets its turn."""
HOMES = ("suture.toml", "pyproject.toml", "setup.cfg", "pytest.ini", "tox.ini", "setup.py")
"""Where a failure is shown that names no file: the first of these that exists."""


class Publisher:
    """Diagnostics of one workspace."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._waiting: dict[str, None] = {}
        self._shown: set[str] = set()
        """Files that have been pushed and are not empty."""
        self._revisions: dict[str, int] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._lines: tuple[str, list[str]] = ("", [])
        """The last file on the disk whose lines were needed, and those."""
        self.pulled_whole = False
        """Whether the client has asked for the diagnostics of the whole workspace."""

    def changed(self, paths: set[str]) -> None:
        """The diagnostics of some files are others now."""
        if not paths:
            return
        homeless = {self._home()} if "" in paths else set[str]()
        for path in sorted((paths - {""}) | homeless):
            self._count += 1
            self._revisions[path] = self._count
            self._waiting[path] = None
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._flush())

    def items(self, path: str) -> list[types.Diagnostic]:
        """The diagnostics of a file."""
        root = self._root
        self._lines = ("", [])
        tracked = list(root.checking.findings.at(path))
        if path == self._home():
            tracked += root.checking.findings.at("")
        can = root.client.can
        return [convert.diagnostic(each, path, root.path, can, self._line) for each in tracked if root.shows(each.finding)]

    def result_id(self, path: str) -> str:
        """Names the state of a file's diagnostics; findings that moved with an edit are the same state."""
        return f"{id(self._root.worker):x}.{self._revisions.get(path, 0)}"

    def paths(self) -> list[str]:
        """Files that have diagnostics, or had some."""
        return sorted(
            path
            for path in {*self._root.checking.findings.paths, *self._revisions}
            if path and not path.startswith("/") and self._root.owns(path)
        )

    def pull_whole(self) -> None:
        """From now on the client asks for files that are not open, too: what was pushed of them is taken back."""
        if not self.pulled_whole:
            self.pulled_whole = True
            for path in self._shown:
                self._root.client.publish(self._uri(path), None, [])
            self._shown.clear()

    def clear(self) -> None:
        """Take everything back."""
        self._waiting.clear()
        for path in self._shown:
            self._root.client.publish(self._uri(path), None, [])
        self._shown.clear()

    async def _flush(self) -> None:
        client = self._root.client
        await asyncio.sleep(0)
        sent = 0
        while self._waiting:
            path = next(iter(self._waiting))
            del self._waiting[path]
            self._push(path)
            sent += 1
            if sent % PORTION == 0:
                await asyncio.sleep(0.001)
        if client.can.pulls:
            client.refresh_diagnostics()

    def _push(self, path: str) -> None:
        """Push one file's diagnostics, unless the client pulls them; an empty list only where it had some."""
        if path.startswith("/"):
            return
        client, document = self._root.client, self._root.buffers.documents.get(path)
        pulls = client.can.pulls and client.can.refreshes
        items = [] if pulls and (document is not None or self.pulled_whole) else self.items(path)
        if items or path in self._shown:
            client.publish(self._uri(path), document.version if document is not None else None, items)
        if items:
            self._shown.add(path)
        else:
            self._shown.discard(path)

    def _home(self) -> str:
        return next((name for name in HOMES if (self._root.path / name).is_file()), "")

    def _uri(self, path: str) -> str:
        document = self._root.buffers.documents.get(path)
        return document.uri if document is not None else convert.uri_of(self._root.path / path)

    def _line(self, path: str, number: int) -> str:
        """The text of a line, for clients that do not count in UTF-16."""
        document = self._root.buffers.documents.get(path)
        if document is not None:
            return document.line(number)
        if self._lines[0] != path:
            self._lines = (path, lines_with_ends(Snapshot(self._root.path).read_text(path) or ""))
        lines = self._lines[1]
        return lines[number].rstrip("\r\n") if number < len(lines) else ""
