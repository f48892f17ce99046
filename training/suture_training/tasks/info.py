"""What is written beside the tasks: set.json, and what became of every candidate."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from suture_training.tasks.task import OriginKind, Split

FORMAT = 1

Ratios = tuple[int, int, int]
"""Per cent of tasks for training, validation and test."""


class Tried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one candidate."""

    key: str
    """Names the candidate: the same in every run over the same text with the same seed."""
    origin: OriginKind
    name: str
    """As `Origin.name`: the mutation operator, the commit, ..."""
    task: str = ""
    """The task that it became; empty where it was dropped."""
    dropped: str = ""
    """Why it was dropped, in one word; see `verify.Why`."""
    detail: str = ""
    seconds: float = 0.0


class WorkspaceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A healthy workspace of the set."""

    repository: str
    environment: str
    """Identity."""
    files: int
    bytes: int
    flaky: Mapping[str, tuple[str, ...]] = {}
    """Check -> tests that flipped on the healthy text: no task is about them, and in rollouts they decide nothing."""
    shifting: Mapping[str, tuple[str, ...]] = {}
    """Check -> functions of tests whose names came and went between runs of the healthy text: as above."""
    failing: Mapping[str, int] = {}
    """Check -> findings of the healthy text itself, of which no task is about any."""


class SplitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """How the tasks were split."""

    by: str
    """`repository`; or `function`, where there are too few repositories: then a function that is broken in one split is healthy text in
    the workspace of the others."""
    ratios: Ratios
    groups: int
    """What was kept together: repositories, or functions with those that are nearly the same."""
    tasks: Mapping[Split, int]
    refused: int
    """Tasks that were left out because they resemble one that is held out."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One run that added to the set: what it takes to make it again."""

    workspace: str
    repository: str
    sources: tuple[str, ...]
    seed: int
    runs: int
    count: int
    suture: str
    policy: str = ""
    """Of written bugs."""
    seconds: float = 0.0


class SetInfo(msgspec.Struct, frozen=True, kw_only=True):
    """set.json."""

    version: int = FORMAT
    identity: str = ""
    """Hash over the tasks, see `identity_of_tasks`; empty until the set is finished."""
    filters: Mapping[str, int] = {}
    """Such as `{"initial_build_seconds_below": 100}`; also a field of the environments' identities."""
    candidates: int = 0
    kept: int = 0
    dropped: Mapping[str, int] = {}
    """Why -> how many."""
    operators: Mapping[str, tuple[int, int]] = {}
    """Origin and its name -> candidates, and tasks of those."""
    split: SplitInfo | None = None
    workspaces: Mapping[str, WorkspaceInfo] = {}
    made: tuple[Made, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the run that made it came to its end."""
        return bool(self.identity)
