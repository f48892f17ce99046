"""The tools of the `agent` harness: plain functions over a workbench, a table of schemas, and the validation of calls.

A tool's reply is text for the policy, errors included; nothing here raises because of what a policy wrote, except `Submitted`. Edits live
in the workbench, commands run in fresh attempts that see them; the user's files are never touched.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
import os
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.errors import Submitted, ToolRefused
from suture_agent.harness import Harness
from suture_agent.meter import Meter
from suture_agent.policies import ToolCall, ToolSchema
from suture_agent.privacy import Privacy
from suture_agent.problem import Problem
from suture_agent.recall import Recall
from suture_agent.timing import within
from suture_sandbox.backend import Command
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import ConfigurationError, PatchError
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import shorten
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines

SKIPPED_FOLDERS = frozenset(
    {".git", ".suture", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"}
)
MOST_RESULTS = 100
MOST_LINES = 400
LARGEST_FILE = 1_000_000
"""Bytes; larger files are neither searched nor read."""
LONGEST_COMMAND = 100_000
"""Bytes of a shell command, or of a test's name; Linux takes a little more in one argument."""
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


class Workbench:
    """The state of one episode: the edits that the policy has made so far."""

    def __init__(self, problem: Problem, meter: Meter, recall: Recall) -> None:
        self.problem = problem
        self.meter = meter
        self.recall = recall
        self.privacy = Privacy(problem.snapshot.root, meter.harness.excluded or ())
        self.edits: dict[str, bytes | None] = {}
        self._originals: dict[str, bytes | None] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The problem's snapshot with the edits over it."""
        return self.problem.snapshot.with_edits(self.edits)

    @property
    def patch(self) -> Patch:
        """What the edits amount to, against the text that the policy saw: what a person writes meanwhile must not be undone."""
        return patch_between(self.problem.snapshot.with_edits(self._originals), self.edits)

    def edit(self, edits: Mapping[str, bytes | None]) -> None:
        """Make edits; raises PatchError, and makes none, where they cannot stand beside the others."""
        self.snapshot.with_edits(edits)
        for path, content in edits.items():
            if path not in self.edits:
                self._originals[path] = self.problem.snapshot.read(path)
            self.edits[path] = content

    def files(self, pattern: str = "*") -> tuple[list[str], int]:
        """Sorted paths of the workspace's files that match a glob pattern, and how many more there are that are kept from the policy.

        Caches, environments and links are left out.
        """
        every = [path for path in walk(self.snapshot) if fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(Path(path).name, pattern)]
        shown = [path for path in every if not self.privacy.withheld(path)]
        return shown, len(every) - len(shown)


class FindFiles(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of find_files."""

    pattern: str


class FindText(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of find_text."""

    text: str
    pattern: str = "*"
    regex: bool = False


class ReadFile(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of read_file."""

    path: str
    start: int = 1
    end: int | None = None


class EditFile(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of edit_file."""

    path: str
    search: str
    replace: str


class RunCheck(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of run_check."""

    name: str
    tests: list[str] = []


class RunShell(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of run_shell."""

    command: str


class RecallFixes(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of recall."""

    query: str


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of submit."""


async def find_files(bench: Workbench, call: FindFiles) -> str:
    """List files of the workspace whose path matches a glob pattern, such as `*.py` or `src/**/test_*.py`."""
    found, kept = bench.files(call.pattern)
    more = [f"... and {len(found) - MOST_RESULTS} more; use a narrower pattern"] if len(found) > MOST_RESULTS else []
    return "\n".join([*(found[:MOST_RESULTS] or [f"no file matches {call.pattern!r}"]), *more, *_withheld(kept, "listed")])


async def find_text(bench: Workbench, call: FindText) -> str:
    """Search the workspace's text files for a string, or for a regular expression with regex=true; prints path:line: text."""
    hits: list[str] = []
    paths, kept = bench.files(call.pattern)
    for files in _portions(bench, paths):
        found = await _matches(bench, call.text, files) if call.regex else _occurrences(call.text, files)
        hits += [f"{path}:{number + 1}: {files[path][number].strip()[:200]}" for path, number in found]
        if len(hits) > MOST_RESULTS:
            return "\n".join([*hits[:MOST_RESULTS], "... there may be more; narrow the search"])
    return "\n".join([*(hits or [f"{call.text!r} was not found"]), *_withheld(kept, "searched")])


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


async def run_check(bench: Workbench, call: RunCheck) -> str:
    """Run one of the workspace's checks by name on your edits, in a fresh sandbox; `tests` narrows it to those tests."""
    _speakable(*call.tests)
    try:
        check = bench.meter.sandbox.check_named(call.name)
        result = await bench.meter.check(check, bench.snapshot, call.tests)
    except ConfigurationError as error:
        raise ToolRefused(f"{error}. {error.remedy}".strip()) from error
    return describe(result)


async def run_shell(bench: Workbench, call: RunShell) -> str:
    """Run a shell command in a fresh sandbox at the workspace's root. No network. Changed files of the workspace are kept as your edits;
    background processes are not kept.
    """
    _speakable(call.command)
    seconds = bench.meter.harness.budgets.tool_seconds
    command = Command(argv=("/bin/sh", "-c", call.command), seconds=seconds, keep=True)
    completed = await bench.meter.run(bench.snapshot, command)
    changes = {path: content for path, content in completed.changes.items() if not _unkept(bench, path)}
    kept = {path: content for path, content in changes.items() if not bench.privacy.withheld(path)}
    bench.edit(kept)
    if completed.ended == "timeout" and bench.meter.harness.timeout_reply is not msgspec.UNSET:
        return bench.meter.harness.timeout_reply
    ended = f"exit code {completed.exit_code}" if completed.ended == "exited" else f"stopped: {completed.ended}"
    output = (completed.stdout + completed.stderr).decode("utf-8", "replace").strip()
    notes = [f"kept your change of {path}" for path in sorted(kept)] + _withheld(len(changes) - len(kept), "kept")
    if not completed.kept_all:
        stopped = completed.ended != "exited"
        notes.append("its changes are not kept" if stopped else "some changes are not kept: links, devices, or too large")
    return "\n".join([output or "(no output)", f"({ended})", *notes])


async def recall(bench: Workbench, call: RecallFixes) -> str:
    """Look up past proven fixes that resemble a failure; give the error's text."""
    fixes = [fix for fix in await bench.recall(call.query) if not bench.privacy.withholds_diff(fix.diff)]
    return "\n\n".join(f"{fix.failure}\nwas fixed by:\n{fix.diff}" for fix in fixes) or "nothing similar was fixed before"


async def submit(bench: Workbench, call: Submit) -> str:  # noqa: ARG001  # every tool has this shape
    """Say that you are done: your edits are then proven against the original tests. Call it once the checks pass."""
    if not bench.patch.edits:
        raise ToolRefused("you have not edited anything yet")
    raise Submitted("submitted")


Tool = Callable[[Workbench, Any], Coroutine[Any, Any, str]]

TOOLS: Mapping[str, tuple[type[msgspec.Struct], Tool]] = {
    "find_files": (FindFiles, find_files),
    "find_text": (FindText, find_text),
    "read_file": (ReadFile, read_file),
    "edit_file": (EditFile, edit_file),
    "run_check": (RunCheck, run_check),
    "run_shell": (RunShell, run_shell),
    "recall": (RecallFixes, recall),
    "submit": (Submit, submit),
}


def schema_of(name: str) -> ToolSchema:
    """A tool's schema, from its arguments' record and its docstring."""
    arguments, tool = TOOLS[name]
    _, components = msgspec.json.schema_components([arguments], ref_template="{name}")
    inner = components[arguments.__name__]
    parameters = {"type": "object", "properties": inner.get("properties", {}), "required": inner.get("required", [])}
    return ToolSchema(name=name, description=" ".join((tool.__doc__ or "").split()), parameters=parameters)


SCHEMAS: tuple[ToolSchema, ...] = tuple(schema_of(name) for name in TOOLS)


def offered(harness: Harness) -> tuple[ToolSchema, ...]:
    """The tools that a harness gives the policy."""
    return tuple(schema for schema in SCHEMAS if not harness.tools or schema.name in harness.tools)


async def call_tool(bench: Workbench, call: ToolCall) -> str:
    """Carry out a call; a malformed one, or one that cannot be done, is answered with what was wrong. Raises Submitted."""
    names = [schema.name for schema in offered(bench.meter.harness)]
    found = TOOLS[call.name] if call.name in names else None
    if found is None:
        close = difflib.get_close_matches(call.name, names, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"
        return f"error: there is no tool {call.name!r}{hint}"
    arguments, tool = found
    try:
        parsed = msgspec.json.decode(call.arguments or "{}", type=arguments)
    except ValueError as error:  # msgspec's own errors, and text that is no Unicode
        return f"error: the arguments of {call.name} do not fit: {error}. Expected {json.dumps(schema_of(call.name).parameters)}"
    try:
        reply = await _in_time(bench, tool(bench, parsed))
    except ToolRefused as refused:
        reply = f"error: {refused}"
    return shorten(reply, bench.meter.harness.budgets.observation)


async def _in_time(bench: Workbench, work: Coroutine[Any, Any, str]) -> str:
    """The tool's reply, or the harness's own where it has one for calls whose time is up; a time-out of somebody else passes."""
    instead = bench.meter.harness.timeout_reply
    if instead is msgspec.UNSET:
        return await work
    reply = await within(bench.meter.harness.budgets.tool_seconds, work)
    return instead if reply is None else reply


def describe(result: CheckResult) -> str:
    """A check's result as text for a policy."""
    head = f"{result.check}: {result.status}" + (f" ({result.reason})" if result.reason else "")
    findings = [
        f"{finding.path}:{finding.range.start.line + 1}: {finding.test or finding.code}: {finding.detail or finding.message}"
        for finding in result.findings[:10]
    ]
    more = [f"... and {len(result.findings) - 10} more"] if len(result.findings) > 10 else []
    return "\n".join([head, *findings, *more])


def walk(snapshot: Snapshot) -> list[str]:
    """Sorted paths of all plain files of a snapshot, caches and environments left out."""
    found: set[str] = {path for path, content in snapshot.overlay.items() if content is not None}
    for folder, names, files in os.walk(snapshot.root):
        names[:] = [name for name in names if name not in SKIPPED_FOLDERS and not (Path(folder) / name / "pyvenv.cfg").exists()]
        base = Path(folder).relative_to(snapshot.root)
        found |= {
            (base / name).as_posix() for name in files if not name.endswith((".pyc", ".pyo")) and not (Path(folder) / name).is_symlink()
        }
    return sorted(path for path in found if snapshot.overlay.get(path, b"") is not None)


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


def _withheld(count: int, done: str) -> list[str]:
    """A line about files that are kept from the policy, where there are any."""
    files = "1 file is" if count == 1 else f"{count} files are"
    return [f"({files} not {done}: privacy.exclude names them, or git ignores them)"] if count else []


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


def _speakable(*arguments: str) -> None:
    """Refuse what cannot be an argument of a program."""
    for argument in arguments:
        if "\0" in argument:
            raise ToolRefused("a command cannot hold a null character")
        if len(argument.encode()) > LONGEST_COMMAND:
            raise ToolRefused(f"the command is longer than {LONGEST_COMMAND} bytes; write it to a file with edit_file and run that")


def _unkept(bench: Workbench, path: str) -> bool:
    try:
        bench.snapshot.check_path(path)
    except PatchError:
        return True
    return any(part in SKIPPED_FOLDERS for part in path.split("/"))


def _not_once(text: str, search: str, count: int, path: str) -> str:
    if count:
        return f"`search` occurs {count} times in {path}; give more lines around it"
    lines = _lines(text)
    first = next((line.strip() for line in search.splitlines() if line.strip()), "")
    near = difflib.get_close_matches(first, [line.strip() for line in lines], n=1, cutoff=0.6)
    hint = f"; the nearest line is: {near[0]}" if near else ""
    return f"`search` does not occur in {path}, white space included{hint}"
