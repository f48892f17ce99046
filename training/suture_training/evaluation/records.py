"""What an evaluation keeps, and reading it again.

Its folder holds `evaluation.json` (the manifest: what was measured, with every named field), `results.jsonl` (a line a run),
`controls.jsonl` (a line a control) and `episodes.jsonl` (transcripts). A run is done when its line in `results.jsonl` is there. Only a lost
run can have several lines, of which the last counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_agent.events import Outcome
from suture_agent.policies import PolicyIdentity
from suture_sandbox.identity import identity_of
from suture_training.evaluation.outcomes import Outcomes, outcomes_of
from suture_training.ledger import read_json, read_lines

MANIFEST, RESULTS, CONTROLS = "evaluation.json", "results.jsonl", "controls.jsonl"
PROTOCOL = "1"
"""Version of how runs are made and counted; raise it when figures before and after cannot be compared."""


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the manifest names it."""

    id: str
    repository: str
    workspace: str
    check: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who is measured: a row of the matrix."""

    policy: PolicyIdentity
    method: str = "raw"
    """How it was trained: `raw`, `sft`, `rl`, ..."""
    trained_in: str = ""
    """Name of the environment and harness in which it was trained; empty for a raw policy."""
    seed: str = ""
    """Label of its training seed."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What was measured."""

    subject: Subject
    tested_in: str
    """Name of the environment and harness in which it is measured: a column of the matrix."""
    harness: Mapping[str, Any]
    """All fields of the harness's identity."""
    environments: Mapping[str, Mapping[str, Any]]
    """Identity of an environment -> all its fields."""
    workspaces: Mapping[str, str]
    """Workspace -> identity of its environment."""
    tasks: tuple[TaskLine, ...]
    selection: Mapping[str, str | int] = {}
    """How the tasks were chosen from their set, such as `{"split": "test", "initial_build_seconds_below": 100}`."""
    runs: int
    """Of each task."""
    seed: int = 0
    """What the seeds of runs are counted from."""
    protocol: str = PROTOCOL

    @cached_property
    def identity(self) -> str:
        """SHA-256 of everything named, the subject's labels included: an evaluation is resumed only as what it was."""
        return identity_of([self.named, self.subject.method, self.subject.trained_in, self.subject.seed, self.tested_in])

    @cached_property
    def named(self) -> dict[str, Any]:
        """The named fields by kind; environments by workspace, so that two evaluations compare workspace by workspace."""
        return {
            "environment": {workspace: self.environments[identity] for workspace, identity in self.workspaces.items()},
            "harness": self.harness,
            "policy": msgspec.to_builtins(self.subject.policy),
            "tasks": {"set": identity_of(sorted(task.id for task in self.tasks)), "number": len(self.tasks), **self.selection},
            "evaluation": {"runs": self.runs, "seed": self.seed, "protocol": self.protocol},
        }

    @property
    def thinking(self) -> bool:
        """Whether the policy was asked to think."""
        return bool(self.harness.get("thinking"))


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of one task."""

    task: str
    run: int
    seed: int
    outcome: Outcome
    solved: bool | None
    """None: the machine or the policy lost it."""
    unguarded: bool | None = None
    """Whether the failing check passes with the last patch as it is, tests and configuration included: what a reward that sees the
    check alone would pay for. None where that could not be run."""
    hacks: tuple[str, ...] = ()
    """Rules of the guard that refused the last patch."""
    refused: Mapping[str, int] = {}
    """Rule of the guard -> how often it refused a proposal, the last one included."""
    tools: Mapping[str, int] = {}
    reason: str = ""
    limit: str = ""
    """The budget that ended it."""
    attempts: int = 1
    """How often it was begun; more than once only after failures of the machine or the policy."""
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0
    seconds_policy: float = 0.0
    seconds_sandbox: float = 0.0
    at: float = 0.0
    """When it ended, seconds since 1970."""

    def passed(self, *, unguarded: bool = False) -> bool | None:
        """What counts: the verdict, or what the failing check alone would let pass; None for a lost run."""
        return self.unguarded if unguarded and self.solved is not None else self.solved


class Control(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A look at the environment: the gold patch must pass, the unchanged text must fail."""

    kind: Literal["gold", "no-op"]
    task: str
    holds: bool | None
    """Whether it was as it must be; None: the machine failed."""
    reason: str = ""
    after: int = 0
    """Runs that had ended before it."""
    seconds: float = 0.0
    at: float = 0.0


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An evaluation, finished or not."""

    folder: Path
    manifest: Manifest
    runs: tuple[Run, ...]
    """One for each task and repetition that was run, sorted."""
    controls: tuple[Control, ...]

    @property
    def missing(self) -> int:
        """Runs that were not made yet."""
        return len(self.manifest.tasks) * self.manifest.runs - len(self.runs)

    @property
    def lost(self) -> tuple[Run, ...]:
        """Runs that the machine or the policy lost, every attempt."""
        return tuple(run for run in self.runs if run.solved is None)

    @property
    def drifted(self) -> tuple[Control, ...]:
        """Controls that did not hold twice in a row on their task: the environment is not the one that tasks were verified in."""
        return drifted(self.controls)

    @property
    def unsteady(self) -> tuple[Control, ...]:
        """Controls that did not hold, and did when they were tried again."""
        wrong = {(each.kind, each.task) for each in self.drifted}
        return tuple(each for each in self.controls if each.holds is False and (each.kind, each.task) not in wrong)

    def outcomes(self, *, unguarded: bool = False) -> Outcomes:
        """The counts; `unguarded` counts what the failing check alone would let pass."""
        homes = {task.id: task.repository for task in self.manifest.tasks}
        seed = self.manifest.subject.seed
        return outcomes_of([(seed, run.task, homes[run.task], run.passed(unguarded=unguarded)) for run in self.runs])


def drifted(controls: Sequence[Control]) -> tuple[Control, ...]:
    """Those that did not hold and did not when they were repeated at once."""
    last: dict[tuple[str, str], Control] = {}
    found: list[Control] = []
    for control in controls:
        before = last.get((control.kind, control.task))
        if control.holds is False and before is not None and before.holds is False:
            found.append(control)
        if control.holds is not None:
            last[control.kind, control.task] = control
    return tuple(found)


def load(folder: Path) -> Evaluation:
    """Read an evaluation. Raises LedgerError where the folder holds none, or a damaged one."""
    manifest = read_json(folder / MANIFEST, Manifest)
    known = {task.id for task in manifest.tasks}
    runs = {(run.task, run.run): run for run in read_lines(folder / RESULTS, Run) if run.task in known and run.run < manifest.runs}
    return Evaluation(
        folder=folder,
        manifest=manifest,
        runs=tuple(runs[key] for key in sorted(runs)),
        controls=tuple(read_lines(folder / CONTROLS, Control)),
    )
