"""Bytecode that Python could take for that of an edited source: same size, same second, or not dated at all."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from suture_sandbox.files import read_head


def bytecode_of(source: Path, size: int | None = None) -> list[Path]:
    """Bytecode of a source; with a size only what Python could take for that of a source of this size."""
    folder = source.parent / "__pycache__"
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = [path for path in folder.glob(f"{escape(source.stem)}.*.pyc") if not path.is_symlink() and path.is_file()]
    return [path for path in found if size is None or _may_match(path, size)]


def _may_match(bytecode: Path, size: int) -> bool:
    """Whether Python could take the bytecode for that of a source of `size` bytes: the header holds flags, time and size."""
    header = read_head(bytecode, 16)
    dated = header[4:8] == b"\0\0\0\0"
    return not dated or int.from_bytes(header[12:16], "little") == size & 0xFFFFFFFF
