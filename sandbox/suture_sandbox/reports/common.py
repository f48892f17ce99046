"""What the parsers share: bounds, paths, colours, ranges. All of it is total and linear."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

from suture_sandbox.findings import Finding, Place
from suture_sandbox.reports import ReportInput
from suture_sandbox.text import Encoding, Position, Range, point, split_lines, whole_line

MOST_FINDINGS = 2000
MOST_PLACES = 30
LONGEST_MESSAGE = 2000
LONGEST_DETAIL = 8000
LONGEST_LINE = 4000
"""Characters of a line that is looked at; longer ones are no report's."""
LONGEST_PATH = 1000

_ANSI = re.compile(r"\x1b\[[0-9;:?]{0,32}[A-Za-z]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)")
_FOREIGN = frozenset({"site-packages", "dist-packages", ".venv", "venv", "node_modules", ".tox", ".nox"})


class Source:
    """Positions in the workspace's files, each file read once."""

    def __init__(self, given: ReportInput) -> None:
        self._given = given
        self._lines: dict[str, list[str] | None] = {}
        self._ranges: dict[tuple[str, int], Range] = {}

    def lines(self, path: str) -> list[str] | None:
        """Lines of a workspace file, None where it cannot be read."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def line(self, path: str, line: int) -> Range:
        """Range of a zero-based line's text."""
        key = (path, _bounded(line))
        if key not in self._ranges:
            self._ranges[key] = whole_line(key[1], lines=self.lines(path))
        return self._ranges[key]

    def span(self, path: str, start: tuple[int, int], end: tuple[int, int] | None = None, *, unit: Encoding = "utf-32") -> Range:
        """Range from zero-based (line, column) pairs in `unit`; without an end, to the end of the line's text."""
        lines = self.lines(path)
        first = point(_bounded(start[0]), _bounded(start[1]), lines=lines, source=unit)
        if end is None:
            return Range(first, max(first, self.line(path, start[0]).end))
        return Range(first, max(first, point(_bounded(end[0]), _bounded(end[1]), lines=lines, source=unit)))

    def definition(self, path: str, name: str) -> int | None:
        """The zero-based line that defines a function or class of this name, None where there is none; the last one wins, as in Python."""
        lines = self.lines(path)
        if lines is None or not name.isidentifier():
            return None
        heads = (f"def {name}(", f"async def {name}(", f"class {name}(", f"class {name}:")
        return next((index for index in range(len(lines) - 1, -1, -1) if lines[index].lstrip().startswith(heads)), None)

    def _read(self, path: str) -> list[str] | None:
        if not inside(path) or len(path) > LONGEST_PATH:
            return None
        try:
            text = self._given.read_text(path)
        except (OSError, ValueError):  # a name that no file can have
            return None
        return None if text is None else split_lines(text)


def nowhere() -> Range:
    """The range of a finding without a place."""
    return Range(Position(0, 0), Position(0, 0))


def plain(text: str) -> str:
    """The text without terminal colours and carriage returns."""
    return _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> list[str]:
    """Lines of a tool's output, each cut to a bounded length."""
    return [line[:LONGEST_LINE] for line in plain(text).split("\n")]


def relative(path: str, root: str) -> str:
    """A path as findings have it: relative to the workspace where it lies inside, else as it is."""
    path = path.strip().replace("\\", "/")
    root = root.rstrip("/")
    if path.startswith(f"{root}/"):
        path = path[len(root) + 1 :]
    if path.startswith("/") or not path:
        return path
    return posixpath.normpath(path)


def inside(path: str) -> bool:
    """Whether a path that `relative` gave is the workspace's own code."""
    return path not in ("", ".", "..") and not path.startswith(("/", "../", "<")) and _FOREIGN.isdisjoint(path.split("/")[:-1])


def cut(text: str, limit: int) -> str:
    """A text of at most `limit` characters; the middle is left out."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]}\n...\n{text[-half:]}"


def places(frames: Sequence[tuple[str, int, str]], source: Source) -> tuple[Place, ...]:
    """Traceback frames (path, zero-based line, function) as places: repeated ones once, and of many the first and the last."""
    kept = [frame for index, frame in enumerate(frames) if index == 0 or frame != frames[index - 1]]
    if len(kept) > MOST_PLACES:
        kept = [*kept[: MOST_PLACES // 2], *kept[-MOST_PLACES // 2 :]]
    return tuple(Place(path=path, range=source.line(path, line), message=name[:200]) for path, line, name in kept)


def whole(given: ReportInput, code: str, message: str, detail: str = "") -> Finding:
    """A finding that names no place."""
    text = message.strip()[:LONGEST_MESSAGE] or f"{code} failed"
    return Finding(check=given.check, path="", range=nowhere(), code=code, message=text, detail=cut(detail, LONGEST_DETAIL))


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """At most `MOST_FINDINGS` findings, duplicates left out."""
    kept: dict[Finding, None] = {}
    for finding in findings:
        if len(kept) >= MOST_FINDINGS:
            break
        kept.setdefault(finding)
    return tuple(kept)


def number(text: str | None) -> int:
    """A decimal number of a report, 0 for anything else or anything absurd."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else 0


def _bounded(value: int) -> int:
    return min(max(value, 0), 10_000_000)
