"""From an episode to the tokens that are learnt from: token in, token out; what the policy did not write carries no loss."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from suture_agent.meter import Turn
from suture_agent.policies import Choice, Completion
from suture_training.errors import TrainingError


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One episode as tokens."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    """All answers, with what stood between them."""
    logprobs: tuple[float, ...]
    """Of each completion token when it was drawn; 0 where the policy did not write it."""
    env_mask: tuple[int, ...]
    """1 where the policy wrote the token, 0 for tool replies and the template's marks."""

    @property
    def length(self) -> int:
        """Tokens in all."""
        return len(self.prompt_ids) + len(self.completion_ids)


def trace_of(turns: Sequence[Turn], *, seed: int = 0) -> Trace | None:
    """The tokens of an episode, or of one of its conversations, drawn by `seed`, where it had several.

    The pipeline `full` begins a new conversation for each error and candidate. All of them share the episode's outcome, and a trainer
    takes one row for an episode: over many episodes each conversation has its part. What a judge said is not the policy's.
    None when the policy was never asked.

    Raises TrainingError for a policy that drew several answers, or does not tell its tokens.
    """
    found: list[Trace] = []
    for turn in turns:
        if turn.by != "policy":
            continue
        choice = _drawn(turn.completion)
        prompt_ids = turn.completion.prompt_ids
        if found and prompt_ids[: found[-1].length] == (*found[-1].prompt_ids, *found[-1].completion_ids):
            found[-1] = _continued(found[-1], prompt_ids[found[-1].length :], choice)
        else:
            found.append(_continued(Trace(prompt_ids=prompt_ids, completion_ids=(), logprobs=(), env_mask=()), (), choice))
    return random.Random(f"conversation {seed}").choice(found) if found else None  # noqa: S311  # reproducible, not secret


def _drawn(answer: Completion) -> Choice:
    """The one answer, with its tokens."""
    if len(answer.choices) != 1:
        raise TrainingError(
            f"a request drew {len(answer.choices)} answers", remedy="train with harness.candidates = 1: an episode is one conversation"
        )
    choice = answer.choices[0]
    if not answer.prompt_ids or len(choice.token_ids) != len(choice.logprobs):
        raise TrainingError(
            "the policy does not tell its tokens and their log-probabilities",
            remedy="train with a policy of this process, or a vLLM server that returns token ids",
        )
    return choice


def _continued(trace: Trace, between: tuple[int, ...], choice: Choice) -> Trace:
    """The trace with what came between two answers, which the policy did not write, and the next answer."""
    count = len(choice.token_ids)
    return Trace(
        prompt_ids=trace.prompt_ids,
        completion_ids=(*trace.completion_ids, *between, *choice.token_ids),
        logprobs=(*trace.logprobs, *[0.0] * len(between), *choice.logprobs),
        env_mask=(*trace.env_mask, *[0] * len(between), *[1] * count),
    )
