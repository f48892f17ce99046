"""Python tracebacks in any text: chains, exception groups, repeated frames, syntax errors with carets, faulthandler's dumps.

A chain is one finding: the last exception decides, the frames of all are kept. A group is one finding too, at the place where its first
member was raised. What this deliberately is not: a reader of frames' local variables or of other languages' stack traces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, bounded, cut, inside, lines_of, nowhere, places, relative
from suture_sandbox.text import Range

_FRAME = re.compile(r'^ *File "([^"]{1,1000})", line (\d{1,8})(?:, in (\S{1,200})|\s*$)')
_FAULT_FRAME = re.compile(r'^  File "([^"]{1,1000})", line (\d{1,8}) in (\S{1,200})')
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]{0,200})(?:: |:?$)")
_FAULT = re.compile(r"(Fatal Python error: .{1,300}|Timeout \(\d[\d:.]{0,30}\)!)")
_BAR = re.compile(r"^ *(?:\| ?|\+ (?=Exception Group ))")
_MEMBER = re.compile(r"^ *\+[-+]{2,40}(?: [\d.]{1,8} )?-{2,80}$")
_START = ("Traceback (most recent call last):", "Exception Group Traceback (most recent call last):")
_GROUP_START = "+ Exception Group Traceback (most recent call last):"
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_CUT_OFF = "the traceback is cut off"
_MEMBERS_SHOWN = 5

Frame = tuple[str, int, str]
"""Path as `relative` gives it, zero-based line, function (empty for a syntax error's place)."""


class Raised(msgspec.Struct):
    """One exception with its frames."""

    link: Literal["alone", "chained", "member"]
    """How it belongs to the one before it."""
    frames: list[Frame] = []
    said: str = ""
    """The exception's own line, such as `KeyError: 'a'`."""
    marked: tuple[str, str] = ("", "")
    """The last source line and the carets below it."""
    block: list[str] = []
    members: list[Raised] = []
    """Of an exception group: the exceptions in it."""


def parse(given: ReportInput) -> Report:
    """Every traceback on stdout and stderr is one finding."""
    return Report(findings=bounded(tracebacks(f"{given.stdout}\n{given.stderr}", given, Source(given))))


def tracebacks(text: str, given: ReportInput, source: Source) -> list[Finding]:
    """The findings of all tracebacks in a text."""
    lines = lines_of(text)
    raised = _joined(_Reader(given.root).read(lines))
    return [*(_finding(each, given, source) for each in raised), *_faults(lines, given, source)]


class _Reader:
    """Reads exceptions line by line, in the order in which they are printed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._found: list[Raised] = []
        self._now = Raised("alone")
        self._group = ""
        """Where the reader is: outside of groups, in a group's own traceback, among its members, or behind its last line."""
        self._chained = False

    def read(self, lines: Iterable[str]) -> list[Raised]:
        """All exceptions of the text."""
        for line in lines:
            self._take(line, self._unbarred(line))
        if self._now.frames:
            self._close(_CUT_OFF)
        return self._found

    def _unbarred(self, line: str) -> str:
        """The line without the bar that groups print before it; follows where groups begin and end."""
        if line.lstrip().startswith(_GROUP_START) and not self._group:
            self._group = "own"
        bar = _BAR.match(line) if self._group else None
        if self._group and _MEMBER.match(line):
            self._group = "members" if any(character.isdigit() for character in line) else "behind"
        elif bar is None and (self._group == "behind" or line.startswith(_START)):
            self._group = ""
        return line[bar.end() :] if bar else line

    def _take(self, line: str, body: str) -> None:
        if body.startswith(_START):
            if self._now.frames:
                self._close(_CUT_OFF)
            self._now.block = [line]
        elif body.strip() in _CHAINED:
            self._chained = True
        elif (frame := _FRAME.match(body)) is not None:
            self._now.frames.append((relative(frame[1], self._root), max(int(frame[2]) - 1, 0), frame[3] or ""))
            self._now.marked = ("", "")
            self._now.block.append(line)
        elif self._now.frames:
            self._after_a_frame(line, body)
        elif self._group == "members" and _EXCEPTION.match(body):
            self._close(body)

    def _after_a_frame(self, line: str, body: str) -> None:
        self._now.block.append(line)
        if body.startswith("  ") or not body.strip():
            bare = body.strip()
            if bare:
                self._now.marked = (self._now.marked[0], body) if not bare.strip("^~") else (body, "")
        elif _EXCEPTION.match(body):
            self._close(body)

    def _close(self, said: str) -> None:
        done, self._now = self._now, Raised("alone")
        done.said = said
        done.link = "member" if self._group in ("members", "behind") else "chained" if self._chained else "alone"
        self._chained = False
        self._found.append(done)


def _joined(found: list[Raised]) -> list[Raised]:
    """Chains made one, members put into their groups."""
    joined: list[Raised] = []
    for each in found:
        if each.link == "alone" or not joined:
            joined.append(each)
        elif each.link == "member":
            joined[-1].members.append(each)
            joined[-1].block += each.block or [each.said]
        else:
            before = joined.pop()
            before.block += ["", *each.block]
            before.frames += [frame for member in before.members for frame in member.frames] + each.frames
            joined.append(Raised("alone", before.frames, each.said, each.marked, before.block))
    return joined


def _finding(raised: Raised, given: ReportInput, source: Source) -> Finding:
    frames = [*raised.frames, *(frame for member in raised.members for frame in member.frames)]
    own = [frame for frame in frames if inside(frame[0])]
    deciding = next((member for member in raised.members if any(inside(frame[0]) for frame in member.frames)), raised)
    at = next((frame for frame in reversed(deciding.frames) if inside(frame[0])), None)
    code = _EXCEPTION.match(raised.said)
    said = [raised.said, *(member.said for member in raised.members[:_MEMBERS_SHOWN])]
    return Finding(
        check=given.check,
        path=at[0] if at else "",
        range=nowhere() if at is None else _where(at, deciding, source),
        code=code[1].rsplit(".", 1)[-1][:100] if code else "",
        message="\n".join(said)[:LONGEST_MESSAGE],
        detail=cut("\n".join(raised.block), LONGEST_DETAIL),
        related=places(own, source),
    )


def _where(at: Frame, raised: Raised, source: Source) -> Range:
    """The carets' place for a syntax error, where the file still has the line that was printed; else the whole line."""
    path, line, name = at
    lines = source.lines(path)
    shown, carets = raised.marked
    if name or at != raised.frames[-1] or "^" not in carets or lines is None or line >= len(lines):
        return source.line(path, line)
    text = lines[line]
    if text.strip() != shown.strip():
        return source.line(path, line)
    start = carets.index("^") - (len(shown) - len(shown.lstrip())) + (len(text) - len(text.lstrip()))
    if start >= len(text.rstrip()):  # at the line's end, or wrong: Python puts carets too far right behind characters outside of ASCII
        return source.line(path, line)
    return source.span(path, (line, start), (line, start + carets.count("^")))


def _faults(lines: list[str], given: ReportInput, source: Source) -> list[Finding]:
    """Faulthandler's dumps: a crash or a time-out, with the stacks of all threads, innermost frame first."""
    dumps: list[tuple[str, list[list[Frame]], list[str]]] = []
    for line in lines:
        if found := _FAULT.search(line):
            dumps.append((found[1], [], [line]))
        elif dumps:
            _take_dumped(line, dumps[-1], given.root)
    return [_of_dump(*dump, given, source) for dump in dumps]


def _take_dumped(line: str, dump: tuple[str, list[list[Frame]], list[str]], root: str) -> None:
    _, stacks, block = dump
    if line.startswith(("Thread 0x", "Current thread 0x")):
        stacks.append([])
        block.append(line)
    elif stacks and (frame := _FAULT_FRAME.match(line)):
        stacks[-1].append((relative(frame[1], root), max(int(frame[2]) - 1, 0), frame[3]))
        block.append(line)


def _of_dump(said: str, stacks: list[list[Frame]], block: list[str], given: ReportInput, source: Source) -> Finding:
    """The stack that decides is the last one with a frame of the workspace: faulthandler prints the main thread last."""
    own = [[frame for frame in reversed(stack) if inside(frame[0])] for stack in stacks]
    frames: list[Frame] = next((stack for stack in reversed(own) if stack), list[Frame]())
    path, line = frames[-1][:2] if frames else ("", 0)
    return Finding(
        check=given.check,
        path=path,
        range=source.line(path, line) if path else nowhere(),
        code="Timeout" if said.startswith("Timeout") else "FatalError",
        message=said[:LONGEST_MESSAGE],
        detail=cut("\n".join(block), LONGEST_DETAIL),
        related=places(frames, source),
    )
