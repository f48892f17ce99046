"""Waiting for what a person changes, for `suture fix --watch`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

from suture_sandbox.errors import InfrastructureError, UnreadableFile
from suture_sandbox.files import read_plain
from suture_server.worker.watch import Watch

NOISE = re.compile(r"\..*\.sw[a-z]|\..*\.suture-[0-9a-f]{8}|\.#.*|#.*#|.*~|4913|.*\.py[co]|\.coverage.*|\.DS_Store", re.DOTALL)
"""Names of what editors, Python and suture itself keep beside the files that they write."""


class Changes:
    """What changes in a workspace, from the moment that it is entered."""

    def __init__(self, root: Path, ignored: Collection[Path]) -> None:
        self._root = root
        self._ignored = frozenset(ignored)
        self._paths: set[str] = set()
        self._any = False
        """Whether something changed that has no path: a checkout, or more at once than the kernel keeps."""
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(root, self._told)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._watch.start)
        if not self._watch.watching:
            raise InfrastructureError(self._watch.note, remedy="run suture fix without --watch after each change")
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.to_thread(self._watch.stop)

    async def wait(self, ours: Mapping[str, bytes | None]) -> None:
        """Return once something has changed since the last call that is not what we wrote ourselves: `ours`, path to content."""
        while not self._any and not any(self._is_news(path, ours) for path in self._paths):
            self._paths.clear()
            self._news.clear()
            await self._news.wait()
        self._paths.clear()
        self._any = False

    def _is_news(self, path: str, ours: Mapping[str, bytes | None]) -> bool:
        place = self._root / path
        if place in self._ignored or NOISE.fullmatch(place.name) or place.is_dir():
            return False
        return path not in ours or _content(place) != ours[path]

    def _told(self, paths: tuple[str, ...], head: bool, _environment: bool) -> None:
        """From a thread of its own."""
        self._loop.call_soon_threadsafe(self._take, paths, head)

    def _take(self, paths: tuple[str, ...], head: bool) -> None:
        self._paths.update(paths)
        self._any |= head and not paths
        self._news.set()


def _content(path: Path) -> bytes | None:
    try:
        return read_plain(path, follow=False)
    except UnreadableFile:
        return None
