"""From messages to tokens, by the chat template that serves and trains alike; tokens that were generated are never tokenised again."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from importlib import resources
from typing import Any

import msgspec

from suture_agent.policies import Message, ToolSchema
from suture_agent.policies.chatml import plain

MOST_KEPT = 20_000
"""Conversations whose tokens are remembered, so that the next turn continues them."""


def chatml() -> str:
    """The chat template of models that the project makes itself: ChatML, assistant turns marked for the loss, no thinking block."""
    return resources.files("suture_training").joinpath("templates", "chatml.jinja").read_text(encoding="utf-8")


def template_of(tokenizer: Any) -> str:  # noqa: ANN401  # a transformers tokenizer
    """SHA-256 of a tokenizer's chat template: a field of the harness's identity."""
    return digest_of(str(tokenizer.chat_template))


def digest_of(template: str) -> str:
    """SHA-256 of a chat template."""
    return hashlib.sha256(template.encode()).hexdigest()


def as_chat(message: Message) -> dict[str, Any]:
    """A message in the shape that chat templates and TRL take: arguments of calls as objects where they are valid JSON.

    Marks of the template inside the text are broken: what a workspace says must not end a turn.
    """
    chat: dict[str, Any] = {"role": message.role, "content": plain(message.content)}
    if message.tool_calls:
        chat["tool_calls"] = [
            {"type": "function", "function": {"name": call.name, "arguments": _arguments(call.arguments)}} for call in message.tool_calls
        ]
    if message.name:
        chat["name"] = message.name
    return chat


def as_tool(schema: ToolSchema) -> dict[str, Any]:
    """A tool in the shape that chat templates and TRL take."""
    return {
        "type": "function",
        "function": {"name": schema.name, "description": schema.description, "parameters": msgspec.to_builtins(schema.parameters)},
    }


def _arguments(text: str) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(text)
    except ValueError:
        return text


class Renderer:
    """Renders conversations; a conversation that continues one whose answer was generated here keeps that answer's own tokens."""

    def __init__(self, tokenizer: Any, *, thinking: bool = False) -> None:  # noqa: ANN401  # a transformers tokenizer
        self._tokenizer = tokenizer
        self._thinking = thinking
        self._known: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    def prompt(self, messages: Sequence[Message], tools: Sequence[ToolSchema] = (), prefill: str = "") -> tuple[int, ...]:
        """Tokens of a conversation up to and including the beginning of the answer."""
        text = self._text(messages, tools, asks=True) + plain(prefill)
        for count in range(len(messages) - 1, 0, -1):
            if messages[count - 1].role != "assistant":
                continue
            begun = self._text(messages[:count], tools, asks=False).rstrip("\n")
            known = self._known.get(begun)
            if known is not None and text.startswith(begun):
                return known + self._encode(text[len(begun) :])
        return self._encode(text)

    def answered(
        self, messages: Sequence[Message], answer: Message, prompt: Sequence[int], tokens: Sequence[int], tools: Sequence[ToolSchema] = ()
    ) -> None:
        """Remember the tokens of a conversation with the answer that was drawn for it, its end mark included or not."""
        whole = [*prompt, *tokens]
        end = self._tokenizer.eos_token_id
        if not tokens or tokens[-1] != end:
            whole.append(end)
        self._known[self._text([*messages, answer], tools, asks=False).rstrip("\n")] = tuple(whole)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    def _text(self, messages: Sequence[Message], tools: Sequence[ToolSchema], *, asks: bool) -> str:
        return str(
            self._tokenizer.apply_chat_template(
                [as_chat(message) for message in messages],
                tools=[as_tool(schema) for schema in tools] or None,
                add_generation_prompt=asks,
                tokenize=False,
                enable_thinking=self._thinking,
            )
        )

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])
