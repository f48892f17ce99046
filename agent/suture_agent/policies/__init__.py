"""Policies: chat models behind one protocol. The records are here; each implementation is one file beside this one.

A policy is a URL and a capability record. The episode's preset follows from the capability: a model that calls tools reliably gets the
`agent` harness, a small one the `direct` harness.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tool_calls"]
OnText = Callable[[str], None]


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the policy wrote it; the arguments are not yet validated."""

    id: str
    name: str
    arguments: str
    """JSON text, possibly malformed."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message of a conversation, in the shape of the OpenAI chat API."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    reasoning: str = ""
    """Thinking text, where the server separates it; never sent back."""


class ToolSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the policy sees it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments."""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a policy."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    """Tokens that are drawn from, 0 for all; sent only to servers that know it (vLLM, llama.cpp), so only when it is not 0."""
    min_p: float = 0.0
    """Least share of the likeliest token's probability; as `top_k`."""
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    seed: int = 0
    candidates: int = 1
    """How many independent answers to sample from the one prompt; candidate i is sampled with seed + i."""
    prefill: str = ""
    """Beginning of the assistant's answer, which the policy continues; the choices' text does not repeat it. Needs `Capability.prefill`."""
    thinking: bool = False


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    finish: Finish = "stop"
    token_ids: tuple[int, ...] = ()
    """What was generated, token by token, the end mark included; from policies that tell it. Training learns from these, never from text
    that is tokenised again."""
    logprobs: tuple[float, ...] = ()
    """Log-probability of each of `token_ids` when it was drawn, of the distribution that it was drawn from."""


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """All answers to one request, and what they cost."""

    choices: tuple[Choice, ...]
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Summed over the choices."""
    cached_tokens: int = 0
    """Prompt tokens that the server took from its cache, where it says so."""
    prompt_ids: tuple[int, ...] = ()
    """The prompt's tokens, a started answer included, from policies that tell them."""
    seconds: float = 0.0


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy can do; decides the preset of the harness."""

    context: int
    """Tokens of prompt and answer together."""
    tools: bool
    """Whether it calls tools reliably."""
    prefill: bool
    """Whether it continues a started assistant message."""
    thinking: bool = False
    """Whether its chat template has a switch for thinking."""
    parallel: int = 1
    """Requests that the server runs at once without slowing each other much."""


class PolicyIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The named fields of a policy's own identity."""

    name: str
    """Model name as the server knows it."""
    base: str = ""
    """Digest of the base weights, where it is known."""
    adapter: str = ""
    """Digest of the LoRA adapter, empty without one."""
    quantisation: str = ""
    server: str = ""
    """Engine and version, such as `llama.cpp b1234` or `vllm 0.31.0`."""
    template: str = ""
    """SHA-256 of the chat template, where the server tells it or suture renders it; part of the harness identity."""


class Policy(Protocol):
    """A chat model. Implementations are safe to use from many tasks of one event loop at once."""

    @property
    def capability(self) -> Capability:
        """What it can do; known before it is started."""
        ...

    async def start(self) -> PolicyIdentity:
        """Make it ready (find or start the server, load the weights) and say who it is; idempotent. Raises PolicyUnavailable."""
        ...

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Answer a request; `on_text` gets the first candidate's text as it streams.

        Cancelling the task ends the request on the server too. Raises PolicyError; retries what is worth retrying by itself.
        """
        ...

    async def close(self) -> None:
        """Release connections, and stop what `start` started unless it is shared; idempotent."""
        ...
