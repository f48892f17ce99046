"""Python tracebacks in any text: frames, the exception, chained exceptions, syntax errors, faulthandler's dumps."""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, bounded, cut, inside, lines_of, nowhere, place, relative

_FRAME = re.compile(r'^[ |+-]*File "([^"]{1,1000})", line (\d{1,8})(?:, in (\S{1,200}))?')
_FAULT = re.compile(r'^  File "([^"]{1,1000})", line (\d{1,8}) in (\S{1,200})')
_EXCEPTION = re.compile(r"^[ |+-]*([A-Za-z_][\w.]{0,200})(?:: (.*))?$")
_FATAL = re.compile(r"^(Fatal Python error: .*|Timeout \(\d.*\)!)")
_START = "Traceback (most recent call last):"


class Frame(msgspec.Struct, frozen=True):
    """One frame as it was printed."""

    path: str
    line: int
    """Zero-based."""
    name: str


def parse(given: ReportInput) -> Report:
    """Every traceback on stdout and stderr is one finding."""
    return Report(findings=bounded(tracebacks(f"{given.stdout}\n{given.stderr}", given, Source(given))))


def tracebacks(text: str, given: ReportInput, source: Source) -> list[Finding]:
    """The findings of all tracebacks in a text; of a chain only the last exception, with all frames."""
    found: list[Finding] = []
    frames: list[Frame] = []
    block: list[str] = []
    fault = ""
    for line in lines_of(text):
        if _FATAL.match(line):
            fault, frames, block = line, [], [line]
            continue
        frame = _frame(line, given.root, fault=bool(fault))
        if frame is not None:
            frames.append(frame)
            block.append(line)
        elif frames and fault and not line.startswith("  "):
            found.append(_finding(fault, list(reversed(frames)), block, given, source))
            frames, block, fault = [], [], ""
        elif frames and _ends(line):
            block.append(line)
            found.append(_finding(line, frames, block, given, source))
            frames, block = [], []
        elif frames or _START in line:
            block.append(line)
    if frames:
        found.append(_finding(fault or "the traceback is cut off", list(reversed(frames)) if fault else frames, block, given, source))
    return found


def _frame(line: str, root: str, *, fault: bool) -> Frame | None:
    found = _FAULT.match(line) if fault else _FRAME.match(line)
    if found is None:
        return None
    return Frame(relative(found[1], root), max(int(found[2]) - 1, 0), found[3] or "")


def _ends(line: str) -> bool:
    """Whether a line is the exception that closes a traceback: at the left edge, and it looks like a class name."""
    stripped = line.lstrip(" |+-")
    return bool(stripped) and not line.startswith("    ") and _EXCEPTION.match(line) is not None and not stripped.startswith("File ")


def _finding(last: str, frames: list[Frame], block: list[str], given: ReportInput, source: Source) -> Finding:
    said = _EXCEPTION.match(last)
    own = [frame for frame in frames if inside(frame.path)]
    at = own[-1] if own else None
    return Finding(
        check=given.check,
        path=at.path if at else "",
        range=source.line(at.path, at.line) if at else nowhere(),
        code=said[1].rsplit(".", 1)[-1][:100] if said else "",
        message=last.lstrip(" |+-")[:LONGEST_MESSAGE],
        detail=cut("\n".join(block), LONGEST_DETAIL),
        related=tuple(place(frame.path, frame.line, frame.name, source) for frame in own[-20:]),
    )
