"""Which files a content hash stands for: kept in suture's cache under the hash itself, so that a difference can be told by file.

An identity holds one hash a distribution, which says that something differs and not what. Whoever computes such a hash keeps its
(path, sha256) pairs here; a lost manifest costs a detail in a message, never an answer. What is read is believed only if its own hash is
the one asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from suture_sandbox.capture.files import digest, write_atomically

MOST_MANIFESTS = 20_000
"""Beyond, all are removed: they come back with the next capture."""


class FileChanges(msgspec.Struct, frozen=True, kw_only=True):
    """How the files behind two content hashes differ; paths as the identity sees them."""

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def keep(cache: Path, pairs: Iterable[tuple[str, str]]) -> str:
    """The content hash of (path, sha256) pairs, which are kept for later."""
    files = dict(pairs)
    content = digest(files.items())
    place = _place(cache, content)
    with contextlib.suppress(OSError):  # an unwritable or full cache costs a detail only
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(
                place, msgspec.msgpack.encode({path.encode("utf-8", "surrogateescape"): value for path, value in files.items()})
            )
    return content


def load(cache: Path, content: str) -> Mapping[str, str] | None:
    """The files behind a content hash; None where this machine does not know them."""
    try:
        kept = msgspec.msgpack.decode(_place(cache, content).read_bytes(), type=dict[bytes, str])
    except (OSError, ValueError):
        return None
    files = {path.decode("utf-8", "surrogateescape"): value for path, value in kept.items()}
    return files if digest(files.items()) == content else None


def changes(cache: Path, before: str, after: str) -> FileChanges | None:
    """How the files behind two hashes differ; None where either is not known here."""
    left, right = load(cache, before), load(cache, after)
    if left is None or right is None:
        return None
    return FileChanges(
        changed=tuple(sorted(path for path in left.keys() & right.keys() if left[path] != right[path])),
        removed=tuple(sorted(left.keys() - right.keys())),
        added=tuple(sorted(right.keys() - left.keys())),
    )


def trim(cache: Path) -> None:
    """Bound what is kept."""
    folder = cache / "manifests"
    places = list(folder.glob("??/*.msgpack"))
    for place in places if len(places) > MOST_MANIFESTS else ():
        with contextlib.suppress(OSError):
            place.unlink()


def _place(cache: Path, content: str) -> Path:
    safe = content if content.isalnum() else "none"
    return cache / "manifests" / safe[:2] / f"{safe}.msgpack"
