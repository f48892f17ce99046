"""`evaluate`: n runs a task over the one path, kept as they end, with controls between them.

Killed at any point it goes on where it was: a run counts when its line is on the disk, and one without a line is made again from its
beginning. Runs that the machine or the policy lost are tried again at once, again when the evaluation is resumed, and otherwise reported
apart. Tasks take turns: after one pass over all of them each has one run, so that what an interrupted evaluation has is no biased part.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from suture_agent.harness import Harness
from suture_agent.policies import Policy
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.sandbox import together
from suture_training.evaluation import audit
from suture_training.evaluation.errors import EnvironmentDrifted, TooManyLost
from suture_training.evaluation.records import (
    CONTROLS,
    MANIFEST,
    RESULTS,
    Control,
    Evaluation,
    Manifest,
    Run,
    Subject,
    TaskLine,
    load,
)
from suture_training.ledger import Ledger, write_json
from suture_training.rewards import hacks_of
from suture_training.rollout import Rollout, Site, roll_out
from suture_training.tasks.task import Task
from suture_training.transcript import FILE as EPISODES
from suture_training.transcript import Transcript, tools_of, transcript_of

SEEDS_APART = 100_000
"""Between the runs of a task: within one, candidates and retries count upwards."""
MOST_LOST_IN_A_ROW = 8
"""Lost runs after which nothing more is tried: a policy that is down loses them all."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How an evaluation is made; nothing of it changes what is measured but `runs` and `seed`."""

    runs: int = 4
    """Of each task."""
    seed: int = 0
    jobs: int = 0
    """Runs at a time; 0: as many as the policy answers at once, at most one a processor."""
    retries: int = 2
    """Further attempts of a run that the machine or the policy lost."""
    pause: float = 2.0
    """Seconds before the first of them; doubled each time."""
    controls: int = 20
    """Runs between two controls; there is one before the first run and one after the last, whatever this says."""
    other_environment: bool = False
    """Measure in another environment than the one that tasks were verified in: for attributions that vary it."""


async def evaluate(
    tasks: Sequence[Task],
    sites: Mapping[str, Site],
    policy: Policy,
    harness: Harness,
    out: Path,
    *,
    plan: Plan | None = None,
    subject: Subject | None = None,
    tested_in: str = "",
    selection: Mapping[str, str | int] | None = None,
    resume: bool = False,
    progress: Callable[[int, int, Run | Control], None] = lambda _done, _total, _what: None,
) -> Evaluation:
    """Measure a policy on tasks; `out` is the evaluation's folder. `progress` gets runs that ended, runs in all, and what ended.

    Raises ConfigurationError for tasks that cannot be run here and for a folder that holds another evaluation; EnvironmentDrifted and
    TooManyLost when there is no sense in going on. What was measured until then is kept.
    """
    chosen = plan or Plan()
    _refuse_unready(tasks, sites, chosen)
    identity = await policy.start()
    named = msgspec.structs.replace(subject or Subject(policy=identity), policy=identity)
    manifest = manifest_of(tasks, sites, harness, named, chosen, tested_in or harness.pipeline, selection or {})
    before = _opened(out, manifest, resume=resume)
    work = _Work(tasks, sites, policy, harness, chosen, before, progress)
    await work.run()
    return load(out)


def manifest_of(
    tasks: Sequence[Task],
    sites: Mapping[str, Site],
    harness: Harness,
    subject: Subject,
    plan: Plan,
    tested_in: str,
    selection: Mapping[str, str | int],
) -> Manifest:
    """What an evaluation is about to measure."""
    used = {task.workspace: sites[task.workspace].sandbox.environment for task in tasks}
    return Manifest(
        subject=subject,
        tested_in=tested_in,
        harness=msgspec.to_builtins(harness),
        environments={each.identity: msgspec.to_builtins(each.fields) for each in used.values()},
        workspaces={workspace: each.identity for workspace, each in used.items()},
        tasks=tuple(TaskLine(id=task.id, repository=task.origin.repository, workspace=task.workspace, check=task.check) for task in tasks),
        selection=dict(selection),
        runs=plan.runs,
        seed=plan.seed,
    )


class _Work:
    """One session of an evaluation."""

    def __init__(
        self,
        tasks: Sequence[Task],
        sites: Mapping[str, Site],
        policy: Policy,
        harness: Harness,
        plan: Plan,
        before: Evaluation,
        progress: Callable[[int, int, Run | Control], None],
    ) -> None:
        self._sites, self._policy, self._harness, self._plan = sites, policy, harness, plan
        self._progress = progress
        self._folder = before.folder
        done = {(run.task, run.run) for run in before.runs if run.solved is not None}
        order = list(tasks)
        random.Random(plan.seed).shuffle(order)  # noqa: S311  # an order, no secret
        self._left = deque((task, number) for number in range(plan.runs) for task in order if (task.id, number) not in done)
        self._total = len(tasks) * plan.runs
        self._ended = len(done)
        self._order = order
        self._controls = list(before.controls)
        self._since = 0
        """Runs that were begun after the last control."""
        self._lost_in_a_row = 0
        self._looking = asyncio.Lock()
        """One control at a time."""

    async def run(self) -> None:
        """Make the runs that are left, between two controls."""
        if not self._left and self._controls and self._controls[-1].after == self._ended:
            return
        capable = min(self._policy.capability.parallel, os.cpu_count() or 1)
        names = (RESULTS, CONTROLS, EPISODES)
        with contextlib.ExitStack() as stack:
            self._results, self._looks, self._episodes = (stack.enter_context(Ledger(self._folder / name)) for name in names)
            await self._control()
            await together(self._worker() for _ in range(self._plan.jobs or max(1, capable)))
            await self._control()

    async def _worker(self) -> None:
        while self._left:
            if self._since >= self._plan.controls:
                self._since = 0
                await self._control()
                continue
            self._since += 1
            await self._one(*self._left.popleft())

    async def _one(self, task: Task, number: int) -> None:
        site = self._sites[task.workspace]
        seed = self._plan.seed + number * SEEDS_APART
        attempt = 1
        rollout = await roll_out(task, site, self._policy, self._harness, seed=seed)
        while rollout.solved is None and rollout.repair.failed and attempt <= self._plan.retries:
            await asyncio.sleep(self._plan.pause * 2 ** (attempt - 1))
            attempt += 1
            rollout = await roll_out(task, site, self._policy, self._harness, seed=seed)
        unguarded = await audit.passes_unguarded(rollout, site)
        transcript = await asyncio.to_thread(transcript_of, rollout, run=number)
        self._keep(transcript, run_of(rollout, number, attempt, unguarded))

    def _keep(self, transcript: Transcript, run: Run) -> None:
        """The transcript first: a run is done when its own line is there. Raises TooManyLost."""
        self._episodes.add(transcript)
        self._results.add(run)
        self._ended += 1
        self._progress(self._ended, self._total, run)
        self._lost_in_a_row = self._lost_in_a_row + 1 if run.solved is None else 0
        if self._lost_in_a_row >= MOST_LOST_IN_A_ROW:
            raise TooManyLost(
                f"{self._lost_in_a_row} runs in a row were lost, the last one so: {run.reason}", remedy="mend it, then --resume"
            )

    async def _control(self) -> None:
        """Look at the next task with its gold patch and with none, again where a look does not hold. Raises EnvironmentDrifted."""
        async with self._looking:
            task = self._order[sum(each.kind == "gold" for each in self._controls) % len(self._order)]
            site, after = self._sites[task.workspace], self._ended
            looks: tuple[Callable[[], Awaitable[Control]], ...] = (
                lambda: audit.gold_control(task, site, self._harness, after=after),
                lambda: audit.no_op_control(task, site, after=after),
            )
            for look in looks:
                if (await self._looked(look)).holds is False and (wrong := await self._looked(look)).holds is False:
                    raise EnvironmentDrifted(
                        f"the environment drifted: {wrong.kind} control of task {task.id} after {after} runs: {wrong.reason}",
                        remedy="suture tasks verify says which tasks still hold; measure again in another folder once they do",
                    )

    async def _looked(self, look: Callable[[], Awaitable[Control]]) -> Control:
        control = await look()
        for attempt in range(self._plan.retries):
            if control.holds is not None:
                break
            await asyncio.sleep(self._plan.pause * 2**attempt)
            control = await look()
        self._controls.append(control)
        self._looks.add(control)
        self._progress(self._ended, self._total, control)
        return control


def run_of(rollout: Rollout, number: int, attempts: int, unguarded: bool | None) -> Run:
    """A rollout as the line that is kept of it."""
    done, used = rollout.repair, rollout.repair.usage
    return Run(
        task=rollout.task.id,
        run=number,
        seed=rollout.seed,
        outcome=done.outcome,
        solved=rollout.solved,
        unguarded=unguarded,
        hacks=hacks_of(done.verdict),
        refused=dict(Counter(done.refused)),
        tools=tools_of(done.turns),
        reason=(done.reason or (done.verdict.reason if done.verdict is not None else ""))[:500],
        limit=done.limit or "",
        attempts=attempts,
        requests=used.steps,
        prompt_tokens=used.prompt_tokens,
        completion_tokens=used.completion_tokens,
        cached_tokens=used.cached_tokens,
        seconds=rollout.seconds,
        seconds_policy=used.seconds_policy,
        seconds_sandbox=used.seconds_sandbox,
        at=time.time(),
    )


def _refuse_unready(tasks: Sequence[Task], sites: Mapping[str, Site], plan: Plan) -> None:
    if not tasks:
        raise ConfigurationError("there are no tasks to measure on", remedy="name another split, or loosen the filter")
    if plan.runs < 1:
        raise ConfigurationError("a task needs at least one run", remedy="--runs 4")
    for task in tasks:
        site = sites.get(task.workspace)
        if site is None:
            raise ConfigurationError(
                f"task {task.id}: its workspace {task.workspace[:12]} is not open", remedy="open every workspace of the set"
            )
        site.sandbox.check_named(task.check)
        found = site.sandbox.environment.identity
        if found != task.environment and not plan.other_environment:
            raise ConfigurationError(
                f"task {task.id} was verified in environment {task.environment[:12]}, this is {found[:12]}",
                remedy="verify the tasks here (suture tasks verify), or name the fields that may differ: --allow-mismatch FIELD",
            )


def _opened(out: Path, manifest: Manifest, *, resume: bool) -> Evaluation:
    """The folder with its manifest; whatever it has so far when the evaluation is resumed."""
    if not (out / MANIFEST).exists():
        if out.exists() and any(out.iterdir()):
            raise ConfigurationError(f"{out} is not empty and holds no evaluation", remedy="name another folder")
        write_json(out / MANIFEST, manifest)
        return load(out)
    found = load(out)
    if found.manifest.identity != manifest.identity:
        from suture_training.evaluation.identity import fields_that_differ

        fields = ", ".join(each.field for each in fields_that_differ(found.manifest, manifest)[:6]) or "who is measured"
        raise ConfigurationError(f"{out} holds another evaluation; it differs in {fields}", remedy="name another folder")
    if found.drifted:
        raise ConfigurationError(f"the environment drifted while {out} was measured", remedy="measure again in another folder")
    if not resume and found.runs:
        raise ConfigurationError(
            f"{out} holds {len(found.runs)} runs of this evaluation", remedy="go on with --resume, or name another folder"
        )
    return found
