"""Ledgers: files of JSON lines that a kill -9 cannot break. One writer at a time, a record is on the disk when `add` returns.

A line that was being written when the process died has no line feed at its end; the next writer cuts it off, readers leave it out. What is
deliberately absent: changing or removing a line. Who wants to correct one adds another.
"""

from __future__ import annotations

import fcntl
import math
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from suture_training.errors import TrainingError

T = TypeVar("T")


class LedgerError(TrainingError):
    """A ledger that cannot be written or read; says which, where, and what to do."""


class Ledger:
    """Appends records to a file."""

    def __init__(self, path: Path) -> None:
        """Open the file, made where there is none. Raises LedgerError while another process writes it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise LedgerError(f"{path} is being written by another process", remedy="wait for it to end, or name another folder") from None
        self._close = weakref.finalize(self, os.close, self._descriptor)
        self._cut_torn_line()

    def add(self, *records: object) -> None:
        """Append records; they are durable when this returns, all of them or, after a crash, the first few."""
        lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        while lines:
            lines = lines[os.write(self._descriptor, lines) :]
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file; idempotent, and done for a ledger that nobody holds any more."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._descriptor).st_size
        end = size
        while end:
            begin = max(0, end - 65536)
            at = os.pread(self._descriptor, end - begin, begin).rfind(b"\n")
            if at >= 0:
                end = begin + at + 1
                break
            end = begin
        if end != size:
            os.ftruncate(self._descriptor, end)


def read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    """The records of a ledger, one at a time; none where there is no file. Raises LedgerError for a damaged line."""
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise LedgerError(
                    f"{path}:{number}: {error}", remedy="the line is damaged: remove it, or begin in another folder"
                ) from error


def write_json(path: Path, record: object) -> None:
    """Write a record as a file of its own, in one piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    with staged.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(_spelled(msgspec.to_builtins(record))), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


def _spelled(value: Any) -> Any:  # noqa: ANN401  # any tree of builtins
    """The tree with `nan` and `inf` as text: JSON has no such numbers, and null would not be read as one."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _spelled(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]  # of unknown shape
    if isinstance(value, list | tuple):
        return [_spelled(each) for each in value]  # pyright: ignore[reportUnknownVariableType]  # of unknown shape
    return value


def read_json(path: Path, kind: type[T]) -> T:
    """Read such a file. Raises LedgerError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind, strict=False)
    except (OSError, msgspec.MsgspecError) as error:
        raise LedgerError(f"{path} cannot be read: {error}", remedy="name the folder of a finished or interrupted run") from error
