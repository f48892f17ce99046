"""From an episode to the tokens that are learnt from: token in, token out; what the policy did not write carries no loss."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suture_agent.meter import Turn
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


def trace_of(turns: Sequence[Turn]) -> Trace | None:
    """The tokens of an episode whose requests continue each other; None when the policy was never asked.

    Raises TrainingError for an episode that is not one conversation, and for a policy that does not tell its tokens.
    """
    if not turns:
        return None
    prompt: tuple[int, ...] = ()
    completion: list[int] = []
    logprobs: list[float] = []
    mask: list[int] = []
    for number, turn in enumerate(turns):
        answer = turn.completion
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
        if number == 0:
            prompt = answer.prompt_ids
        else:
            so_far = (*prompt, *completion)
            if answer.prompt_ids[: len(so_far)] != so_far:
                raise TrainingError(
                    f"request {number + 1} of the episode does not continue the one before it",
                    remedy="train with the preset agent or line, or with steps = 1",
                )
            between = answer.prompt_ids[len(so_far) :]
            completion += between
            logprobs += [0.0] * len(between)
            mask += [0] * len(between)
        completion += choice.token_ids
        logprobs += choice.logprobs
        mask += [1] * len(choice.token_ids)
    return Trace(prompt_ids=prompt, completion_ids=tuple(completion), logprobs=tuple(logprobs), env_mask=tuple(mask))
