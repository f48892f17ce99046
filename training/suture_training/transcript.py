"""Transcripts: rollouts as a person reads them, kept beside a run's figures. Secrets are taken out, long messages cut.

Datasets are never made from transcripts: they have neither tokens nor whole texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from suture_agent.meter import Turn
from suture_agent.policies import Message, Role
from suture_agent.redact import redact
from suture_sandbox.sandbox import shorten
from suture_training.rewards import hacks_of
from suture_training.rollout import Rollout

FILE = "episodes.jsonl"
"""Where a run's folder has them."""
LONGEST = 8_000
"""Characters of one message or diff that are kept."""
LONGEST_READ = 100_000
"""Characters that are looked through for secrets; what lies between is left out first."""
MOST_MESSAGES = 120
"""Of one transcript; the middle is left out."""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message."""

    role: Role
    text: str
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Tools that were called, with their arguments."""
    note: str = ""
    """Such as `answer 2 of 4`, or `... messages left out`."""


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout."""

    task: str
    repository: str
    run: int = 0
    """Which repetition of the task."""
    step: int = -1
    """Step of the training run; -1 outside of one."""
    reward: float | None = None
    """None where nothing can be said."""
    outcome: str
    reason: str = ""
    hacks: tuple[str, ...] = ()
    """Rules of the guard that refused the last patch."""
    tools: Mapping[str, int] = {}
    """Tool -> calls."""
    said: tuple[Said, ...] = ()
    diff: str = ""
    requests: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


def transcript_of(rollout: Rollout, *, run: int = 0, step: int = -1, reward: float | None = None) -> Transcript:
    """The transcript of a rollout. The reward is 1 or 0 by the verdict where none is given, None for a failure of the machine."""
    done = rollout.repair
    plain = None if rollout.solved is None else float(rollout.solved)
    return Transcript(
        task=rollout.task.id,
        repository=rollout.task.origin.repository,
        run=run,
        step=step,
        reward=plain if reward is None else reward,
        outcome=done.outcome,
        reason=_shown(done.verdict.reason if done.verdict is not None and not done.reason else done.reason),
        hacks=hacks_of(done.verdict),
        tools=tools_of(done.turns),
        said=conversation(done.turns),
        diff=_shown(done.patch.diff()) if done.patch is not None else "",
        requests=done.usage.steps,
        completion_tokens=done.usage.completion_tokens,
        seconds=rollout.seconds,
    )


def tools_of(turns: Sequence[Turn]) -> dict[str, int]:
    """Tool -> how often the policy called it."""
    asked = (choice for turn in turns if turn.by == "policy" for choice in turn.completion.choices)
    return dict(Counter(call.name for choice in asked for call in choice.tool_calls).most_common())


def conversation(turns: Sequence[Turn]) -> tuple[Said, ...]:
    """Every message once, in the order in which it came up, with all answers where they were given."""
    said = list(_messages(turns))
    if len(said) <= MOST_MESSAGES:
        return tuple(said)
    kept = MOST_MESSAGES // 2
    gap = Said(role="system", text="", note=f"{len(said) - 2 * kept} messages left out")
    return (*said[:kept], gap, *said[-kept:])


def _messages(turns: Sequence[Turn]) -> Iterator[Said]:
    told: Counter[Message] = Counter()
    for turn in turns:
        seen: Counter[Message] = Counter()
        for message in turn.request.messages:
            seen[message] += 1
            if seen[message] > told[message]:
                told[message] += 1
                yield _said(message)
        choices = turn.completion.choices
        for number, choice in enumerate(choices, 1):
            text = turn.request.prefill + choice.text
            answer = Message(role="assistant", content=text, tool_calls=choice.tool_calls, reasoning=choice.reasoning)
            told[answer] += 1
            which = f"answer {number} of {len(choices)}" if len(choices) > 1 else ""
            yield _said(answer, note=which if turn.by == "policy" else "the judge")


def _said(message: Message, note: str = "") -> Said:
    return Said(
        role=message.role,
        text=_shown(message.content),
        reasoning=_shown(message.reasoning),
        calls=tuple((call.name, _shown(call.arguments)) for call in message.tool_calls),
        note=note or message.name,
    )


def _shown(text: str) -> str:
    return shorten(redact(shorten(text, LONGEST_READ))[0], LONGEST) if text else ""
