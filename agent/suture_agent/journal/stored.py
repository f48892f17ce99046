"""What the journal keeps in its blobs: records of their own, so that a change of the program's records is not a change of old journals.

Messages and tools are kept once each and referred to by number: the requests of a conversation repeat all that went before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from suture_agent.journal.blobs import Blob, pack
from suture_agent.meter import Turn
from suture_agent.pipelines import Course, Judgement, OuterStep
from suture_agent.pipelines.signature import query_text
from suture_agent.pipelines.start import Start
from suture_agent.policies import Choice, Message, ToolSchema
from suture_agent.redact import redact, redact_value
from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.identity import identity_of
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot

LONGEST_FAILURE = 4000
"""Characters of a failure that recall searches through."""


class StoredRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answers."""

    messages: tuple[int, ...]
    tools: tuple[int, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 0
    stop: tuple[str, ...] = ()
    seed: int = 0
    candidates: int = 1
    prefill: str = ""
    thinking: bool = False
    by: Literal["policy", "judge"] = "policy"
    choices: tuple[Choice, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0


class StoredTurns(msgspec.Struct, frozen=True, kw_only=True):
    """A whole conversation."""

    messages: tuple[Message, ...] = ()
    tools: tuple[ToolSchema, ...] = ()
    turns: tuple[StoredRequest, ...] = ()


class StoredEdit(msgspec.Struct, frozen=True, kw_only=True):
    """An edit of a text file; a file that is not UTF-8 is told, not kept."""

    path: str
    before: str | None
    after: str | None
    binary: bool = False


class StoredPatch(msgspec.Struct, frozen=True, kw_only=True):
    """A patch as it is kept. A redacted one is for reading only: it no longer applies."""

    edits: tuple[StoredEdit, ...]
    redacted: bool

    def patch(self) -> Patch:
        """The patch that can be applied."""
        return Patch(tuple(FileEdit(path=edit.path, before=_bytes(edit.before), after=_bytes(edit.after)) for edit in self.edits))


def store_turns(turns: Sequence[Turn]) -> StoredTurns:
    """The conversation with every message and tool kept once, secrets taken out."""
    messages: dict[Message, int] = {}
    tools: dict[bytes, int] = {}
    kept = [_request(turn, messages, tools) for turn in turns]
    raw = {
        "messages": list(messages),
        "tools": [msgspec.json.decode(each) for each in tools],
        "turns": kept,
    }
    return msgspec.convert(redact_value(raw)[0], StoredTurns)


def _request(turn: Turn, messages: dict[Message, int], tools: dict[bytes, int]) -> StoredRequest:
    asked, answer = turn.request, turn.completion
    return StoredRequest(
        messages=tuple(messages.setdefault(each, len(messages)) for each in asked.messages),
        tools=tuple(tools.setdefault(msgspec.json.encode(each), len(tools)) for each in asked.tools),
        temperature=asked.temperature,
        top_p=asked.top_p,
        max_tokens=asked.max_tokens,
        stop=asked.stop,
        seed=asked.seed,
        candidates=asked.candidates,
        prefill=asked.prefill,
        thinking=asked.thinking,
        by=turn.by,
        choices=tuple(msgspec.structs.replace(choice, token_ids=(), logprobs=()) for choice in answer.choices),
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cached_tokens=answer.cached_tokens,
        seconds=answer.seconds,
    )


class StoredStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a start has beside the problem's findings and the checks' results. A redacted one is for reading only."""

    texts: dict[str, str | None]
    """Path -> content; None: deleted."""
    flaky: dict[str, tuple[str, ...]] = {}
    reproducible: bool = True
    redacted: bool = False


class StoredCourse(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline did: the outer loop's steps, the judge's words, and the diff of the progress that was kept."""

    steps: tuple[OuterStep, ...] = ()
    judged: tuple[Judgement, ...] = ()
    kept: str = ""


def store_start(start: Start) -> StoredStart:
    """The start with secrets taken out; marked when that changed a text or a finding, or a text is not UTF-8: it is no start any more."""
    texts: dict[str, str | None] = {}
    kept = msgspec.convert(stored_value(start.findings), tuple[Finding, ...])
    redacted = [(each.signature, each.range) for each in kept] != [(each.signature, each.range) for each in start.findings]
    for path, content in start.texts.items():
        try:
            texts[str(stored_value(path))] = clean = _clean(content)
        except UnicodeDecodeError:
            redacted = True
            continue
        redacted |= _bytes(clean) != content
    flaky = {check: tuple(tests) for check, tests in start.flaky.items()}
    return StoredStart(texts=texts, flaky=flaky, reproducible=start.reproducible, redacted=redacted)


def store_course(course: Course) -> StoredCourse | None:
    """The course with secrets taken out; None for one that says nothing beyond the conversation."""
    if not course.steps and not course.judged:
        return None
    raw = {"steps": course.steps, "judged": course.judged, "kept": course.kept.diff()}
    return msgspec.convert(redact_value(raw)[0], StoredCourse)


def store_patch(patch: Patch) -> StoredPatch:
    """The patch with secrets taken out, marked when that changed it."""
    edits = tuple(_edit(edit) for edit in patch.edits)
    return StoredPatch(edits=edits, redacted=any(edit.binary for edit in edits) or Patch(patch.edits) != _rebuilt(edits))


def _rebuilt(edits: Sequence[StoredEdit]) -> Patch:
    return StoredPatch(edits=tuple(edits), redacted=False).patch()


def _edit(edit: FileEdit) -> StoredEdit:
    try:
        return StoredEdit(path=str(stored_value(edit.path)), before=_clean(edit.before), after=_clean(edit.after))
    except UnicodeDecodeError:
        return StoredEdit(path=str(stored_value(edit.path)), before=None, after=None, binary=True)


def _clean(content: bytes | None) -> str | None:
    return None if content is None else redact(content.decode("utf-8"))[0]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def stored_value(value: Any) -> Any:  # noqa: ANN401  # anything msgspec encodes
    """Any other record as builtins, secrets taken out."""
    return redact_value(value)[0]


class PackedResults:
    """Results of checks as blobs. All problems of one text share theirs, and those of thousands of tests take a while to pack."""

    def __init__(self) -> None:
        self._last: tuple[tuple[CheckResult, ...], Blob] | None = None

    def of(self, results: tuple[CheckResult, ...]) -> Blob:
        """The blob, packed anew only where it is not the last one."""
        if self._last is None or self._last[0] is not results:
            self._last = results, pack(stored_value(results))
        return self._last[1]


def failure_text(findings: Sequence[Finding]) -> str:
    """What recall compares: code, message and detail of what failed, without paths, secrets taken out."""
    lines = dict.fromkeys(f"{finding.code}: {finding.message}\n{finding.detail}".strip() for finding in findings)
    return str(stored_value("\n".join(lines)[:LONGEST_FAILURE]))


def signature_text(findings: Sequence[Finding]) -> str:
    """What recall weighs most: codes and messages without numbers and what stands in quotes, secrets taken out."""
    return str(stored_value("\n".join(dict.fromkeys(map(query_text, findings)))[:LONGEST_FAILURE]))


def mended_code(diff: str) -> str:
    """What recall compares with the code around a failure: the lines of a diff as they were before it."""
    lines = diff.splitlines()
    return "\n".join(line[1:] for line in lines if line[:1] in ("-", " ") and not line.startswith("--- "))


def snapshot_hash(snapshot: Snapshot, findings: Sequence[Finding]) -> str:
    """Names the text that a problem is about: the edits over the workspace, and the files that its findings name."""
    places = {place.path for finding in findings for place in finding.related if not place.path.startswith("/")}
    paths = {finding.path for finding in findings} | places | set(snapshot.overlay)
    return identity_of({path: _digest(snapshot.read(path)) for path in sorted(paths - {""})})


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
