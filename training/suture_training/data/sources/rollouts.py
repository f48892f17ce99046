"""Rollouts of a run as rows: those that the sandbox proved. In memory, or as they were written down, one JSON line each.

Only tasks of the split `train` are taken: what a policy is measured on must not be learnt from.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from suture_agent.journal.stored import StoredPatch, StoredTurns, store_patch, store_turns, stored_value
from suture_agent.journal.talks import talks_of
from suture_agent.policies import PolicyIdentity
from suture_sandbox.identity import identity_of
from suture_training.data.conversation import Finished, conversation_of
from suture_training.data.figures import Tally
from suture_training.data.leakage import places_of
from suture_training.data.rows import Episode, LeftOut, Origin
from suture_training.data.sources.proven import episode_of
from suture_training.errors import TrainingError
from suture_training.rollout import Rollout
from suture_training.tasks.task import Split


class StoredRollout(msgspec.Struct, frozen=True, kw_only=True):
    """A rollout as it is written down, secrets taken out as in the journal."""

    task: str
    split: Split
    seed: int
    problem: str
    check: str
    repository: str
    places: tuple[str, ...]
    environment: str
    harness: str
    policy: PolicyIdentity
    outcome: str
    reason: str
    turns: StoredTurns
    kept: tuple[tuple[int, int], ...] = ()
    """Where the requests of steps lie whose edits were kept."""
    diff: str
    patch: StoredPatch | None
    steps: int
    prompt_tokens: int
    completion_tokens: int
    time: float
    """Seconds since 1970 at which it was written down."""


def stored(rollout: Rollout) -> StoredRollout:
    """A rollout to be written down. Takes some milliseconds: secrets are looked for in all of it."""
    task, done = rollout.task, rollout.repair
    return StoredRollout(
        task=task.id,
        split=task.split,
        seed=rollout.seed,
        problem=done.problem.id,
        check=task.check,
        repository=task.origin.repository,
        places=tuple(sorted(set(places_of(task)))),
        environment=rollout.environment,
        harness=rollout.harness,
        policy=rollout.policy,
        outcome=done.outcome,
        reason=str(stored_value(done.reason)),
        turns=store_turns(done.turns),
        kept=tuple(step.turns for step in done.course.steps if step.outcome == "kept"),
        diff="" if done.patch is None else str(stored_value(done.patch.diff())),
        patch=None if done.patch is None else store_patch(done.patch),
        steps=done.usage.steps,
        prompt_tokens=done.usage.prompt_tokens,
        completion_tokens=done.usage.completion_tokens,
        time=time.time(),
    )


def append(file: IO[bytes], rollout: Rollout) -> None:
    """Write a rollout down as one line; the file is the caller's to flush."""
    file.write(msgspec.json.encode(stored(rollout)) + b"\n")


def read(path: Path) -> Iterator[StoredRollout]:
    """The rollouts of a file, in order; a last line that was cut off by a kill is left out."""
    decoder = msgspec.json.Decoder(StoredRollout)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError as error:
                    if line.endswith(b"\n"):
                        raise TrainingError(
                            f"{path}, line {number}: {error}", remedy="remove the line, or use the suture that wrote it"
                        ) from error
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror or error}", remedy="give a file of rollouts") from error


def episodes(rollouts: Iterable[Rollout | StoredRollout], tally: Tally) -> Iterator[Episode]:
    """A row for each conversation of each rollout that was solved."""
    for each in rollouts:
        found = stored(each) if isinstance(each, Rollout) else each
        if found.split != "train":
            tally.leave("of a held-out split")
            continue
        for done in _finished(found):
            try:
                yield episode_of(conversation_of(done), done.origin, done.patch, None)
            except LeftOut as reason:
                tally.leave(str(reason))


def _finished(found: StoredRollout) -> Iterator[Finished]:
    """Its conversations, the last one first."""
    origin = Origin(
        source="rollouts",
        episode=f"{found.task}:{found.seed}",
        environment=found.environment,
        harness=found.harness,
        policy=identity_of(found.policy),
        policy_name=found.policy.name,
        adapter=found.policy.adapter,
        task=found.task,
        problem=found.problem,
        check=found.check,
        repository=found.repository,
        places=found.places,
        time=found.time,
        outcome=found.outcome,
        steps=found.steps,
        prompt_tokens=found.prompt_tokens,
        completion_tokens=found.completion_tokens,
    )
    for part, talk in enumerate(talks_of(found.turns, found.kept) or (None,)):
        of_part = msgspec.structs.replace(origin, part=part)
        yield Finished(origin=of_part, reason=found.reason, talk=talk, patch=found.diff, edits=lambda: found.patch)
