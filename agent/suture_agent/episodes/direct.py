"""The `direct` episode for small models: localise, show one unit, let the policy write it anew, prove, go on with what the proof said.

The policy is asked first for its most likely answer (temperature 0), then for several samples from the same cached prompt. Answers that
mean the same are tried once, those that more samples agree on first. A candidate that mends part of the problem becomes the new ground.
Beside the first request small edits by rule are sieved in one attempt; they are proven when that answer does not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Literal

import msgspec

from suture_agent.direct.answers import code_in, fingerprint, rewrite, without_remark
from suture_agent.direct.context import again_prompt, exceptions_named, first_prompt
from suture_agent.direct.localise import Suspect, suspects
from suture_agent.direct.screen import Trial, import_trials, screen, trials_of
from suture_agent.direct.surroundings import surroundings
from suture_agent.direct.templates import Edit, edits
from suture_agent.direct.templates.told import missing_names
from suture_agent.direct.trace import trace
from suture_agent.direct.units import Unit, unit_named
from suture_agent.episodes import Ending, Job
from suture_agent.errors import BudgetSpent
from suture_agent.events import Progress
from suture_agent.harness import prompt
from suture_agent.policies import ChatRequest, Message
from suture_agent.problem import is_test_path
from suture_sandbox.backend import Command
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Verdict, breakage, remaining

Mode = Literal["likely", "explained", "samples", "again"]
"""How the policy is asked: for its most likely answer; for one that first says in a comment what it mends; for several samples; for another
answer after a failure, which is shown."""

MOST_ON_A_LINE = 10
MOST_EDITS = (400, 250, 150, 100, 60, 60, 60, 60)
"""Edits by rule that are sieved, of each suspect in its turn; at the end come the classes of suspected methods."""
MOST_BY_RULE = 4
MOST_PARTLY_BY_RULE = 2
"""Edits by rule that are proven: those with which all failing tests pass, and those with which some do."""
LATER_SUSPECT = 0.75
"""What an edit of the next suspect counts against one of the suspect before it."""

REMARK = "# Fixed: "
BY_RULE = "an edit by rule, not an answer of the policy"
BY_TOOL = "the checking tool's own fix, not an answer of the policy"
"""Reasons of endings whose patch no policy wrote: a dataset must not take it for one."""

PLAN: tuple[tuple[int, Mode], ...] = (
    (0, "likely"),
    (1, "likely"),
    (0, "explained"),
    (2, "likely"),
    (0, "samples"),
    (1, "explained"),
    (1, "samples"),
    (0, "again"),
    (3, "likely"),
    (2, "explained"),
    (2, "samples"),
    (1, "again"),
    (4, "likely"),
    (0, "samples"),
    (3, "samples"),
    (5, "likely"),
    (1, "samples"),
)
"""Which suspect is asked about, and how, in order."""

_NAMES_MISSING = re.compile(
    "cannot import|No module|is not defined|no attribute|ndefined name|annot find|could not be resolved|unknown import"
)
_UNHASHABLE = re.compile(r"unhashable type: '(\w+)'")
_DECORATOR_WORDS = (
    "bound method",
    "'method'",
    "function object",
    "'function'",
    "is not callable",
    "missing 1 required positional argument: 'self'",
)
_SIGNATURE_WORDS = ("positional argument", "keyword argument", "ignature", "override", "return type", "annotation")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A patch that an answer amounts to."""

    patch: Patch
    suspect: Suspect
    answer: str
    """The policy's code; empty for an edit by rule."""
    conversation: tuple[Message, ...]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with what the proof said of it."""

    candidate: Candidate
    verdict: Verdict


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What candidates are made against: the problem's snapshot, or that with a partly successful candidate over it."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    left: int
    """How many failures of the target are left on it."""
    suspects: tuple[Suspect, ...]
    passing: tuple[str, ...] = ()
    """Tests of the failing tests' files that pass on it."""
    others: tuple[str, ...] = ()
    """Tests of those files that fail on it too, and are another problem's: of two edits the one that mends more is likelier right."""


async def direct_episode(job: Job) -> Ending:
    """Run the episode until a patch is proven or a budget is spent."""
    ground = await _ground(job, job.problem.snapshot, job.problem.findings)
    if not ground.suspects:
        return Ending(reason="no code of the workspace could be connected with the failure")
    seen: set[str] = set()
    last: Tried | None = None
    own = await _by_tool(job) if job.meter.harness.edits_by_rule != "off" else None
    if own is not None:
        return own
    try:
        for depth in range(3):
            better: Tried | None = None
            likeliest_done = False
            async with contextlib.aclosing(_candidates(job, ground, seen, offset=depth)) as candidates:
                async for tried in candidates:
                    if tried is None:
                        likeliest_done = True
                    elif tried.verdict.passed:
                        return Ending(patch=tried.candidate.patch, verdict=tried.verdict, reason="" if tried.candidate.answer else BY_RULE)
                    else:
                        last = tried
                        better = tried if better is None and await _is_progress(job, ground, tried) else better
                    if better is not None and likeliest_done:
                        break
            if better is None or better.verdict.deciding is None:
                break
            patched = better.candidate.patch.apply(job.problem.snapshot)
            ground = await _ground(job, patched, better.verdict.deciding.findings)
    except BudgetSpent as spent:
        return _failed(last, str(spent))
    return _failed(last, "every candidate failed")


async def _by_tool(job: Job) -> Ending | None:
    """The checking tool's own fix, for a linter that has one: nothing is gained by asking a policy for it."""
    check = job.meter.sandbox.check_named(job.problem.check)
    codes = sorted({finding.code for finding in job.problem.findings if finding.code})
    paths = sorted({finding.path for finding in job.problem.findings if finding.path})
    if check.tool != "ruff" or not codes or not paths:
        return None
    started = time.monotonic()
    argv = ("python", "-m", "ruff", "check", "--fix", "--unsafe-fixes", "--no-cache", "--quiet", f"--select={','.join(codes)}", *paths)
    completed = await job.meter.run(job.problem.snapshot, Command(argv=argv, seconds=30, keep=True))
    patch = patch_between(job.problem.snapshot, {path: content for path, content in completed.changes.items() if path in paths})
    job.meter.step("ruff", time.monotonic() - started, f"its own fix of {', '.join(codes)}: {len(patch.edits)} files")
    if not patch.edits:
        return None
    verdict = await job.prove(patch)
    return Ending(patch=patch, verdict=verdict, reason=BY_TOOL) if verdict.passed else None


def _failed(last: Tried | None, reason: str) -> Ending:
    if last is None:
        return Ending(reason=f"{reason}; the policy gave no usable answer")
    return Ending(patch=last.candidate.patch, verdict=last.verdict, reason=f"{reason}; the last one: {last.verdict.reason}")


async def _ground(job: Job, snapshot: Snapshot, findings: Sequence[Finding]) -> Ground:
    check = job.meter.sandbox.check_named(job.problem.check)
    job.events(Progress(problem=job.problem.id, phase="looking for the place"))
    started = time.monotonic()
    traced = await trace(job.meter, check, snapshot, job.problem.target.tests)
    wanted = tuple(finding for finding in findings if not job.problem.target.tests or finding.test in job.problem.target.tests)
    shown = msgspec.structs.replace(
        job.problem, target=msgspec.structs.replace(job.problem.target, findings=wanted or job.problem.findings)
    )
    ranked = suspects(shown, snapshot, traced)
    passing = tuple(name for name, test in traced.tests.items() if test.outcome == "passed")
    others = tuple(name for name in traced.tests if name not in passing and name not in job.problem.target.tests)
    job.meter.step("localise", time.monotonic() - started, ", ".join(f"{each.unit.path}:{each.unit.name}" for each in ranked[:3]))
    left = len(job.problem.target.tests or job.problem.findings) if snapshot is job.problem.snapshot else len(wanted)
    return Ground(snapshot=snapshot, findings=shown.findings, left=left, suspects=ranked, passing=passing, others=others)


async def _is_progress(job: Job, ground: Ground, tried: Tried) -> bool:
    """Whether fewer of the target's failures are left after a refused candidate, and the whole check shows no new one."""
    verdict, deciding = tried.verdict, tried.verdict.deciding
    if deciding is None or verdict.broken or deciding.check != job.problem.check or deciding.status != "failed":
        return False
    if len(remaining(job.problem.target, deciding)) >= ground.left:
        return False
    check = job.meter.sandbox.check_named(job.problem.check)
    before = next((result for result in job.problem.before if result.check == check.name), None)
    return not breakage(before, await job.meter.check(check, tried.candidate.patch.apply(job.problem.snapshot)))


async def _candidates(job: Job, ground: Ground, seen: set[str], *, offset: int) -> AsyncGenerator[Tried | None]:
    """Ask and prove, move by move, after the first of them also what was found by rule.

    Yields every candidate that was tried, and None when the likeliest are done: after that no better ground is waited for.
    """
    failed: dict[int, Tried] = {}
    when = job.meter.harness.edits_by_rule
    by_rule = asyncio.create_task(_by_rule(job, ground) if when != "off" else _nothing())
    try:
        if when == "first":
            for candidate in _candidates_by_rule(job, ground, await by_rule, seen):
                yield Tried(candidate=candidate, verdict=await _prove(job, candidate))
        for move, (index, mode) in enumerate(PLAN):
            if index >= len(ground.suspects) or (mode == "again" and index not in failed):
                continue
            asked = await _ask(job, ground, ground.suspects[index], mode, job.seed * 1000 + offset * 100 + move, failed.get(index), seen)
            for candidate in asked:
                failed[index] = Tried(candidate=candidate, verdict=await _prove(job, candidate))
                yield failed[index]
            if move == 0:
                for candidate in _candidates_by_rule(job, ground, await by_rule, seen) if when == "beside" else ():
                    yield Tried(candidate=candidate, verdict=await _prove(job, candidate))
                yield None
    finally:
        by_rule.cancel()
        await asyncio.wait({by_rule})


async def _ask(job: Job, ground: Ground, suspect: Suspect, mode: Mode, seed: int, failed: Tried | None, seen: set[str]) -> list[Candidate]:
    """One request, and the new candidates in its answers, those that more answers agree on first."""
    sampling = job.meter.harness.sampling
    messages = [Message(role="system", content=prompt("direct_system").strip())]
    pointed = _pointed_line(suspect.unit, ground.findings) if mode == "likely" else None
    line = "" if pointed is None else suspect.unit.source.splitlines()[pointed].strip()
    messages.append(Message(role="user", content=first_prompt(ground.findings, suspect, ground.snapshot, line=line)))
    if mode == "again" and failed is not None:
        messages.append(Message(role="assistant", content=f"```python\n{failed.candidate.answer}```"))
        messages.append(Message(role="user", content=_told(failed, suspect.unit, ground.snapshot)))
    prefill = _prefill(suspect.unit, ground.findings, mode) if job.capability.prefill else ""
    single = mode in ("likely", "explained")
    request = ChatRequest(
        messages=tuple(messages),
        temperature=(sampling.temperature_milli if single else sampling.explore_milli) / 1000,
        top_p=1.0 if single else sampling.top_p_milli / 1000,
        top_k=0 if single else sampling.top_k,
        min_p=0.0 if single else sampling.min_p_milli / 1000,
        max_tokens=min(sampling.answer_tokens, 160 + 16 * suspect.unit.lines),
        stop=("```",) if prefill else (),
        seed=sampling.seed + seed,
        candidates=1 if single else sampling.candidates,
        prefill=prefill,
        thinking=job.meter.harness.thinking,
    )
    completion = await job.meter.ask(request, f"{suspect.unit.path}: {suspect.unit.name} ({mode})")
    codes = [without_remark(code_in(choice.text, prefill), REMARK) for choice in completion.choices]
    return list(_fresh(job, ground, suspect, codes, tuple(messages), seen))


async def _nothing() -> list[tuple[Suspect, str]]:
    return []


def _candidates_by_rule(job: Job, ground: Ground, found: list[tuple[Suspect, str]], seen: set[str]) -> Iterator[Candidate]:
    """What was found by rule and not tried yet."""
    for suspect, text in found:
        yield from _new_candidates(job, ground, suspect, [(text, "")], (), seen)


async def _by_rule(job: Job, ground: Ground) -> list[tuple[Suspect, str]]:
    """Edits by rule that deserve a proof, as new texts of the suspect's file, most likely first."""
    wanted = job.problem.target.tests or _not_collected(ground)
    if not wanted:
        return await asyncio.to_thread(lambda: [(each, text) for each in ground.suspects[:3] for text in _on_the_line(ground, each)])
    started = time.monotonic()
    trials = await asyncio.to_thread(_trials, ground)
    check = job.meter.sandbox.check_named(job.problem.check)
    found = await screen(
        job.meter, check, ground.snapshot, wanted, [trial for _, trial in trials], passing=ground.passing, hoped=ground.others
    )
    whole = [each.trial for each in sorted(found, key=lambda each: -each.more) if each.whole]
    partly = [each.trial for each in sorted(found, key=lambda each: -each.passed) if not each.whole]
    note = f"{len(trials)} edits by rule: all failing tests pass with {len(whole)}, some with {len(partly)}"
    job.meter.step("screen", time.monotonic() - started, note)
    chosen = [trials[index] for index in (*whole[:MOST_BY_RULE], *partly[:MOST_PARTLY_BY_RULE])]
    return [(suspect, trial.apply(ground.snapshot.read_text(trial.unit.path) or "")) for suspect, trial in chosen]


def _not_collected(ground: Ground) -> tuple[str, ...]:
    """The test files that could not be collected; none where the findings are no such failures."""
    return tuple({place.path: None for finding in ground.findings for place in finding.related if is_test_path(place.path)})


def _trials(ground: Ground) -> list[tuple[Suspect, Trial]]:
    """All edits by rule of all suspects, most likely first."""
    known = any(suspect.lines for suspect in ground.suspects)
    weighed: list[tuple[Suspect, Trial]] = []
    for rank, (suspect, most) in enumerate(zip([*ground.suspects, *_owners(ground)], MOST_EDITS, strict=False)):
        text = ground.snapshot.read_text(suspect.unit.path) or ""
        made = _edits_of(ground, suspect, most)
        ran = bool(suspect.lines) or not known
        weighed += [(suspect, trial) for trial in trials_of(suspect.unit, text, made, ran=ran, share=LATER_SUSPECT**rank)]
    weighed += _imports(ground, ground.suspects[:2])
    return sorted(weighed, key=lambda each: -each[1].weight)


def _imports(ground: Ground, among: Sequence[Suspect]) -> list[tuple[Suspect, Trial]]:
    """Imports of what the findings say is not defined, in the suspects' files."""
    missing = missing_names(_said(ground))
    if not missing:
        return []
    trials = {
        suspect.unit.path: [
            (suspect, trial)
            for trial in import_trials(
                suspect.unit,
                ground.snapshot.read_text(suspect.unit.path) or "",
                missing,
                surroundings(suspect.unit, ground.snapshot, modules=True).modules,
            )
        ]
        for suspect in among
    }
    return [pair for pairs in trials.values() for pair in pairs]


def _said(ground: Ground) -> str:
    return "\n".join(f"{finding.code} {finding.message}" for finding in ground.findings[:5])


def _edits_of(ground: Ground, suspect: Suspect, most: int) -> tuple[Edit, ...]:
    """The edits by rule of one suspect."""
    said = _said(ground)
    places = [(place.path, place.range.start.line) for finding in ground.findings for place in finding.related]
    places += [(finding.path, finding.range.start.line) for finding in ground.findings]
    frames = [
        line - suspect.unit.start
        for path, line in places
        if path == suspect.unit.path and 0 <= line - suspect.unit.start < suspect.unit.lines
    ]
    return edits(
        suspect.unit,
        raised=exceptions_named(ground.findings, ground.snapshot),
        lines=suspect.lines,
        said=said,
        pointed=frames[-1] if frames else None,
        around=surroundings(suspect.unit, ground.snapshot, modules=bool(_NAMES_MISSING.search(said))),
        most=most,
    )


def _owners(ground: Ground) -> list[Suspect]:
    """The classes of the suspected methods: what all their objects share is written there."""
    found: dict[tuple[str, str], Suspect] = {}
    have = {(suspect.unit.path, suspect.unit.name) for suspect in ground.suspects}
    named = [match[1] for finding in ground.findings if (match := _UNHASHABLE.search(finding.message))]
    for suspect in ground.suspects:
        path = suspect.unit.path
        owner = suspect.unit.name.rpartition(".")[0] if suspect.unit.kind == "function" and suspect in ground.suspects[:3] else ""
        for name in (owner, *named):
            unit = unit_named(path, ground.snapshot.read_text(path) or "", name) if name and (path, name) not in have else None
            if unit is not None:
                found.setdefault((path, name), Suspect(unit=unit, score=suspect.score))
    return list(found.values())


def _on_the_line(ground: Ground, suspect: Suspect) -> list[str]:
    """For a check without tests: the likeliest edits of the line that the tool names, to be proven one by one."""
    pointed = _pointed_line(suspect.unit, ground.findings, first=0)
    text = ground.snapshot.read_text(suspect.unit.path) or ""
    imports = [trial.apply(text) for _, trial in _imports(ground, [suspect])]
    made = _edits_of(ground, suspect, MOST_EDITS[0])
    near = [edit for edit in made if edit.line == pointed or edit.rule == "syntax"][:MOST_ON_A_LINE]
    return [*imports, *[new for edit in near if (new := rewrite(text, suspect.unit, edit.source)) is not None]]


def _fresh(
    job: Job, ground: Ground, suspect: Suspect, codes: Sequence[str], conversation: tuple[Message, ...], seen: set[str]
) -> Iterator[Candidate]:
    text = ground.snapshot.read_text(suspect.unit.path) or ""
    texts = [(new, code) for code in codes if (new := rewrite(text, suspect.unit, code)) is not None]
    votes = Counter(fingerprint(new) for new, _ in texts)
    ordered = sorted(texts, key=lambda pair: -votes[fingerprint(pair[0])])
    yield from _new_candidates(job, ground, suspect, ordered, conversation, seen)


def _new_candidates(
    job: Job, ground: Ground, suspect: Suspect, texts: Sequence[tuple[str, str]], conversation: tuple[Message, ...], seen: set[str]
) -> Iterator[Candidate]:
    """Candidates for (new text, answer) pairs that were not tried yet."""
    for new, code in texts:
        mark = f"{suspect.unit.path}\n{fingerprint(new)}"
        if mark in seen:
            continue
        seen.add(mark)
        content = new.encode()
        before = ground.snapshot.read(suspect.unit.path) or b""
        if before.startswith(b"\xef\xbb\xbf"):
            content = b"\xef\xbb\xbf" + content
        patch = patch_between(job.problem.snapshot, {**_edits(job, ground), suspect.unit.path: content})
        yield Candidate(patch=patch, suspect=suspect, answer=code, conversation=conversation)


def _edits(job: Job, ground: Ground) -> dict[str, bytes | None]:
    """What the ground lays over the problem's snapshot."""
    base = job.problem.snapshot.overlay
    return {path: content for path, content in ground.snapshot.overlay.items() if path not in base or base[path] != content}


async def _prove(job: Job, candidate: Candidate) -> Verdict:
    started = time.monotonic()
    verdict = await job.prove(candidate.patch)
    job.meter.step("prove", time.monotonic() - started, "proven" if verdict.passed else verdict.reason)
    return verdict


def _told(failed: Tried, unit: Unit, snapshot: Snapshot) -> str:
    """What the policy is told about its failed answer: the failures it left, or the reason of the refusal."""
    deciding = failed.verdict.deciding
    if deciding is None or not deciding.findings:
        return again_prompt((), unit, snapshot, told=failed.verdict.reason)
    return again_prompt(deciding.findings[:2], unit, snapshot)


def _prefill(unit: Unit, findings: Sequence[Finding], mode: Mode) -> str:
    """How the answer begins: with the unit's signature and docstring, or with less where the signature itself may be wrong.

    Without a beginning a small policy repeats the whole file it was shown.
    """
    start = "```python\n"
    pointed = _pointed_line(unit, findings)
    if mode == "likely" and pointed is not None:
        lines = unit.source.splitlines(keepends=True)
        indent = lines[pointed][: len(lines[pointed]) - len(lines[pointed].lstrip())]
        return f"{start}{''.join(lines[:pointed])}{indent}"
    if unit.kind == "class":
        return f"{start}{unit.source.splitlines()[0]}\n"
    if unit.kind != "function" or not unit.opening:
        return start
    if any(word in finding.message for finding in findings for word in _DECORATOR_WORDS):
        return start
    if mode in ("likely", "explained") and not _signature_doubted(unit, findings):
        remark = f"{_body_indent(unit)}{REMARK}" if mode == "explained" else ""
        return f"{start}{unit.opening}{remark}"
    if mode == "explained":
        return f"{start}{REMARK}"
    name = unit.name.rsplit(".", 1)[-1]
    before_def = unit.opening.split("def ", 1)[0]
    if mode == "again" and any(word in finding.message for finding in findings for word in ("coroutine", "await")):
        before_def = before_def.removesuffix("async ") if before_def.endswith("async ") else f"{before_def}async "
    return f"{start}{before_def}def {name}("


def _pointed_line(unit: Unit, findings: Sequence[Finding], *, first: int = 1) -> int | None:
    """The line of the unit, counted from its first, that a tool names; None for a failing test, which shows a mistake late."""
    named = [each.range.start.line - unit.start for each in findings if not each.test and each.path == unit.path]
    return next((line for line in named if first <= line < unit.lines), None)


def _body_indent(unit: Unit) -> str:
    """White space before the first statement of a function's body."""
    rest = unit.source[len(unit.opening) :]
    first = next((line for line in rest.splitlines() if line.strip()), "    ")
    return first[: len(first) - len(first.lstrip())]


def _signature_doubted(unit: Unit, findings: Sequence[Finding]) -> bool:
    """Whether the mistake may be in the signature: a mutable default, a finding on it, a message about arguments."""
    dense = unit.opening.replace(" ", "")
    last = unit.start + len(unit.opening.splitlines())
    on_signature = any(finding.path == unit.path and unit.start <= finding.range.start.line < last for finding in findings)
    return (
        "=[]" in dense
        or "={}" in dense
        or on_signature
        or any(word in finding.message for finding in findings for word in _SIGNATURE_WORDS)
    )
