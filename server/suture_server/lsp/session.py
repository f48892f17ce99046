"""The state of one connection: the client, the open documents, the workspace folders, the settings."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from lsprotocol import types

from suture_server.lsp import convert
from suture_server.lsp.client import Client, Options, Progress, abilities
from suture_server.lsp.documents import Document
from suture_server.lsp.protocol import json_object
from suture_server.lsp.root import Root
from suture_server.projects import project_around

if TYPE_CHECKING:
    from suture_server.lsp.server import SutureServer

logger = logging.getLogger(__name__)

T = TypeVar("T")

SECTIONS = frozenset({"sandbox", "checks", "environment", "policy", "harness", "verdict", "guard", "journal", "editor", "privacy"})
"""Sections of settings that an editor may send; its own settings, such as where the server lies, are no business of the server."""
LARGEST_TEXT = 32 << 20
"""Characters of a document that is looked at."""
PARENT_SECONDS = 2.0
MOST_PLACES = 10_000


class Session:
    """One connection."""

    def __init__(self, server: SutureServer, orphaned: Callable[[], None]) -> None:
        self.client = Client(server)
        self._orphaned = orphaned
        self._server = server
        self.local = True
        """Whether the client's process is on this machine."""
        self.documents: dict[str, Document] = {}
        self.overrides: Mapping[str, Any] = {}
        """Dotted setting -> value, as the editor says."""
        self.trusted = True
        self._roots: dict[Path, Root] = {}
        self._places: dict[str, tuple[Root, str] | None] = {}
        """What `place` said before: it is asked with every key that is pressed."""
        self._progress: dict[str | int, Progress] = {}
        self._initial: Mapping[str, Any] = {}
        self._scratch: Path | None = None
        self._parent: asyncio.Task[None] | None = None

    @property
    def roots(self) -> tuple[Root, ...]:
        """The workspace folders."""
        return tuple(self._roots.values())

    def initialize(self, params: types.InitializeParams) -> None:
        """Take what the client says of itself; nothing is started."""
        self.client.can = abilities(params.capabilities, self._server.protocol.agreed_encoding())
        with contextlib.suppress(msgspec.ValidationError):  # other editors send options of their own shape
            self.client.options = msgspec.convert(params.initialization_options or {}, Options)
        self.trusted = self.client.options.trusted
        self._initial = flat(self.client.options.settings)
        self.overrides = self._initial
        for path in _folders(params):
            self._add(path)

    async def begin(self) -> None:
        """Begin to work."""
        parent = self._server.process_id
        if self.local and parent is not None:
            self._parent = asyncio.get_running_loop().create_task(self._watch_parent(parent))
        self.client.watch_configuration()
        await self.configure()

    async def configure(self, pushed: object = None) -> None:
        """Take the client's settings; where they are others than before, the workspaces are opened anew."""
        given = await self.client.configuration()
        given = given or json_object(json_object(pushed).get("suture", pushed))
        overrides = {**self._initial, **flat(given)}
        changed, self.overrides = overrides != self.overrides, overrides
        for root in self.roots:
            if changed and root.worker.pid is not None:
                await root.reopen()

    async def trust(self, trusted: bool) -> None:
        """A person trusts the workspace, or no longer does."""
        self.trusted = trusted
        for root in self.roots:
            if trusted:
                await root.reopen()
            else:
                await root.jobs.cancel()
                root.checking.clear()
                await root.worker.end()
            root.tell_status()

    # Folders and documents

    def folders_changed(self, added: Iterable[str], removed: Iterable[str]) -> list[Root]:
        """Workspace folders came and went; returns those that went, to be ended."""
        gone = [root for uri in removed if (path := convert.path_of(uri)) and (root := self._roots.pop(_resolved(path), None))]
        self._places.clear()
        for uri in added:
            if path := convert.path_of(uri):
                self._add(_resolved(path))
        for document in self.documents.values():
            placed = self.place(document.uri)
            if placed is not None and placed[1] not in placed[0].buffers.documents:
                placed[0].open(placed[1], document)
        for root in self.roots:
            root.folders_changed()
        return gone

    def place(self, uri: str) -> tuple[Root, str] | None:
        """The workspace of a document and its path there; None for what lies in no workspace, or in no file."""
        if uri not in self._places:
            if len(self._places) > MOST_PLACES:
                self._places.clear()
            self._places[uri] = self._place(uri)
        return self._places[uri]

    def _place(self, uri: str) -> tuple[Root, str] | None:
        path = convert.path_of(uri)
        if path is None:
            return None
        for root in sorted(self._roots.values(), key=lambda each: -len(each.path.parts)):
            relative = root.relative(path) or root.relative(os.path.realpath(path))
            if relative is not None:
                return root, relative
        return None

    def root_of(self, uri: str) -> Root | None:
        """The workspace of that address: its folder, or a file in it."""
        path = convert.path_of(uri)
        if path is not None and (root := self._roots.get(_resolved(path))) is not None:
            return root
        placed = self.place(uri)
        return placed[0] if placed is not None else None

    def adopt(self, uri: str) -> tuple[Root, str] | None:
        """As `place`; a file outside of any workspace gets the project around it as its workspace, where the client opened no folder."""
        placed = self.place(uri)
        path = convert.path_of(uri)
        if placed is not None or path is None or self._roots:
            return placed
        folder = project_around(Path(path).parent)
        if folder is not None:
            self._add(folder)
        return self.place(uri)

    def _add(self, path: Path) -> None:
        if path not in self._roots and path.is_dir():
            self._roots[path] = Root(self, path)
            self._places.clear()

    def structured(self, value: Any, kind: type[T]) -> T:  # noqa: ANN401  # JSON
        """A record of the protocol from what a command carries. Raises where it is none."""
        return self._server.protocol.structured(value, kind)

    # Progress and texts

    def show_progress(self, progress: Progress) -> None:
        """The client may cancel it by its token from now on."""
        if progress.token is not None:
            self._progress[progress.token] = progress

    def hide_progress(self, progress: Progress) -> None:
        """It is over."""
        if progress.token is not None:
            self._progress.pop(progress.token, None)

    def cancel_progress(self, token: str | int) -> None:
        """The person wants something to end."""
        progress = self._progress.get(token)
        if progress is not None:
            progress.cancel()

    def scratch(self, name: str, text: str) -> Path:
        """A private file with a text that the client is to show; gone with the session."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="suture-lsp-"))
        path = self._scratch / name.replace("/", "_")
        path.write_text(text, encoding="utf-8")
        return path

    # Life

    async def close(self) -> None:
        """End everything; idempotent."""
        if self._parent is not None:
            self._parent.cancel()
        roots, self._roots = self.roots, {}
        await asyncio.gather(*(root.end() for root in roots), return_exceptions=True)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    async def _watch_parent(self, parent: int) -> None:
        """End with the editor, also where it is killed and something else keeps the pipe open."""
        while True:
            await asyncio.sleep(PARENT_SECONDS)
            try:
                os.kill(parent, 0)
            except ProcessLookupError:
                break
            except PermissionError:
                continue
        logger.warning("the editor (process %s) is gone", parent)
        self._orphaned()


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested or dotted settings as dotted ones, of the sections that a server takes; what is null was not set."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        parts = name.split(".")
        if parts[0] not in SECTIONS or value is None:
            continue
        if isinstance(value, dict) and len(parts) < (3 if parts[0] == "checks" else 2):
            found.update(flat(json_object(cast("object", value)), f"{name}."))
        else:
            found[name] = value
    return found


def _folders(params: types.InitializeParams) -> list[Path]:
    given = [folder.uri for folder in params.workspace_folders or ()]
    if not given and params.root_uri:
        given = [params.root_uri]
    paths = [path for uri in given if (path := convert.path_of(uri))]
    if not given and params.root_path:
        paths = [params.root_path]
    return [_resolved(path) for path in paths]


def _resolved(path: str) -> Path:
    return Path(os.path.realpath(path))
