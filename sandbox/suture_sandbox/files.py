"""The one way in which suture opens a file of a workspace by its name.

A workspace is untrusted: under any name there may be a pipe that nobody writes to, a device, a socket, a file of a terabyte. Nothing here
blocks, reads further than it is told, or has an effect on what it looks at; what is no plain file of a sensible size is an error that says
so. What it deliberately is not: a guard against links. Who must not follow them says so (`follow=False`) or looks at the path before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from suture_sandbox.errors import UnreadableFile

LARGEST_FILE = 64 << 20
"""Bytes of any file of a workspace that is read as a whole."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


def read_plain(path: Path, *, most: int = LARGEST_FILE, name: str = "", follow: bool = True) -> bytes | None:
    """The content of a plain file, None where there is none; raises UnreadableFile for anything else. `name` is what messages call it."""
    shown = name or str(path)
    try:
        descriptor = _opened(path, follow=follow)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise UnreadableFile(f"{shown} cannot be read: {error.strerror}", remedy="make it a readable file, or remove it") from error
    if descriptor is None:
        raise UnreadableFile(f"{shown} is not a plain file", remedy="replace it by a file, or remove it")
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(most + 1) if size <= most else b""
    if max(size, len(content)) > most:
        bound = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most >> 10} KiB"
        raise UnreadableFile(f"{shown} is larger than {bound}", remedy="no file of that name is that large: mend it, or remove it")
    return content


def read_head(path: Path, size: int) -> bytes:
    """The first `size` bytes of a plain file; nothing where none can be read."""
    with contextlib.suppress(OSError):
        descriptor = _opened(path, follow=True)
        if descriptor is not None:
            with os.fdopen(descriptor, "rb") as file:
                return file.read(size)
    return b""


def has(folder: Path, name: str) -> bool:
    """Whether a folder holds something of that name; False, and unlike pathlib's no error, where it may not be looked into."""
    return os.path.exists(folder / name)  # noqa: PTH110  # see above


def as_text(content: bytes, encoding: str = "utf-8", errors: str = "strict") -> str:
    """Text with every line end as a line feed; raises UnicodeDecodeError."""
    return content.decode(encoding, errors).replace("\r\n", "\n").replace("\r", "\n")


def _opened(path: Path, *, follow: bool) -> int | None:
    """A descriptor of a plain file, None for anything else. Looked at before it is opened, too: opening alone moves some devices."""
    if not stat.S_ISREG(os.stat(path, follow_symlinks=follow).st_mode):  # noqa: PTH116  # hot path
        return None
    descriptor = os.open(path, _FLAGS if follow else _FLAGS | os.O_NOFOLLOW)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None
