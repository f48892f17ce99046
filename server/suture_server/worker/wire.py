"""What the language server and its worker say to each other: tagged records as JSON, each behind four bytes of length.

Requests carry a number and get exactly one `Answer`, `Refusal` or `Cancelled`; events belong to no request. Lists of findings are sent in
pieces, so that no message takes the reader more than a moment.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from suture_agent.journal.kinds import DecisionKind, Moment, Shown, Source
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch

PIECE = 200
"""Findings in one message."""
LARGEST = 1 << 30
"""Bytes of one message; more means that the two do not understand each other."""

Refused = Literal["configuration", "infrastructure", "policy", "gone", "internal"]
"""configuration   the workspace or its settings cannot be used
infrastructure  the sandbox or the journal failed
policy          the policy could not answer
gone            what was asked about is not there any more
internal        a mistake of suture's own
"""


class Request(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of what the language server asks."""

    id: int


class Open(Request, frozen=True, kw_only=True):
    """Open the workspace, or open it anew with other settings."""

    overrides: Mapping[str, Any] = {}
    """Dotted setting -> value, as the editor says."""


class Check(Request, frozen=True, kw_only=True):
    """Run the checks on the buffers as they were told. A newer one ends an older one, which is refused as `gone`."""

    generation: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be repaired: a problem by its mark, or a finding of another tool that no check shows."""

    mark: str = ""
    finding: Finding | None = None


class Repair(Request, frozen=True, kw_only=True):
    """Repair a problem; its events carry `job`."""

    job: str
    generation: int
    wanted: Wanted
    shown: Shown = "notification"
    """How the offer will be shown, for the journal."""
    background: bool = False
    """Whether nobody waits for it."""


class Prove(Request, frozen=True, kw_only=True):
    """Move an offer's patch onto the present text and prove it again."""

    offer: str
    job: str
    generation: int
    mark: str
    patch: Patch


class Correct(Request, frozen=True, kw_only=True):
    """A problem whose offer was turned down is gone: prove what the person did about it."""

    offer: str
    paths: tuple[str, ...]
    """Files that changed since."""


class Decide(Request, frozen=True, kw_only=True):
    """Record a decision; answered once it is durable."""

    offer: str
    kind: DecisionKind
    source: Source = "told"
    reason: str = ""
    texts: Mapping[str, bytes | None] = {}
    """What the person made of the patch's files, where they changed it."""
    before: Mapping[str, bytes | None] = {}
    """Those files as they were before the patch."""


class Seen(Request, frozen=True, kw_only=True):
    """Record that an offer was looked at."""

    offer: str


class Survive(Request, frozen=True, kw_only=True):
    """Measure what is left of an accepted patch."""

    offer: str
    moment: Moment
    patch: Patch
    texts: Mapping[str, bytes | None]


class Restore(Request, frozen=True, kw_only=True):
    """The offers of earlier sessions that are still open in this environment."""


class Probe(Request, frozen=True, kw_only=True):
    """Whether the policy answers."""


class Transcript(Request, frozen=True, kw_only=True):
    """The conversation of an episode as Markdown."""

    episode: str


class Episodes(Request, frozen=True, kw_only=True):
    """The latest episodes of the workspace."""

    limit: int


class Buffers(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Texts of open files that differ from the disk, by workspace path; None for one that no longer does. No answer."""

    changed: Mapping[str, bytes | None]
    pinned: tuple[str, ...] = ()
    """Open files: their text is held on to for as long as a problem of theirs is worked on."""


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """End the work on a request; it is answered as cancelled once everything of it is dead. No answer of its own."""

    request: int


ToWorker = Open | Check | Repair | Prove | Correct | Decide | Seen | Survive | Restore | Probe | Transcript | Episodes | Buffers | Cancel


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The answer to a request."""

    id: int
    result: msgspec.Raw


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request that could not be done."""

    id: int
    kind: Refused
    message: str
    remedy: str = ""


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A request was cancelled, and nothing of it runs any more."""

    id: int


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check has begun."""

    generation: int
    check: str


class Found(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Findings of a check, in order, a piece at a time."""

    generation: int
    check: str
    findings: tuple[Finding, ...]


class ProblemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A problem: which findings belong together."""

    mark: str
    findings: tuple[int, ...]
    """Indices into the check's findings as they were sent."""


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A check has ended; its findings came before."""

    generation: int
    check: str
    status: str
    reason: str
    seconds: float
    findings: int
    problems: tuple[ProblemInfo, ...] = ()


class Settled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All checks of a generation have ended."""

    generation: int


class Step(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a job is doing."""

    job: str
    phase: str
    step: int = 0
    tool: str = ""


class Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that a person may want to read in a log."""

    text: str


class Changed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Files changed on the disk."""

    paths: tuple[str, ...]
    """Workspace paths, without those of caches and environments."""
    head: bool = False
    """Whether git's HEAD moved: a checkout, a commit, a reset."""
    environment: bool = False
    """Whether a file changed that the environment or the checks follow from."""


FromWorker = Answer | Refusal | Cancelled | Started | Found | Ended | Settled | Step | Note | Changed


class CheckInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A check, as far as an editor is concerned."""

    name: str
    kind: str
    tool: str


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that the language server itself follows (`[editor]`)."""

    check_on: Literal["change", "save", "manual"] = "save"
    delay_ms: int = 400
    episodes: int = 0
    background: bool = False
    background_minutes: int = 10
    idle_seconds: int = 30
    notice: bool = True
    worker_idle_minutes: int = 10


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Open`."""

    checks: tuple[CheckInfo, ...]
    environment: str
    drift: tuple[str, ...]
    """Where the environment differs from suture.lock; nothing is repaired then."""
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    """Those of the notes that a person should see: tests that cannot be run."""
    level: str
    journal: str
    policy: str
    parallel: int
    """Episodes that the policy answers side by side."""
    behaviour: Behaviour
    first: bool
    """Whether the journal was made just now."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Check`; findings and problems came before."""

    generation: int
    seconds: float


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A proven patch that is in the journal."""

    id: str
    episode: str
    mark: str
    check: str
    title: str
    """What was proven, as a person reads it."""
    proven: tuple[str, ...]
    findings: tuple[Finding, ...]
    patch: Patch
    policy: str
    seconds: float


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Repair`, `Prove` and `Correct`."""

    outcome: Literal["fixed", "unfixed", "infrastructure", "flaky", "gone", "conflict"]
    """`conflict`: the patch cannot be moved onto the present text."""
    reason: str = ""
    policy_down: bool = False
    """Whether it is the policy that did not answer, in the middle of an episode."""
    offer: Offer | None = None
    episode: str = ""
    steps: int = 0
    seconds: float = 0.0


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Transcript`."""

    title: str
    text: str
    page: str = ""
    """The same as the body of a HTML document."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answer to `Episodes`, newest first."""

    id: str
    created: float
    """Seconds since 1970."""
    check: str
    outcome: str
    reason: str
    policy: str
    seconds: float
    files: int
    added: int
    removed: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Survive`."""

    thousandths: int
    """Share of the patch's tokens that is still there."""
    edited: bool
    """Whether something was changed inside the patch or right beside it."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to what has no other."""


_LENGTH = struct.Struct(">I")


def pack(message: object) -> bytes:
    """A message as it is sent."""
    body = msgspec.json.encode(message)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> bytes:
    """The next message's JSON; raises IncompleteReadError at the end and ValueError for a length that cannot be meant."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes")
    return await reader.readexactly(length)
