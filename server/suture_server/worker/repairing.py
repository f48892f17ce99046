"""Repairs, proofs and corrections over the one path, for one open workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from suture_agent.adapters.policy import Held
from suture_agent.events import Event, Progress, StepDone, VerdictReached
from suture_agent.harness import Harness
from suture_agent.journal.kinds import DecisionKind, Shown
from suture_agent.journal.offers import OpenOffer
from suture_agent.problem import Problem, unreproducible
from suture_agent.recorded import recorded
from suture_agent.repair import Repair, prove_patch, repair
from suture_agent.reproduce import reproduce
from suture_sandbox.errors import PatchError
from suture_sandbox.findings import Finding
from suture_sandbox.merge import moved
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Verdict
from suture_server.worker import titles, wire
from suture_server.worker.bench import Bench
from suture_server.worker.opened import OpenedWorkspace

MOST_OFFERED = 32
"""Offers whose problem is held on to, with the checks' results and the text: a person's own fix is compared with it."""
MOST_PINNED = 200
"""Files whose text a problem holds on to."""
GONE = wire.Repaired(outcome="gone", reason="the failure is not there any more")


class Repairing:
    """What is offered, and how it came about."""

    def __init__(
        self, opened: OpenedWorkspace, bench: Bench, send: Callable[[object], None], pinned: Callable[[], tuple[str, ...]]
    ) -> None:
        self._opened = opened
        self._bench = bench
        self._send = send
        self._pinned = pinned
        self.offered: dict[str, tuple[Problem, Patch]] = {}
        """Offer -> the problem as it was, with its text held on to, and the patch."""

    async def repair(self, asked: wire.Repair) -> wire.Repaired:
        """Repair one problem. Raises PolicyError where there is no policy to ask."""
        opened = self._opened
        sandbox = opened.workspace.sandbox.serving("background" if asked.background else "person")
        tell = self._teller(asked.job)
        tell(Progress(phase="checking the present text"))
        await self._bench.newest(asked.generation)
        opened.workspace.refuse_drift()
        problem = await asyncio.to_thread(self._problem, asked.wanted)
        if problem is None:
            return GONE
        problem = await self._doubted(problem)
        holding = asyncio.create_task(opened.held())
        try:
            tell(Progress(phase="reproducing the failure"))
            found = await reproduce(problem, sandbox, opened.workspace.settings.verdict.reproduced)
            if found.dropped:
                await opened.recorder.dropped(problem, found.dropped)
                return wire.Repaired(outcome="flaky", reason=found.reason)
            tell(Progress(phase="waiting for the policy"))
            held, harness = await holding
            tell(Progress(phase="repairing"))

            async def work() -> Repair:
                return await repair(
                    problem,
                    held.policy,
                    sandbox,
                    harness,
                    tell,
                    recall=opened.recorder.recall,
                    impact=opened.maps.impact,
                    judge=opened.judge,
                )

            done, episode = await recorded(problem, held.identity, harness, opened.recorder, work)
        finally:
            await asyncio.shield(self._let_go(holding))
        return await self._concluded(problem, done, episode, held.identity.name, asked.shown)

    async def _let_go(self, holding: asyncio.Task[tuple[Held, Harness]]) -> None:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        if not holding.cancelled() and holding.exception() is None:
            await self._opened.policy.release(holding.result()[0])

    async def prove(self, asked: wire.Prove) -> wire.Repaired:
        """Move an offer's patch onto the present text and prove it there; `gone` where the failure is, `unfixed` where it does not hold."""
        tell = self._teller(asked.job)
        await self._bench.newest(asked.generation)
        problem = self._bench.problems.get(asked.mark)
        if problem is None:
            return GONE
        pinned = await asyncio.to_thread(self._held, problem)
        return await self._proven(pinned, asked.offer, "", asked.patch, tell)

    async def restore(self) -> tuple[wire.Offer, ...]:
        """Offers of earlier sessions for what still fails, each proven again; the others are recorded as what became of them."""
        restored: list[wire.Offer] = []
        ran = {result.check for result in self._bench.results if result.status != "infrastructure"}
        for each in await self._opened.recorder.open_offers():
            if each.check not in ran:
                continue  # nobody knows whether it still fails
            problem = next((one for one in self._bench.problems.values() if _same(one, each.check, each.findings)), None)
            done = await self._proven_anew(problem, each) if problem is not None else GONE
            if done.offer is not None:
                restored.append(done.offer)
            elif done.outcome != "infrastructure":
                kind: DecisionKind = "withdrawn" if done.outcome == "unfixed" else "expired"
                await self._opened.recorder.decide(each.id, kind, None, source="inferred", reason=done.reason)
        return tuple(restored)

    async def correct(self, asked: wire.Correct) -> wire.Repaired:
        """Prove what a person did about a problem whose offer they turned down, and record it beside the offer where it holds."""
        known = self.offered.get(asked.offer)
        if known is None:
            return GONE
        problem, patch = known
        present = await asyncio.to_thread(self._bench.snapshot)
        paths = sorted({*asked.paths, *patch.paths, *problem.snapshot.overlay})
        own = await asyncio.to_thread(lambda: patch_between(problem.snapshot, {path: present.read(path) for path in paths}))
        if not own.edits:
            return wire.Repaired(outcome="unfixed", reason="nothing was changed")
        verdict = await self._verdict(problem, own, lambda _event: None)
        if not verdict.passed:
            return wire.Repaired(outcome="unfixed", reason=verdict.reason)
        await self._opened.recorder.decide(asked.offer, "rejected_with_correction", own, source="inferred", reason="")
        return wire.Repaired(outcome="fixed")

    async def probe(self) -> wire.Done:
        """Raises PolicyError where the policy does not answer."""
        await self._opened.policy.start()
        return wire.Done()

    def _problem(self, wanted: wire.Wanted) -> Problem | None:
        """The problem that is meant, with the text of the files that it is about held on to."""
        problem = self._bench.problems.get(wanted.mark)
        if problem is None and wanted.finding is not None:
            problem = self._of_finding(wanted.finding)
        return self._held(problem) if problem is not None else None

    def _of_finding(self, finding: Finding) -> Problem | None:
        """Another tool's finding: the problem whose finding says the same of the same line, else one that no check shows."""
        for problem in self._bench.problems.values():
            if any(_alike(each, finding) for each in problem.findings):
                return problem
        known = self._opened.workspace.sandbox.environment.fields.checks
        if finding.check not in known:
            return None
        return unreproducible(self._bench.snapshot(), self._bench.results, finding)

    async def _doubted(self, problem: Problem) -> Problem:
        """The problem with what is known of flaky tests by now."""
        known = await self._opened.recorder.known_flaky(problem.snapshot, problem.before)
        return msgspec.structs.replace(problem, flaky=known)

    def _held(self, problem: Problem) -> Problem:
        """The problem on a snapshot that keeps the text of the files that matter, whatever is saved meanwhile."""
        snapshot = problem.snapshot
        named = [finding.path for finding in problem.findings]
        related = [place.path for finding in problem.findings for place in finding.related if not place.path.startswith("/")]
        wanted = list(dict.fromkeys([*named, *related, *self._pinned()]))[:MOST_PINNED]
        held = {path: snapshot.read(path) for path in wanted if path and path not in snapshot.overlay}
        overlay = {path: content for path, content in held.items() if content is not None}
        return msgspec.structs.replace(problem, snapshot=Snapshot(snapshot.root, {**snapshot.overlay, **overlay}))

    async def _concluded(self, problem: Problem, done: Repair, episode: str, policy: str, shown: Shown) -> wire.Repaired:
        """The answer to a repair; a proven patch is in the journal as an offer before anybody hears of it."""
        result = wire.Repaired(
            outcome="infrastructure" if done.outcome == "cancelled" else done.outcome,
            reason=done.reason,
            policy_down=done.failed == "policy",
            episode=episode,
            steps=done.usage.steps,
            seconds=done.seconds,
        )
        if done.outcome != "fixed" or done.patch is None or done.verdict is None:
            return result
        identifier = await self._opened.recorder.offer(episode, shown)
        offer = self._offer(problem, identifier, episode, done.patch, done.verdict, policy, done.seconds)
        return msgspec.structs.replace(result, offer=offer)

    async def _proven_anew(self, problem: Problem, offer: OpenOffer) -> wire.Repaired:
        pinned = await asyncio.to_thread(self._held, problem)
        return await self._proven(pinned, offer.id, offer.episode, offer.patch, lambda _event: None)

    async def _proven(self, problem: Problem, offer: str, episode: str, patch: Patch, tell: Callable[[Event], None]) -> wire.Repaired:
        """The patch moved onto a problem's text and proven there, as the same offer."""
        try:
            present = await asyncio.to_thread(moved, patch, problem.snapshot)
        except PatchError as error:
            return wire.Repaired(outcome="conflict", reason=str(error))
        if not present.edits:
            return GONE
        problem = await self._doubted(problem)
        verdict = await self._verdict(problem, present, tell)
        await self._opened.recorder.flaky(problem.snapshot, verdict.unsteady)
        if not verdict.passed:
            return wire.Repaired(outcome="infrastructure" if verdict.infrastructure else "unfixed", reason=verdict.reason)
        policy = self._opened.workspace.settings.policy.spec
        made = self._offer(problem, offer, episode, present, verdict, policy, verdict.seconds)
        return wire.Repaired(outcome="fixed", offer=made, seconds=verdict.seconds)

    async def _verdict(self, problem: Problem, patch: Patch, tell: Callable[[Event], None]) -> Verdict:
        opened = self._opened
        return await prove_patch(problem, opened.workspace.sandbox, opened.proving(), tell, patch, impact=opened.maps.impact)

    def _offer(
        self, problem: Problem, identifier: str, episode: str, patch: Patch, verdict: Verdict, policy: str, seconds: float
    ) -> wire.Offer:
        self.offered[identifier] = (problem, patch)
        while len(self.offered) > MOST_OFFERED:
            del self.offered[next(iter(self.offered))]
        said = titles.proven(problem, verdict, self._opened.workspace.sandbox.environment.checks)
        return wire.Offer(
            id=identifier,
            episode=episode,
            mark=problem.mark,
            check=problem.check,
            title=titles.title(problem, said),
            proven=said,
            findings=tuple(msgspec.structs.replace(finding, detail="") for finding in problem.findings),
            patch=patch,
            policy=policy,
            seconds=seconds,
        )

    def _teller(self, job: str) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            match event:
                case Progress():
                    self._send(wire.Step(job=job, phase=event.phase))
                case StepDone():
                    self._send(wire.Step(job=job, phase="repairing", step=event.step, tool=f"{event.tool} {event.note}".strip()[:80]))
                case VerdictReached():
                    self._send(wire.Step(job=job, phase="proven" if event.verdict.passed else f"refused: {event.verdict.reason}"[:120]))
                case _:
                    pass

        return tell


def _same(problem: Problem, check: str, findings: Sequence[Finding]) -> bool:
    return problem.check == check and {each.signature for each in problem.findings} == {each.signature for each in findings}


def _alike(ours: Finding, theirs: Finding) -> bool:
    """Whether two tools, or one tool twice, say the same: same file and line, and same code or same beginning of the message."""
    if ours.path != theirs.path or ours.range.start.line != theirs.range.start.line:
        return False
    return bool(ours.code and ours.code == theirs.code) or ours.message[:30].lower() == theirs.message[:30].lower()
