"""The wheelhouse: wheels by the hash of their content, in suture's cache, so that a locked environment can be built with no network at all.

`wheelhouse/ab/abcd.../name-1.0-py3-none-any.whl`. A file is put there whole and checked, or not at all, and is never written again. It is
bounded: beyond `MOST_BYTES` what was used longest ago goes, never what was just asked for. It can be erased at any time and filled again.
What it deliberately is not: an index. Nothing in it is looked up by name and taken on trust: who asks has the hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from suture_sandbox.capture.files import hash_file
from suture_sandbox.errors import InfrastructureError

MOST_BYTES = 20 << 30
"""Of all wheels together."""
LARGEST_WHEEL = 5 << 30
MAKE_ROOM = "make suture's cache folder writable, with free space, or name another place: XDG_CACHE_HOME"

_CHUNK = 1 << 20
_SECONDS = 60
_THREADS = 4
_SCHEMES = ("https://", "http://", "file:///")


class Wheel(msgspec.Struct, frozen=True, kw_only=True):
    """One wheel of an environment."""

    name: str
    """Normalised."""
    version: str
    file: str
    """Its file's name, which says what it fits."""
    sha256: str
    """Empty where nobody has said so yet."""
    source: str = ""
    """An address or an absolute path to take it from. Never written to a lock file."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A package whose wheel could not be had."""

    name: str
    version: str
    reason: str


class Wheelhouse:
    """The wheels in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, sha256: str) -> Path | None:
        """The wheel with that content, None where it is not here. Its place is what was checked when it was put there."""
        if not sha256 or set(sha256) - set("0123456789abcdef"):
            return None
        place = self.folder / sha256[:2] / sha256
        with contextlib.suppress(OSError):
            found = next((path for path in place.iterdir() if path.name.endswith(".whl")), None)
            if found is not None:
                os.utime(place)
            return found
        return None

    def fill(self, wheels: Sequence[Wheel], progress: Callable[[str], None], *, offline: bool = False) -> tuple[list[Wheel], list[Missing]]:
        """Take in what is not here yet. Hands back the wheels that are here now, with their hashes, and what is missing and why."""

        def take(wheel: Wheel) -> Wheel | Missing:
            return self._take(wheel, progress, offline=offline)

        with ThreadPoolExecutor(_THREADS) as pool:
            done = list(pool.map(take, wheels))
        kept = [item for item in done if isinstance(item, Wheel)]
        self._trim({wheel.sha256 for wheel in kept})
        return kept, [item for item in done if isinstance(item, Missing)]

    def erase(self) -> int:
        """Remove every wheel; hands back how many there were."""
        count = sum(1 for _ in self.folder.glob("??/*/*.whl"))
        shutil.rmtree(self.folder, ignore_errors=True)
        return count

    def _take(self, wheel: Wheel, progress: Callable[[str], None], *, offline: bool) -> Wheel | Missing:
        if self.find(wheel.sha256) is not None:
            return wheel
        local = not wheel.source.startswith(("https://", "http://"))
        if not wheel.source or (offline and not local):
            reason = "the network may not be used (environment.offline)" if wheel.source else "nothing says where its wheel lies"
            return Missing(name=wheel.name, version=wheel.version, reason=reason)
        progress(f"taking {wheel.file} into the wheelhouse")
        try:
            return msgspec.structs.replace(wheel, sha256=self._put(wheel))
        except (OSError, urllib.error.URLError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (28, 122):  # ENOSPC, EDQUOT
                raise InfrastructureError(f"the disk is full: {self.folder}", remedy=MAKE_ROOM) from error
            return Missing(name=wheel.name, version=wheel.version, reason=f"{wheel.file}: {_said(error)}")

    def _put(self, wheel: Wheel) -> str:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
        except OSError as error:
            raise InfrastructureError(f"cannot make {self.folder}: {error.strerror}", remedy=MAKE_ROOM) from error
        try:
            sha256 = _copy(wheel.source, temporary / wheel.file)
            if wheel.sha256 and sha256 != wheel.sha256:
                raise ValueError(f"its content is {sha256[:12]}..., pinned is {wheel.sha256[:12]}...")
            (temporary / wheel.file).chmod(0o444)
            place = self.folder / sha256[:2] / sha256
            place.parent.mkdir(exist_ok=True)
            temporary.chmod(0o755)
            with contextlib.suppress(FileExistsError, OSError):  # another suture was first, with the same content
                temporary.rename(place)
            return sha256
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _trim(self, keep: set[str]) -> None:
        """Remove what was used longest ago, until the rest fits."""
        entries: list[tuple[float, int, Path]] = []
        for place in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                entries.append((place.stat().st_mtime, sum(file.stat().st_size for file in place.iterdir()), place))
        total = sum(size for _, size, _ in entries)
        for _, size, place in sorted(entries):
            if total <= MOST_BYTES:
                return
            if place.name not in keep:
                shutil.rmtree(place, ignore_errors=True)
                total -= size


def link(wheels: Iterable[Wheel], house: Wheelhouse, folder: Path) -> None:
    """Lay the wheels into a folder under their own names, without a copy where the file system can; what else lay there goes."""
    wanted = {wheel.file: path for wheel in wheels if (path := house.find(wheel.sha256)) is not None}
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, path in wanted.items():
        try:
            (folder / name).hardlink_to(path)
        except OSError:  # another file system
            (folder / name).symlink_to(path)


def _copy(source: str, target: Path) -> str:
    """Copy a wheel from where it lies; hands back the hash of what was written."""
    if not source.startswith(_SCHEMES):
        shutil.copyfile(source, target)
        return hash_file(str(target))
    if source.startswith("file:///"):
        shutil.copyfile(unquote(urlsplit(source).path), target)
        return hash_file(str(target))
    content, size = hashlib.sha256(), 0
    with urllib.request.urlopen(_request(source), timeout=_SECONDS) as answer, target.open("wb") as file:  # noqa: S310  # checked above
        while chunk := answer.read(_CHUNK):
            size += len(chunk)
            if size > LARGEST_WHEEL:
                raise ValueError(f"it is larger than {LARGEST_WHEEL >> 30} GiB")
            content.update(chunk)
            file.write(chunk)
    return content.hexdigest()


def _request(address: str) -> urllib.request.Request:
    """A request with what the user's .netrc says of the host; proxies and certificates are the environment's."""
    import base64
    import netrc

    request = urllib.request.Request(address.partition("#")[0], headers={"User-Agent": "suture"})  # noqa: S310  # checked by _SCHEMES
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        known = netrc.netrc().authenticators(urlsplit(address).hostname or "")
        if known is not None:
            word = base64.b64encode(f"{known[0]}:{known[2]}".encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {word}")
    return request


def _said(error: Exception) -> str:
    """What went wrong, without the address: it may hold a key."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the index answered {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"the index cannot be reached: {error.reason}"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
