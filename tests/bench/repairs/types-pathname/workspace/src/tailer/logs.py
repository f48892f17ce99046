"""The ends of log files."""

from __future__ import annotations

from collections import deque
from pathlib import Path


def newest(folder: str, pattern: str = "*.log") -> Path | None:
    """The file that was written last; None when there is none."""
    files = [path for path in Path(folder).glob(pattern) if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)


def tail(filename: str, count: int = 10) -> list[str]:
    """The last lines of a file, without their line ends; a file that is not there has none."""
    filename = Path(filename).expanduser()
    if not filename.exists():
        return []
    with filename.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


def errors(filename: str, count: int = 100) -> list[str]:
    return [line for line in tail(filename, count) if " ERROR " in line]
