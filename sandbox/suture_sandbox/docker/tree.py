"""Some folders of an image, laid out on the host for a moment, so that what is read of an environment on the host is read of an image too.

Content only: links that lead out of what was asked for stay dangling, devices and pipes are left out, owners and permissions do not matter.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.errors import SandboxFailed


class _Stream:
    """A file to read from, over pieces as they come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        parts = [self._rest]
        had = len(self._rest)
        while had < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            had += len(piece)
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]


def lay_out(daemon: Daemon, container: str, paths: Iterable[str], root: Path) -> None:
    """Lay out folders and files of a container below `root`, at their own paths; those that do not exist are passed over."""
    done: list[str] = []
    for path in sorted(set(paths)):
        if any(path == other or path.startswith(f"{other}/") for other in done):
            continue
        with contextlib.suppress(SandboxFailed):
            stream = cast("IO[bytes]", _Stream(daemon.archive(container, path)))
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    _lay(archive, member, root, Path(path).parent)
            done.append(path)


def _lay(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, parent: Path) -> None:
    inside = os.path.normpath(f"/{parent}/{member.name}")  # a path of the image
    place = root / inside.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.parent.resolve().is_relative_to(root.resolve()):
        return  # behind a link that leads out
    if member.isdir():
        place.mkdir(exist_ok=True)
    elif member.issym():
        target = root / member.linkname.lstrip("/") if member.linkname.startswith("/") else Path(member.linkname)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
    elif member.isfile() and not place.is_symlink() and (source := archive.extractfile(member)) is not None:
        with place.open("wb") as file:
            shutil.copyfileobj(source, file)
