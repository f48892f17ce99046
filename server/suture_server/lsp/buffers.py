"""What the worker is told of open documents: their text where it is not what lies on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import read_plain
from suture_server.lsp.documents import Document
from suture_server.worker import wire

BOM = b"\xef\xbb\xbf"


class Buffers:
    """The open documents of one workspace, by workspace path."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.documents: dict[str, Document] = {}
        self._uncertain: set[str] = set()
        """Paths whose text may or may not be what lies on the disk."""
        self._told: dict[str, bytes] = {}

    def touch(self, path: str) -> None:
        """A document was opened, changed, saved or closed, or its file changed on the disk."""
        if path in self.documents or path in self._told:
            self._uncertain.add(path)

    def forget(self) -> None:
        """Whoever was told is gone: the next one is told everything."""
        self._told = {}
        self._uncertain = set(self.documents)

    async def news(self) -> wire.Buffers:
        """What changed since it was asked last, as the texts are now. One at a time: the next one counts on what this one tells."""
        uncertain, self._uncertain = self._uncertain, set()
        texts = {path: self.documents[path].text for path in uncertain if path in self.documents}
        try:
            disk = await asyncio.to_thread(lambda: {path: self.on_disk(path) for path in uncertain})
        except asyncio.CancelledError:
            self._uncertain |= uncertain
            raise
        changed: dict[str, bytes | None] = {}
        for path in uncertain:
            content = _differs(texts.get(path), disk[path])
            if content != self._told.get(path):
                changed[path] = content
            if content is None:
                self._told.pop(path, None)
            else:
                self._told[path] = content
        return wire.Buffers(changed=changed, pinned=tuple(self.documents))

    def on_disk(self, path: str) -> bytes | None:
        """A file's content on the disk; None where there is none that could be read."""
        try:
            return read_plain(self._root / path, follow=False)
        except UnreadableFile:
            return None

    def present(self, path: str) -> bytes | None:
        """A file's present content: the buffer's where it is open, else the disk's."""
        disk = self.on_disk(path)
        document = self.documents.get(path)
        return disk if document is None else encoded(document.text, disk)

    def texts(self, paths: Mapping[str, object] | tuple[str, ...]) -> dict[str, bytes | None]:
        """The present content of some files."""
        return {path: self.present(path) for path in paths}


def _differs(text: str | None, disk: bytes | None) -> bytes | None:
    """What is to be told of a text: nothing where it is not open, or as it is on the disk."""
    content = None if text is None else encoded(text, disk)
    return None if content == disk else content


def encoded(text: str, disk: bytes | None) -> bytes:
    """A document's text as its editor would save it: with the byte order mark that the file has."""
    content = text.encode("utf-8", "replace")
    return BOM + content if disk is not None and disk.startswith(BOM) and not content.startswith(BOM) else content
