"""The fixed start of the pipeline `simplified`: a record that a task set can store and the journal hands back.

It is the cached tuple of arXiv 2510.22075: repository, error, candidate fix, build state, logs and retrieval. It holds no folder: the
workspace is laid out by whoever keeps it, and `at` binds the start to it. Every rollout then has its own attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from suture_agent.problem import Problem
from suture_agent.recall import PastFix
from suture_sandbox.checks import CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Where an episode begins. Encodes as JSON (contents in base64) and decodes to itself."""

    problem: str
    """The problem's identifier."""
    check: str
    findings: tuple[Finding, ...]
    """The error."""
    results: tuple[CheckResult, ...]
    """The build state: results of all checks on the text; their `output` is the log."""
    texts: Mapping[str, bytes | None]
    """Path -> content of files that may differ from the workspace's: edits over it, and the files that the error names; None: deleted."""
    environment: str
    """Identity of the environment in which all of this was seen."""
    flaky: Mapping[str, tuple[str, ...]] = {}
    reproducible: bool = True
    recalled: tuple[PastFix, ...] = ()
    """What recall gave, best first: the candidate fix, and what the tool `recall` answers."""

    @property
    def candidate(self) -> PastFix | None:
        """The fix that the policy is shown, where the harness shows one (`past_fixes`)."""
        return self.recalled[0] if self.recalled else None

    @property
    def logs(self) -> dict[str, str]:
        """Check -> what it printed."""
        return {result.check: result.output for result in self.results}

    def at(self, root: Path) -> Problem:
        """The problem in a workspace: what `repair` takes, beside this start itself."""
        return Problem(
            id=self.problem,
            snapshot=Snapshot(root).with_edits(self.texts),
            target=Target(check=self.check, findings=self.findings),
            before=self.results,
            flaky=self.flaky,
            reproducible=self.reproducible,
        )


def start_of(problem: Problem, environment: str, recalled: Iterable[PastFix] = ()) -> Start:
    """The start of a problem, with the text of every file that its error names; reads those files."""
    snapshot = problem.snapshot
    texts = {path: snapshot.read(path) for path in named_files(problem)}
    return Start(
        problem=problem.id,
        check=problem.check,
        findings=problem.findings,
        results=problem.before,
        texts={**{path: content for path, content in texts.items() if content is not None}, **snapshot.overlay},
        environment=environment,
        flaky=problem.flaky,
        reproducible=problem.reproducible,
        recalled=tuple(recalled),
    )


def named_files(problem: Problem) -> tuple[str, ...]:
    """The workspace's files that a problem's findings, their frames and their tests name, sorted."""
    frames = {place.path for finding in problem.findings for place in finding.related}
    named = frames.union(*((finding.path, finding.test.partition("::")[0]) for finding in problem.findings))
    return tuple(sorted(path for path in named if path and not path.startswith("/")))
