"""What a run told, as far as it came: enough for its page, also where the run was interrupted."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from suture_agent.batch import Summary
from suture_agent.events import Event, ProblemDropped, ProblemFound, RepairDone, VerdictReached
from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.verdict import Verdict


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, and what became of it."""

    check: str
    findings: tuple[Finding, ...]
    done: RepairDone
    verdicts: tuple[Verdict, ...] = ()
    """On its proposals, in order; of a fixed problem the last one is its proof."""
    diff: str = ""
    """The proven patch."""

    @property
    def name(self) -> str:
        """The test or the place that it is about, and how many more."""
        named = dict.fromkeys(each.test or f"{each.path}:{each.range.start.line + 1}" for each in self.findings)
        first = next(iter(named), f"problem {self.done.problem}")
        return f"{first} and {len(named) - 1} more" if len(named) > 1 else first


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `suture fix`."""

    workspace: str
    """The folder's name."""
    began: float
    """Seconds since 1970."""
    seconds: float
    applied: bool
    """Whether proven patches were written into the workspace."""
    environment: str
    policy: str
    harness: str = ""
    items: tuple[Item, ...] = ()
    dropped: tuple[ProblemDropped, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    """On the workspace as it was found; none where the run was interrupted before it ended."""
    interrupted: bool = False

    def count(self, outcome: str) -> int:
        """How many problems ended so."""
        return sum(item.done.outcome == outcome for item in self.items)


class Gathered:
    """Listens to a run."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._began = time.time()
        self._started = time.monotonic()
        self._found: dict[str, ProblemFound] = {}
        self._verdicts: dict[str, list[Verdict]] = {}
        self._done: list[tuple[RepairDone, str]] = []
        self._dropped: list[ProblemDropped] = []

    def event(self, event: Event) -> None:
        """Take one event."""
        match event:
            case ProblemFound():
                self._found[event.id] = event
            case ProblemDropped():
                self._dropped.append(event)
            case VerdictReached():
                self._verdicts.setdefault(event.problem, []).append(event.verdict)
            case RepairDone():
                self._done.append((event, self._written(event.patch)))
            case _:
                pass

    def run(self, *, applied: bool, environment: str, policy: str, summary: Summary | None) -> Run:
        """What there is to tell by now; without a summary the run was interrupted."""
        lost = {done.problem.id: done.problem.findings for done in summary.repairs} if summary is not None else {}
        return Run(
            workspace=self._root.name,
            began=self._began,
            seconds=time.monotonic() - self._started,
            applied=applied,
            environment=environment,
            policy=(summary.policy if summary is not None else "") or policy,
            harness=summary.harness if summary is not None else "",
            items=tuple(self._item(done, diff, lost.get(done.problem, ())) for done, diff in self._done),
            dropped=tuple(self._dropped),
            checks=summary.results if summary is not None else (),
            interrupted=summary is None,
        )

    def _item(self, done: RepairDone, diff: str, findings: tuple[Finding, ...]) -> Item:
        """`findings` are those of a problem that was lost before it was told."""
        found = self._found.get(done.problem)
        known = found.findings if found is not None else findings
        check = found.check if found is not None else next((each.check for each in known), "")
        return Item(check=check, findings=known, done=done, verdicts=tuple(self._verdicts.get(done.problem, ())), diff=diff)

    def _written(self, path: str) -> str:
        return (self._root / path).read_bytes().decode("utf-8", "replace") if path else ""
