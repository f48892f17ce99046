"""The `direct` episode for small models: localise, show one unit, let the policy write it anew, prove, go on with what the proof said.

The policy is asked first for its most likely answer (temperature 0), then for several samples from the same cached prompt. Answers that
mean the same are tried once, those that more samples agree on first. A candidate that mends part of the problem becomes the new ground.
Beside the first request small edits by rule are sieved in one attempt; they are proven when that answer does not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence

import msgspec

from suture_agent.direct.answers import code_in, fingerprint, rewrite, without_remark
from suture_agent.direct.asking import REMARK, Mode, pointed_line, prefill_of
from suture_agent.direct.by_rule import found_by_imports, found_by_rule, found_by_tool
from suture_agent.direct.context import again_prompt, first_prompt
from suture_agent.direct.ground import Ground, ground_of
from suture_agent.direct.localise import Suspect
from suture_agent.direct.units import Unit
from suture_agent.episodes import Ending, Job
from suture_agent.errors import BudgetSpent
from suture_agent.events import Progress
from suture_agent.harness import prompt
from suture_agent.imports import neighbours
from suture_agent.policies import ChatRequest, Message
from suture_agent.recall import shown
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines
from suture_sandbox.verdict import Verdict, breakage, remaining

BY_RULE = "an edit by rule, not an answer of the policy"
BY_TOOL = "the checking tool's own fix, not an answer of the policy"
"""Reasons of endings whose patch no policy wrote: a dataset must not take it for one."""

LONGEST_CANDIDATE = 1500
"""Characters of a past fix: small models have small contexts."""

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
    (2, "again"),
    (0, "samples"),
    (2, "samples"),
    (0, "again"),
    (1, "samples"),
    (1, "again"),
    (0, "samples"),
    (3, "samples"),
    (1, "samples"),
    (2, "samples"),
)
"""Which suspect is asked about, and how, in order."""


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


async def direct_episode(job: Job) -> Ending:
    """Run the episode until a patch is proven or a budget is spent."""
    ground = await _look(job, job.problem.snapshot, job.problem.findings)
    if not ground.suspects:
        return Ending(reason="no code of the workspace could be connected with the failure")
    seen: set[str] = set()
    last: Tried | None = None
    own = await _by_tool(job)
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
            ground = await _look(job, patched, better.verdict.deciding.findings)
    except BudgetSpent as spent:
        return msgspec.structs.replace(_failed(last, str(spent)), limit=spent.limit)
    return _failed(last, "every candidate failed")


async def _look(job: Job, snapshot: Snapshot, findings: Sequence[Finding]) -> Ground:
    job.events(Progress(problem=job.problem.id, phase="looking for the place"))
    return await ground_of(job.meter, job.problem, snapshot, findings)


async def _by_tool(job: Job) -> Ending | None:
    """What can be said of the whole workspace at once, before any place is looked at."""
    if job.meter.harness.edits_by_rule == "off":
        return None
    for find, reason in ((found_by_tool, BY_TOOL), (found_by_imports, BY_RULE)):
        patch = await find(job.meter, job.problem)
        verdict = await job.prove(patch) if patch is not None else None
        if verdict is not None and verdict.passed:
            return Ending(patch=patch, verdict=verdict, reason=reason)
    return None


def _failed(last: Tried | None, reason: str) -> Ending:
    if last is None:
        return Ending(reason=f"{reason}; the policy gave no usable answer")
    return Ending(patch=last.candidate.patch, verdict=last.verdict, reason=f"{reason}; the last one: {last.verdict.reason}")


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
    by_rule = asyncio.create_task(found_by_rule(job.meter, job.problem, ground) if when != "off" else _nothing())
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
    pointed = pointed_line(suspect.unit, ground.findings) if mode == "likely" else None
    line = "" if pointed is None else split_lines(suspect.unit.source)[pointed].strip()
    asked = first_prompt(ground.findings, suspect, ground.snapshot, line=line)
    if job.candidate is not None:  # before all that differs between suspects, for the server's cache
        asked = f"{shown(job.candidate, longest=LONGEST_CANDIDATE)}\n{asked}"
    messages.append(Message(role="user", content=asked))
    if mode == "again" and failed is not None:
        messages.append(Message(role="assistant", content=f"```python\n{failed.candidate.answer}```"))
        messages.append(Message(role="user", content=_told(failed, suspect.unit, ground.snapshot)))
    prefill = prefill_of(suspect.unit, ground.findings, mode) if job.capability.prefill else ""
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


def _fresh(
    job: Job, ground: Ground, suspect: Suspect, codes: Sequence[str], conversation: tuple[Message, ...], seen: set[str]
) -> Iterator[Candidate]:
    text = ground.snapshot.read_text(suspect.unit.path) or ""
    homes = neighbours(text, suspect.unit.path, ground.snapshot)
    texts = [(new, code) for code in codes if (new := rewrite(text, suspect.unit, code, homes)) is not None]
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
