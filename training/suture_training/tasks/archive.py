"""Healthy workspaces as archives: the same files always give the same name, and whatever an archive holds, unpacking it is harmless.

An archive is a tar with plain files only, sorted, without owners or times, compressed with zstandard. Its name is the SHA-256 of what it
holds, not of its bytes: another release of the compressor makes other bytes of the same workspace. What unpacks has to come to that name.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
import zstandard

from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.files import LARGEST_FILE
from suture_sandbox.snapshot import LONGEST_NAME

MOST_FILES = 50_000
LARGEST_WORKSPACE = 512 << 20
"""Bytes of all files of a workspace together."""
EPOCH = 315_532_800
"""Every file's time, 1 January 1980: build tools refuse to put anything older into a zip archive."""
_LEVEL = 10
_WINDOW = 1 << 27
_OVERHEAD = 1 << 12
"""Bytes of a tar around each file: its header, a long name, padding."""


class File(msgspec.Struct, frozen=True):
    """A plain file."""

    content: bytes
    executable: bool = False


Files = Mapping[str, File]
"""Path relative to the workspace, with forward slashes -> the file."""


def workspace_hash(files: Files) -> str:
    """SHA-256 over sorted (path, executable, SHA-256 of the content): the name of a workspace."""
    return _name_of({path: (file.executable, hashlib.sha256(file.content).hexdigest()) for path, file in files.items()})


def folder_hash(folder: Path) -> str:
    """The name of what lies in a folder, as `workspace_hash`; links and what is no plain file count as something that no archive holds."""
    found: dict[str, tuple[bool, str]] = {}
    for place, folders, names in os.walk(folder):
        relative = "" if Path(place) == folder else f"{Path(place).relative_to(folder).as_posix()}/"
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*names, *(each for each in folders if Path(place, each).is_symlink())):
            path = Path(place, name)
            plain = path.is_file() and not path.is_symlink()
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if plain else "no plain file"
            found[f"{relative}{name}"] = (plain and bool(path.stat().st_mode & 0o100), digest)
    return _name_of(found)


def check_files(files: Files) -> None:
    """Raise ConfigurationError for what no archive takes: too many or too large files, names that lead elsewhere."""
    total = sum(len(file.content) for file in files.values())
    if len(files) > MOST_FILES or total > LARGEST_WORKSPACE:
        raise ConfigurationError(
            f"the workspace has {len(files)} files of {total >> 20} MiB; a task set takes {MOST_FILES} of {LARGEST_WORKSPACE >> 20} MiB",
            remedy="let git ignore what the checks do not need",
        )
    for path, file in files.items():
        if why := _refusal(path, len(file.content)):
            raise ConfigurationError(f"{path!r} cannot be in a task set: {why}", remedy="rename or remove it")


def pack(files: Files, target: Path) -> None:
    """Write an archive, whole or not at all. Raises ConfigurationError for files that no archive takes."""
    check_files(files)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(raw, closefd=False) as packed:
                _write(files, packed)
            raw.flush()
            os.fchmod(raw.fileno(), 0o644)
            os.fsync(raw.fileno())
        Path(temporary).rename(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def read_files(archive: Path) -> dict[str, File]:
    """The files of an archive. Raises ConfigurationError for a damaged or hostile one."""
    found = dict(_members(archive))
    if (name := archive.name.partition(".")[0]) != workspace_hash(found):
        raise _damaged(archive, f"what it holds is not {name[:12]}")
    return found


def unpack(archive: Path, folder: Path, *, owner: int | None = None) -> None:
    """Lay an archive out as `folder`, which appears whole or not at all; with `owner` the files belong to that user.

    One at a time: the caller holds a lock. Raises ConfigurationError for a damaged or hostile archive, InfrastructureError where the
    disk does not take it.
    """
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:16]}."))
    try:
        for path, file in read_files(archive).items():
            _lay_out(temporary, path, file)
        _settle(temporary, owner)
        _replace(temporary, folder)
    except OSError as error:
        raise InfrastructureError(f"cannot write {folder}: {error.strerror}", remedy="make room in suture's cache folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(temporary: Path, folder: Path) -> None:
    """Put a whole folder in place of whatever is there."""
    if not folder.exists():
        temporary.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:16]}."))
    folder.rename(aside / "old")
    temporary.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _lay_out(folder: Path, path: str, file: File) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(file.content)
        os.fchmod(opened.fileno(), 0o755 if file.executable else 0o644)
    os.utime(place, (EPOCH, EPOCH))


def _settle(folder: Path, owner: int | None) -> None:
    """Modes that do not depend on who unpacks, and the owner."""
    for place, _, names in os.walk(folder):
        Path(place).chmod(0o755)
        for path in (Path(place), *(Path(place, name) for name in names)):
            if owner is not None:
                os.chown(path, owner, owner, follow_symlinks=False)


def _write(files: Files, target: IO[bytes]) -> None:
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime = len(files[path].content), EPOCH
            entry.mode = 0o755 if files[path].executable else 0o644
            tar.addfile(entry, io.BytesIO(files[path].content))


def _members(archive: Path) -> Iterator[tuple[str, File]]:
    total = 0
    seen: set[str] = set()
    try:
        with archive.open("rb") as raw:
            stream = _Bounded(zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(raw))
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for entry in tar:
                    total += entry.size
                    why = "it is no plain file" if not entry.isreg() else _refusal(entry.name, entry.size)
                    why = why or ("it is there twice" if entry.name in seen else "")
                    if why or total > LARGEST_WORKSPACE or len(seen) >= MOST_FILES:
                        raise _damaged(archive, f"{entry.name!r}: {why or 'too much in all'}")
                    opened = tar.extractfile(entry)
                    content = opened.read() if opened is not None else b""
                    if len(content) != entry.size:
                        raise _damaged(archive, "it ends too soon")
                    seen.add(entry.name)
                    yield entry.name, File(content, bool(entry.mode & 0o100))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{archive} is missing", remedy="take it from where the task set comes from") from error
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError, ValueError) as error:
        raise _damaged(archive, str(error)) from error


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where more comes out of it than any workspace takes, headers included."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = LARGEST_WORKSPACE + MOST_FILES * _OVERHEAD

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, and no more than are left."""
        content = self._stream.read(size if size >= 0 else self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError("it unpacks to more than any workspace")
        return content


def _refusal(path: str, size: int) -> str:
    """Why a file cannot be in an archive; empty where it can."""
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or str(pure) != path or "\0" in path:
        return "it is no path inside the workspace"
    if any(part.lower() == ".git" for part in pure.parts) or pure.parts[0] == ".suture":
        return "it belongs to git or to suture"
    try:
        names = [part.encode() for part in pure.parts]
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if any(len(name) > LONGEST_NAME for name in names) or sum(map(len, names)) > _OVERHEAD // 2:
        return "its name is too long"
    return "" if size <= LARGEST_FILE else f"it is larger than {LARGEST_FILE >> 20} MiB"


def _name_of(described: Mapping[str, tuple[bool, str]]) -> str:
    content = hashlib.sha256()
    for path in sorted(described):
        executable, digest = described[path]
        content.update(f"{path}\0{'x' if executable else '-'}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return content.hexdigest()


def _damaged(archive: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"{archive} cannot be unpacked: {why}", remedy="take it again from where the task set comes from")
