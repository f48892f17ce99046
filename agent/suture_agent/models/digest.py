"""Digests of model files, and the stamp beside a file that spares hashing a gigabyte at every start.

The stamp is a memo for the user's own cache, not a signature: it holds as long as size, inode and change times are what they were when
the digest was compared.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import Model

BLOCK = 1 << 22


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When and with which result a file was hashed."""

    sha256: str
    size: int
    inode: int
    modified: int
    changed: int


def verify(path: Path, model: Model, *, remember: bool = True) -> None:
    """Compare a file with the catalogue; a wrong one raises PolicyUnavailable. Blocks for about a second a gigabyte."""
    if is_stamped(path, model):
        return
    if not path.is_file():
        raise PolicyUnavailable(f"{path} is not there", remedy=f"suture model pull {model.name}")
    size = path.stat().st_size
    if size != model.size:
        raise PolicyUnavailable(
            f"{path} has {size} bytes, {model.name} has {model.size}", remedy=f"remove it, then suture model pull {model.name}"
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise PolicyUnavailable(
            f"{path} has the digest {found}, {model.name} has {model.sha256}", remedy=f"remove it, then suture model pull {model.name}"
        )
    if remember:
        stamp(path, found)


def stamp(path: Path, sha256: str) -> None:
    """Note that the file has this digest. A cache that cannot be written to stays unstamped, which costs time only."""
    note = _stamp_of(path, sha256)
    beside = _beside(path)
    fresh = beside.with_name(f"{beside.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        fresh.write_bytes(msgspec.json.encode(note))
        fresh.chmod(0o600)
        fresh.replace(beside)


def is_stamped(path: Path, model: Model) -> bool:
    """Whether the file was compared before and has not changed since."""
    try:
        return msgspec.json.decode(_beside(path).read_bytes(), type=Stamp) == _stamp_of(path, model.sha256)
    except (OSError, msgspec.MsgspecError):
        return False


def _stamp_of(path: Path, sha256: str) -> Stamp:
    found = path.stat()
    return Stamp(sha256=sha256, size=found.st_size, inode=found.st_ino, modified=found.st_mtime_ns, changed=found.st_ctime_ns)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")
