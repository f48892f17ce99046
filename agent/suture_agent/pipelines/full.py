"""The pipeline `full`: main error -> past fixes -> episode -> a different error: keep and go on; a similar one: revert, try the next.

*Keep* means: the patch so far becomes the ground of what follows, with a conversation that begins anew. *Revert* means: it is thrown away.
Both are cheap, since an episode's edits exist nowhere but in its own attempt. A proposal is always proven as a whole, every kept step and
the new one together, against the ORIGINAL snapshot with the original tests (DESIGN, invariant 2); what is kept is not proven by that, and
is offered to nobody before a whole patch is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import msgspec

from suture_agent.episodes import Ending
from suture_agent.errors import Progressed
from suture_agent.events import Progress
from suture_agent.pipelines import OuterStep, Seen, StepOutcome, Work
from suture_agent.pipelines.candidates import candidates_for
from suture_agent.pipelines.episode import run_episode
from suture_agent.pipelines.main_error import MainError, errors_against, main_error
from suture_agent.pipelines.relation import Change, line_of, relation, still_there
from suture_agent.pipelines.signature import Signature
from suture_agent.problem import Problem
from suture_agent.recall import PastFix
from suture_sandbox.checks import CheckKind, CheckResult
from suture_sandbox.errors import InfrastructureError, PatchError
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target, Verdict


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What an episode works on: the original snapshot with what was kept over it."""

    snapshot: Snapshot
    kept: Patch
    """Against the original snapshot."""
    results: Mapping[str, CheckResult]
    """Check -> the last result on this text, or on an earlier ground where nothing asked for it since."""


async def full(work: Work) -> Ending:
    """Mend main errors one after the other until the whole patch is proven, an error withstands all its episodes, or a bound is reached."""
    ground = Ground(snapshot=work.problem.snapshot, kept=Patch(), results={result.check: result for result in work.problem.before})
    settled: list[Signature] = []
    ending = Ending(reason="nothing stands against the problem that an episode could be about")
    most = 1 if work.harness.errors is msgspec.UNSET else work.harness.errors
    for _ in range(most):
        main = await asyncio.to_thread(main_error, work.problem, work.meter.sandbox.environment.checks, ground.results, ground.snapshot)
        if main is None:
            return ending
        ending, kept = await _mend(work, ground, main, settled)
        if kept is None:
            return ending
        settled += [error.signature for error in main.errors]
        work.trail.kept = kept.kept
        ground = kept
    return Ending(patch=ground.kept, reason=f"{most} main errors one after the other, and others are left")


async def _mend(work: Work, ground: Ground, main: MainError, settled: Sequence[Signature]) -> tuple[Ending, Ground | None]:
    """Episodes on one main error, each from the same ground, until one is proven or brings another error: then the new ground is given."""
    work.events(Progress(problem=work.problem.id, phase=f"main error: {line_of(main.findings[0])} ({main.why})"))
    tries = 1 + work.harness.budgets.retries
    fixes = await candidates_for(work, main.findings, ground.snapshot, most=tries)
    ending = Ending(reason="nothing was tried")
    for attempt in range(tries):
        prover = Prover(work, ground, main, settled)
        step = _Step(work, main, attempt, fixes[attempt] if attempt < len(fixes) else None)
        try:
            ending = await _episode(work, prover, step)
        except Progressed as progress:
            ending = Ending(patch=prover.last, reason=str(progress))
        if prover.progress is not None:
            step.done("kept", prover, prover.why, prover.progress.kept.paths)
            return ending, prover.progress
        fixed = ending.verdict is not None and ending.verdict.passed
        step.done("fixed" if fixed else "reverted", prover, ending.reason if fixed else prover.why or ending.reason)
        if fixed:
            return ending, None
    said = f"{tries} episodes on one error" if tries > 1 else "an episode"
    return msgspec.structs.replace(ending, reason=f"{said}, the last one: {ending.reason}"), None


async def _episode(work: Work, prover: Prover, step: _Step) -> Ending:
    """One episode on the main error; its patch is given against the original snapshot."""
    ending = await run_episode(work, prover.problem, prover.prove, seed=step.attempt, candidate=step.candidate)
    return ending if prover.last is None else msgspec.structs.replace(ending, patch=prover.last)


class Prover:
    """Proves the proposals of one episode, and looks at what a refused one brought. Raises `Progressed` where that is another error."""

    def __init__(self, work: Work, ground: Ground, main: MainError, settled: Sequence[Signature]) -> None:
        self._work = work
        self._ground = ground
        self._main = main
        self._settled = settled
        self._kinds: dict[str, CheckKind] = {check.name: check.kind for check in work.meter.sandbox.environment.checks}
        self.last: Patch | None = None
        """The last proposal, against the original snapshot."""
        self.progress: Ground | None = None
        """The ground that a proposal made, where it is kept."""
        self.seen: Seen = ""
        self.why = ""

    @property
    def problem(self) -> Problem:
        """The problem as the episode has it: the main error on the ground."""
        results = tuple(self._ground.results.values())
        target = Target(check=self._main.check, findings=self._main.findings)
        return msgspec.structs.replace(self._work.problem, snapshot=self._ground.snapshot, target=target, before=results)

    async def prove(self, patch: Patch) -> Verdict:
        """The verdict on the whole patch, everything kept included, against the original snapshot."""
        try:
            self.last = whole = joined(self._ground.kept, patch)
        except PatchError as error:
            return Verdict(passed=False, reason=str(error))
        verdict = await self._work.prove(whole)
        self.seen, self.why = "", ""
        if verdict.passed or verdict.guard or verdict.after or not self._work.problem.reproducible:
            self.why = "" if verdict.passed else verdict.reason  # with `after` all checks passed, and the judge refuses it
            return verdict
        try:
            await self._look(patch, whole, verdict)
        except PatchError as error:  # the text moved meanwhile
            self.why = str(error)
        if self.progress is not None:
            raise Progressed(self.why)
        return verdict

    async def _look(self, patch: Patch, whole: Patch, verdict: Verdict) -> None:
        """Compare what fails with the proposal over the ground with what failed without it."""
        after = patch.apply(self._ground.snapshot)
        if verdict.deciding is not None and self._is_refuted(after, verdict.deciding):
            self.seen, self.why = "similar", verdict.reason
            return
        names = dict.fromkeys((self._main.check, self._work.problem.check, *([verdict.deciding.check] if verdict.deciding else ())))
        new = {name: await self._work.meter.check(self._work.meter.sandbox.check_named(name), after) for name in names}
        lost = next((result for result in new.values() if result.status == "infrastructure"), None)
        if lost is not None:
            raise InfrastructureError(f"{lost.check}: {lost.reason}")
        change = self._change(after, new)
        against = await asyncio.to_thread(errors_against, self._work.problem, new, self._kinds, after)
        self.seen, self.why = await asyncio.to_thread(relation, self._main, change, against, self._settled)
        if self.seen == "gone":
            self.why = verdict.reason  # nothing is left to go on with, and yet it is not proven
        if self.seen == "different":
            self.progress = Ground(snapshot=after, kept=whole, results={**self._ground.results, **new})

    def _is_refuted(self, after: Snapshot, deciding: CheckResult) -> bool:
        """Whether the run that decided shows the main error already, so that no whole check need be run to see it."""
        if deciding.check != self._main.check:
            return False
        change = self._change(after, {deciding.check: deciding})
        return any(still_there(error, change) for error in self._main.errors)

    def _change(self, after: Snapshot, new: Mapping[str, CheckResult]) -> Change:
        known = self._work.problem.flaky
        return Change(before=self._ground.snapshot, after=after, old=self._ground.results, new=new, kinds=self._kinds, flaky=known)


class _Step:
    """One episode of the outer loop, from its beginning to its record."""

    def __init__(self, work: Work, main: MainError, attempt: int, candidate: PastFix | None) -> None:
        self._work = work
        self._main = main
        self.attempt = attempt
        self.candidate = candidate
        self._first_turn = len(work.meter.turns)
        self._began = time.monotonic()

    def done(self, outcome: StepOutcome, prover: Prover, reason: str, paths: tuple[str, ...] = ()) -> None:
        """Record it and tell it."""
        first = self._main.findings[0]
        seconds = time.monotonic() - self._began
        step = OuterStep(
            check=first.check,
            place=first.test or f"{first.path}:{first.range.start.line + 1}",
            error=line_of(first),
            stage=self._main.stage.name.lower(),
            why=self._main.why,
            attempt=self.attempt,
            candidate=(self.candidate.episode or "cached") if self.candidate is not None else "",
            outcome=outcome,
            seen=prover.seen,
            reason=reason,
            paths=paths,
            turns=(self._first_turn, len(self._work.meter.turns)),
            seconds=seconds,
        )
        self._work.trail.steps.append(step)
        if outcome != "fixed":
            self._work.meter.step(outcome, seconds, reason)


def joined(kept: Patch, patch: Patch) -> Patch:
    """Two patches, the second made on the text that the first one leaves, as one against the text before both. Raises PatchError."""
    edits = {edit.path: edit for edit in kept.edits}
    for edit in patch.edits:
        before = edits.get(edit.path)
        if before is not None and before.after != edit.before:
            raise PatchError(f"{edit.path} is not what the patch expects", remedy="make a new patch for the present text")
        edits[edit.path] = FileEdit(path=edit.path, before=before.before if before is not None else edit.before, after=edit.after)
    return Patch(tuple(edit for _, edit in sorted(edits.items()) if edit.before != edit.after))
