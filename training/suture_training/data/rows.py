"""Rows of datasets, in the program's own records. How they lie in files, in the shape that TRL takes, is in `columns`.

Every row says where it comes from and in which environment and harness it was made: nothing else can be trained on as if it were one thing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_agent.policies import Message, ToolSchema

Kind = Literal["sft", "kto", "dpo"]
"""What a dataset is for: whole conversations; single answers that are good or bad; pairs of a better and a worse answer."""
Source = Literal["proven", "accepted", "rejected", "corrections", "rollouts"]
"""Where rows come from; one file each in `sources`."""
Secrets = Literal["unchecked", "clean", "redacted"]
"""Whether a row was looked through for secrets when it was built into a dataset, and whether any was found then."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a row comes from."""

    source: Source
    episode: str
    """The journal's identifier of the episode; for a rollout `TASK:SEED`."""
    part: int = 0
    """0 for the conversation that ended in the proof; counted on for earlier ones of the same repair, whose edits are in the patch too."""
    environment: str
    harness: str
    policy: str
    """Identity of the policy that wrote the answers; of a correction the one that was corrected."""
    policy_name: str = ""
    adapter: str = ""
    task: str = ""
    problem: str = ""
    check: str = ""
    repository: str = ""
    """A pseudonym of the workspace, or the name of a task's repository; never a path."""
    places: tuple[str, ...] = ()
    """Of a task: `WORKSPACE:PATH:UNIT` of each function that its gold patch changes."""
    time: float = 0.0
    """Seconds since 1970."""
    outcome: str = ""
    decision: str = ""
    """What a person made of the patch, where one was asked."""
    survived: float | None = None
    """Share of an accepted patch that was still there when it was last measured."""
    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows have."""

    origin: Origin
    tools: tuple[ToolSchema, ...] = ()
    thinking: bool = False
    """What the chat template's switch was set to."""
    patch: str = ""
    """What the conversation came to, as a diff."""
    secrets: Secrets = "unchecked"


class Episode(Row, frozen=True, kw_only=True):
    """A conversation to learn from (`sft`)."""

    messages: tuple[Message, ...]
    """Ends with an answer of the assistant."""
    masked: tuple[int, ...] = ()
    """Indices of assistant messages that nothing is to be learnt from: calls answered by an error, refused submissions."""
    prefill: str = ""
    """How the harness began the last answer: the policy did not write it."""


class Preference(Row, frozen=True, kw_only=True):
    """One answer that a person liked or not (`kto`)."""

    prompt: tuple[Message, ...]
    completion: Message
    label: bool
    weight: float
    """How sure the decision is, in (0, 1]."""


class Pair(Row, frozen=True, kw_only=True):
    """An answer, and the one that a person put in its place (`dpo`)."""

    prompt: tuple[Message, ...]
    chosen: Message
    rejected: Message


def said(row: Row) -> tuple[Message, ...]:
    """All messages of a row, in order; the answers come last."""
    if isinstance(row, Episode):
        return row.messages
    if isinstance(row, Preference):
        return (*row.prompt, row.completion)
    assert isinstance(row, Pair)
    return (*row.prompt, row.chosen, row.rejected)


def kind_of(row: Row) -> Kind:
    """What a row is for."""
    return "sft" if isinstance(row, Episode) else "kto" if isinstance(row, Preference) else "dpo"


class LeftOut(Exception):
    """Nothing can be learnt from an episode; the message is the reason under which it is counted."""
