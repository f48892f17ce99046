"""Conversations as tokens and labels, through the chat template that also serves: instructions and tool replies carry no loss."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from suture_agent.policies import Message, ToolSchema
from suture_agent.policies.chatml import plain
from suture_training.errors import TrainingError
from suture_training.rendering import Renderer, as_chat, as_tool

IGNORED = -100
"""Label of a token without loss."""


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """One training example."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    """As `input_ids` where the loss counts, `IGNORED` elsewhere."""


def encode(
    tokenizer: Any,  # noqa: ANN401  # a transformers tokenizer whose template marks what the assistant generates
    messages: Sequence[Message],
    tools: Sequence[ToolSchema] = (),
    *,
    masked: Collection[int] = (),
    prefill: str = "",
    thinking: bool = False,
) -> Encoded:
    """Tokens and labels of a conversation. `masked`: indices of assistant messages that nothing is to be learnt from.

    With `prefill`, how the harness began the last answer: that answer is cut where it was cut when it was drawn, and only what the policy
    wrote of it carries loss. Raises TrainingError for a chat template that does not mark the assistant's turns.
    """
    if prefill:
        return _continued(tokenizer, messages, tools, prefill, thinking=thinking)
    out = tokenizer.apply_chat_template(
        [as_chat(message) for message in messages],
        tools=[as_tool(schema) for schema in tools] or None,
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        enable_thinking=thinking,
    )
    ids, mask = list(out["input_ids"]), list(out["assistant_masks"])
    turns = [number for number, message in enumerate(messages) if message.role == "assistant"]
    runs = _runs(mask)
    if len(runs) != len(turns):
        raise TrainingError(
            f"the chat template marks {len(runs)} of {len(turns)} assistant turns",
            remedy="use a template with {% generation %} around all that the assistant writes, such as qwen3_training.jinja",
        )
    labels = [IGNORED] * len(ids)
    for turn, (start, end) in zip(turns, runs, strict=True):
        if turn not in masked:
            labels[start:end] = ids[start:end]
    return Encoded(input_ids=tuple(ids), labels=tuple(labels))


def _continued(tokenizer: Any, messages: Sequence[Message], tools: Sequence[ToolSchema], prefill: str, *, thinking: bool) -> Encoded:  # noqa: ANN401  # a transformers tokenizer
    answer = messages[-1].content
    if not answer.startswith(prefill):
        raise TrainingError("the answer does not begin as the harness began it", remedy="leave the row out: its text was changed")
    prompt = Renderer(tokenizer, thinking=thinking).prompt(messages[:-1], tools, prefill)
    wrote = [*tokenizer(plain(answer[len(prefill) :]), add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    return Encoded(input_ids=(*prompt, *wrote), labels=(*[IGNORED] * len(prompt), *wrote))


def _runs(mask: Sequence[int]) -> list[tuple[int, int]]:
    """Where the mask is set: [start, end) of each run. Two turns of the assistant never touch: a role's mark stands between them."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for at, value in enumerate([*mask, 0]):
        if value and start is None:
            start = at
        elif not value and start is not None:
            runs.append((start, at))
            start = None
    return runs
