"""The text of one failed pytest test, in the styles `short`, `long` and `native`, as a finding."""

from __future__ import annotations

import re

import msgspec

from suture_sandbox.findings import Finding
from suture_sandbox.reports import ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, cut, inside, lines_of, nowhere, places, relative
from suture_sandbox.reports.tracebacks import tracebacks

_SHORT_FRAME = re.compile(r"^([^\s:][^:]{0,1000}):(\d{1,8}): in (.{1,300})$")
_LONG_FRAME = re.compile(r"^([^\s:][^:]{0,1000}):(\d{1,8}): ?([A-Za-z_][\w.]{0,200})?$")
_LONG_HEAD = re.compile(r"^    (?:async )?def (\w{1,200})\(")
_CLASS = re.compile(r"^([A-Za-z_][\w.]{0,200})(?::|$)")
_OF_A_TEST = re.compile(r"^(?:In )?([^\s:][^:]{0,1000}\.py)::(?:\w{1,200}::){0,20}(\w{1,200})(?:\[.{0,1000}\])?: ")
_CAPTURED = re.compile(r"^-{3,60} Captured ")
_HOOK = re.compile(r"unknown hook '(\w{1,200})' in plugin <module '[^'\n]{1,300}' from '([^'\n]{1,1000})'>")
_SAID_LINES = 6


class Place(msgspec.Struct, frozen=True):
    """Where a failure is put when its text names no place of the workspace."""

    path: str = ""
    line: int = 0


def failure(
    text: str, *, test: str, given: ReportInput, source: Source, message: str = "", kind: str = "", at: Place | None = None
) -> Finding:
    """The finding of one failure's text; `message` and `kind` (the exception's class) are what the report says beside the text."""
    lines = lines_of(text)
    frames = _frames(lines, given.root)
    said = _said(lines)
    native = _native(text, said, frames, given, source)
    if native is not None:
        return msgspec.structs.replace(in_plugin(native, given, source), test=test, detail=cut("\n".join(lines), LONGEST_DETAIL))
    said = said or [line for line in (message or text).split("\n") if line.strip()]
    at = _named(said, given, source) or at or Place()
    path, line = frames[-1][:2] if frames else (at.path, at.line)
    return Finding(
        check=given.check,
        path=path,
        range=source.line(path, line) if path else nowhere(),
        code=_code(said, kind),
        message="\n".join(said[:_SAID_LINES])[:LONGEST_MESSAGE] or f"{test or path or 'a test'} failed",
        test=test,
        detail=cut("\n".join(lines), LONGEST_DETAIL),
        related=places(frames, source),
    )


def _frames(lines: list[str], root: str) -> list[tuple[str, int, str]]:
    """The workspace's frames, outermost first; what a test printed is not looked at."""
    frames: list[tuple[str, int, str]] = []
    head = ""
    for line in lines:
        if _CAPTURED.match(line):
            break
        if found := _LONG_HEAD.match(line):
            head = found[1]
        found = _SHORT_FRAME.match(line) or _LONG_FRAME.match(line)
        path = relative(found[1], root) if found else ""
        if found and inside(path):
            frames.append((path, max(int(found[2]) - 1, 0), head if found.re is _LONG_FRAME else found[3]))
    return frames


def _said(lines: list[str]) -> list[str]:
    """What pytest's `E` lines say: of a chain of exceptions, those of the last one."""
    said: list[str] = []
    after = True
    for line in lines:
        if _CAPTURED.match(line):
            break
        if line.startswith("E  ") or line == "E":
            said = [] if after else said
            said.append(line[4:].rstrip())
        after = not line.startswith("E")
    indent = min((len(line) - len(line.lstrip()) for line in said if line), default=0)
    return [line[indent:] for line in said]


def _named(said: list[str], given: ReportInput, source: Source) -> Place | None:
    """Where a test is written that the message begins with: pytest refuses it while it collects, and shows no frame."""
    found = _OF_A_TEST.match(said[0]) if said else None
    line = source.definition(relative(found[1], given.root), found[2]) if found else None
    return Place(relative(found[1], given.root), line) if found and line is not None else None


def in_plugin(finding: Finding, given: ReportInput, source: Source) -> Finding:
    """A finding without a place, put at the hook of a conftest.py that pytest knows none of; any other as it is."""
    found = None if finding.path else _HOOK.search(finding.message)
    path = relative(found[2], given.root) if found else ""
    if found is None or not inside(path):
        return finding
    return msgspec.structs.replace(finding, path=path, range=source.line(path, source.definition(path, found[1]) or 0))


def _native(text: str, said: list[str], frames: list[tuple[str, int, str]], given: ReportInput, source: Source) -> Finding | None:
    """Failures that hold one of Python's own tracebacks: a syntax error in the `E` lines, an exception group, `--tb=native`."""
    if said and said[0].lstrip().startswith('File "'):
        found = tracebacks("\n".join(said), given, source)
        mine = places(frames, source)
        return msgspec.structs.replace(found[-1], related=(*mine, *found[-1].related)) if found else None
    if not said and not frames and "Traceback (most recent call last)" in text:
        found = tracebacks(f"  {text}" if text.startswith("+ Exception Group") else text, given, source)
        return found[0] if found else None
    return None


def _code(said: list[str], kind: str) -> str:
    found = _CLASS.match(said[0]) if said and not _OF_A_TEST.match(said[0]) else None
    if found is not None and (found[0].endswith(":") or len(said[0]) == len(found[1])):
        return found[1].rsplit(".", 1)[-1]
    if said and said[0].startswith("assert"):
        return "AssertionError"
    return kind.rsplit(".", 1)[-1][:100] or "Failed"
