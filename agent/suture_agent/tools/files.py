"""Tools that look at files and change them: edits live in the workbench, the user's files are never touched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from suture_agent.errors import ToolRefused
from suture_agent.tools.arguments import EditFile, FindFiles, FindText, ReadFile
from suture_agent.tools.bench import LARGEST_FILE, Workbench, withheld
from suture_sandbox.backend import Command
from suture_sandbox.errors import PatchError
from suture_sandbox.text import split_lines

MOST_RESULTS = 100
MOST_LINES = 400
PORTION = 4_000_000
"""Characters that are searched at once."""
SEARCH_SECONDS = 10
SEARCH = """
import json, re, sys
given = json.load(sys.stdin)
wanted = re.compile(given["text"])
hits = [(at, number) for at, lines in enumerate(given["files"]) for number, line in enumerate(lines) if wanted.search(line)]
print(json.dumps(hits[: given["most"]]))
"""
"""Runs in the sandbox: a regular expression of a policy may take for ever, and nothing can stop one inside this process."""


async def find_files(bench: Workbench, call: FindFiles) -> str:
    """List files of the workspace whose path matches a glob pattern, such as `*.py` or `src/**/test_*.py`."""
    found, kept = bench.files(call.pattern)
    more = [f"... and {len(found) - MOST_RESULTS} more; use a narrower pattern"] if len(found) > MOST_RESULTS else []
    return "\n".join([*(found[:MOST_RESULTS] or [f"no file matches {call.pattern!r}"]), *more, *withheld(kept, "listed")])


async def find_text(bench: Workbench, call: FindText) -> str:
    """Search the workspace's text files for a string, or for a regular expression with regex=true; prints path:line: text."""
    hits: list[str] = []
    paths, kept = bench.files(call.pattern)
    for files in _portions(bench, paths):
        found = await _matches(bench, call.text, files) if call.regex else _occurrences(call.text, files)
        hits += [f"{path}:{number + 1}: {files[path][number].strip()[:200]}" for path, number in found]
        if len(hits) > MOST_RESULTS:
            return "\n".join([*hits[:MOST_RESULTS], "... there may be more; narrow the search"])
    return "\n".join([*(hits or [f"{call.text!r} was not found"]), *withheld(kept, "searched")])


async def read_file(bench: Workbench, call: ReadFile) -> str:
    """Read a file of the workspace, with line numbers; at most 400 lines a call, from line `start` to line `end`."""
    text = _text(bench, call.path)
    lines = _lines(text)
    start = max(1, call.start)
    end = min(len(lines), call.end or len(lines), start + MOST_LINES - 1)
    shown = [f"{number:5d}  {lines[number - 1]}" for number in range(start, end + 1)]
    rest = f"\n({len(lines)} lines in all)" if end < len(lines) else ""
    return "\n".join(shown) + rest if shown else f"{call.path} has {len(lines)} lines"


async def edit_file(bench: Workbench, call: EditFile) -> str:
    """Replace one occurrence of `search` in a file by `replace`. `search` must occur exactly once, white space included; an empty `search`
    creates a new file with the content `replace`.
    """
    snapshot = bench.snapshot
    try:
        snapshot.check_path(call.path)
    except PatchError as error:
        raise ToolRefused(str(error)) from error
    if reason := bench.privacy.withheld(call.path):
        raise ToolRefused(f"{call.path} {reason}, and cannot be edited")
    if not call.search:
        if snapshot.exists(call.path):
            raise ToolRefused(f"{call.path} exists; give the text to replace in `search`")
        try:
            bench.edit({call.path: call.replace.encode()})
        except PatchError as error:
            raise ToolRefused(str(error)) from error
        return f"created {call.path}"
    raw = snapshot.read(call.path)
    text = _text(bench, call.path)
    search, replace = call.search, call.replace
    if "\r\n" in text and "\r\n" not in search:
        search, replace = search.replace("\n", "\r\n"), replace.replace("\n", "\r\n")
    count = text.count(search)
    if count != 1:
        raise ToolRefused(_not_once(text, search, count, call.path))
    mark = b"\xef\xbb\xbf" if raw is not None and raw.startswith(b"\xef\xbb\xbf") else b""
    bench.edit({call.path: mark + text.replace(search, replace, 1).encode()})
    return f"edited {call.path}\n{bench.patch.diff()}"


def _text(bench: Workbench, path: str, default: str | None = None) -> str:
    """Text of a file that may be shown; refused with the nearest names where there is none."""
    snapshot = bench.snapshot
    reason = bench.privacy.reason(path)
    content = None if reason else snapshot.read(path)
    if content is not None and len(content) <= LARGEST_FILE:
        text = snapshot.read_text(path)
        if text is not None:
            return text
    if default is not None:
        return default
    if reason:
        raise ToolRefused(f"{path} {reason} and is not shown")
    if content is not None:
        raise ToolRefused(f"{path} is not a text file of less than {LARGEST_FILE} bytes")
    close = difflib.get_close_matches(path, bench.files()[0], n=3, cutoff=0.5)
    raise ToolRefused(f"there is no file {path}" + (f"; did you mean {', '.join(close)}?" if close else ""))


def _lines(text: str) -> list[str]:
    """Lines as tools number them: a form feed ends none."""
    lines = split_lines(text)
    return lines if lines[-1] else lines[:-1]


def _portions(bench: Workbench, paths: Sequence[str]) -> Iterator[dict[str, list[str]]]:
    """The lines of text files, a few megabytes at a time."""
    portion: dict[str, list[str]] = {}
    size = 0
    for path in paths:
        text = _text(bench, path, "")
        portion[path] = _lines(text)
        size += len(text)
        if size > PORTION:
            yield portion
            portion, size = {}, 0
    yield portion


def _occurrences(text: str, files: Mapping[str, list[str]]) -> list[tuple[str, int]]:
    return [(path, number) for path, lines in files.items() for number, line in enumerate(lines) if text in line]


async def _matches(bench: Workbench, text: str, files: Mapping[str, list[str]]) -> list[tuple[str, int]]:
    """Lines that a regular expression matches, searched in a fresh attempt."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ToolRefused(f"{text!r} is not a regular expression: {error}") from error
    given = {"text": text, "files": [[line[:1000] for line in lines] for lines in files.values()], "most": MOST_RESULTS + 1}
    seconds = min(SEARCH_SECONDS, bench.meter.harness.budgets.tool_seconds)
    command = Command(argv=("python", "-c", SEARCH), stdin=msgspec.json.encode(given), seconds=seconds)
    completed = await bench.meter.run(bench.snapshot, command)
    if completed.exit_code != 0:
        why = f"it did not end within {seconds} s" if completed.ended == "timeout" else "the search broke down"
        raise ToolRefused(f"{text!r} cannot be searched for: {why}; use a simpler expression, or regex=false")
    paths = list(files)
    return [(paths[at], number) for at, number in msgspec.json.decode(completed.stdout, type=list[tuple[int, int]])]


def _not_once(text: str, search: str, count: int, path: str) -> str:
    if count:
        return f"`search` occurs {count} times in {path}; give more lines around it"
    lines = _lines(text)
    first = next((line.strip() for line in search.splitlines() if line.strip()), "")
    near = difflib.get_close_matches(first, [line.strip() for line in lines], n=1, cutoff=0.6)
    hint = f"; the nearest line is: {near[0]}" if near else ""
    return f"`search` does not occur in {path}, white space included{hint}"
