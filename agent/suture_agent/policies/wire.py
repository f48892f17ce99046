"""The OpenAI chat API as data: a request as the server reads it, and the answers put together from the pieces that it streams.

No network here, and no trust in the server: what it sends is decoded strictly, and what does not fit is a broken answer. Marks of ChatML
inside a message are broken with a space: servers read them as what they stand for (seen with vLLM), and the text of a workspace must not
be able to end a turn. Training renders the same text (`suture_training.rendering`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from suture_agent.policies import ChatRequest, Choice, Completion, Finish, Message, ToolCall, ToolSchema
from suture_agent.policies.chatml import plain

Dialect = Literal["openai", "vllm", "llama.cpp"]

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "content_filter": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


class BrokenAnswer(Exception):  # not an error of the floor: caught by the retry around a stream
    """The stream ended early, or does not hold what the protocol says."""


class ServerSaid(Exception):  # not an error of the floor: translated where the stream is read
    """An error that the server sent inside its stream."""

    def __init__(self, body: object) -> None:
        super().__init__(str(body))
        self.body = body


def chat_body(request: ChatRequest, model: str, dialect: Dialect, *, switch: bool, tokens: bool = False) -> dict[str, Any]:
    """The body of a chat request. `switch`: the model's chat template can turn thinking off. `tokens`: ask for them (vLLM 0.10.2)."""
    messages = [_sent(message) for message in request.messages]
    body: dict[str, Any] = {"model": model, "messages": messages, **sampling_body(request)}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if tokens:
        body |= {"return_token_ids": True, "logprobs": True, "top_logprobs": 0}
    if switch:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.prefill:
        messages.append({"role": "assistant", "content": plain(request.prefill)})
        if dialect == "vllm":
            body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body


def sampling_body(request: ChatRequest) -> dict[str, Any]:
    """What chat and text requests have in common."""
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.top_k:
        body["top_k"] = request.top_k
    if request.min_p:
        body["min_p"] = request.min_p
    if request.stop:
        body["stop"] = list(request.stop)
    if request.candidates > 1:
        body["n"] = request.candidates
    return body


def _sent(message: Message) -> dict[str, Any]:
    sent: dict[str, Any] = {"role": message.role, "content": plain(message.content)}
    if message.tool_calls:
        sent["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _well_formed(call.arguments)}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        sent["tool_call_id"] = message.tool_call_id
    if message.name:
        sent["name"] = message.name
    return sent


def _well_formed(arguments: str) -> str:
    """Servers parse the arguments of past calls for the chat template and refuse the whole request over a malformed one."""
    try:
        msgspec.json.decode(arguments, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return msgspec.json.encode({"malformed": arguments}).decode()
    return arguments


def _tool(tool: ToolSchema) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Logprob(msgspec.Struct):
    logprob: float


class _Logprobs(msgspec.Struct):
    content: list[_Logprob] | None = None


class _Piece(msgspec.Struct):
    index: int = 0
    token_ids: list[int] | None = None
    logprobs: _Logprobs | None = None
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None


class _Timings(msgspec.Struct):
    cache_n: int = 0


class _Chunk(msgspec.Struct):
    prompt_token_ids: list[int] | None = None
    choices: list[_Piece] = []
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: object = None


class Growth:
    """One answer while it grows."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.finish = ""
        self.calls: dict[int, ToolCall] = {}
        self.token_ids: list[int] = []
        self.logprobs: list[float] = []

    def add(self, piece: _Piece) -> None:
        """Take in one piece."""
        delta = piece.delta or _Delta()
        self.text += (piece.text or "") + (delta.content or "")
        self.reasoning += delta.reasoning_content or delta.reasoning or ""
        self.finish = piece.finish_reason or self.finish
        self.token_ids += piece.token_ids or ()
        self.logprobs += [each.logprob for each in (piece.logprobs.content or ())] if piece.logprobs else ()
        for call in delta.tool_calls or ():
            self._call(call)

    def _call(self, piece: _Call) -> None:
        known = self.calls.get(piece.index) or ToolCall(id="", name="", arguments="")
        function = piece.function or _Function()
        self.calls[piece.index] = ToolCall(
            id=known.id or piece.id or "",
            name=known.name or function.name or "",
            arguments=known.arguments + (function.arguments or ""),
        )

    def choice(self, number: int, prefill: str) -> Choice:
        """The finished answer, without the beginning that it was given, thinking apart from the text."""
        text = self.text.removeprefix(prefill) if prefill else self.text
        reasoning, text = _thoughts(self.reasoning, text)
        calls = tuple(msgspec.structs.replace(call, id=call.id or f"call_{number}_{index}") for index, call in sorted(self.calls.items()))
        return Choice(
            text=text,
            tool_calls=calls,
            reasoning=reasoning,
            finish="tool_calls" if calls else _FINISH[self.finish],
            token_ids=tuple(self.token_ids),
            logprobs=tuple(self.logprobs),
        )


def _thoughts(reasoning: str, text: str) -> tuple[str, str]:
    """Servers without a parser for it leave thinking in the text, between tags; the first tag may belong to the template."""
    head, closing, rest = text.partition("</think>")
    if not closing or reasoning or ("<think>" in head and not head.lstrip().startswith("<think>")):
        return reasoning, text
    return head.strip().removeprefix("<think>").strip(), rest.lstrip("\n")


class Assembly:
    """All answers to one request while they stream in."""

    def __init__(self, candidates: int, prefill: str = "") -> None:
        self._growths: dict[int, Growth] = {}
        self._most = candidates
        self._prefill = prefill
        self._prompt = self._answer = self._cached = 0
        self._prompt_ids: tuple[int, ...] = ()

    @property
    def first_text(self) -> str:
        """What the first answer holds so far."""
        return self._growths[0].text if 0 in self._growths else ""

    def add(self, data: object) -> None:
        """Take in one event; raises BrokenAnswer or ServerSaid."""
        try:
            chunk = msgspec.convert(data, _Chunk)
        except msgspec.ValidationError as error:
            raise BrokenAnswer(f"the server sent what is no answer: {error}") from error
        if chunk.error:
            raise ServerSaid(chunk.error)
        for piece in chunk.choices:
            if not 0 <= piece.index < self._most:
                raise BrokenAnswer(f"the server sent answer {piece.index}, {self._most} were asked for")
            self._growths.setdefault(piece.index, Growth()).add(piece)
        if chunk.prompt_token_ids:
            self._prompt_ids = tuple(chunk.prompt_token_ids)
        if chunk.usage is not None:
            self._count(chunk.usage, chunk.timings)

    def _count(self, usage: _Usage, timings: _Timings | None) -> None:
        """llama.cpp (which sends timings) counts every answer by itself, other servers all of them together."""
        details = usage.prompt_tokens_details
        self._prompt = max(self._prompt, usage.prompt_tokens)
        self._cached = max(self._cached, (details.cached_tokens or 0) if details else 0, timings.cache_n if timings else 0)
        self._answer = self._answer + usage.completion_tokens if timings else max(self._answer, usage.completion_tokens)

    def completion(self) -> Completion:
        """The answers; raises BrokenAnswer when one of them was cut off."""
        if 0 not in self._growths:
            raise BrokenAnswer("the stream ended before an answer began")
        for number, growth in sorted(self._growths.items()):
            if growth.finish not in _FINISH:
                raise BrokenAnswer(f"the stream ended inside answer {number} ({growth.finish or 'no end was told'})")
        choices = tuple(growth.choice(number, self._prefill) for number, growth in sorted(self._growths.items()))
        return Completion(
            choices=choices,
            prompt_tokens=self._prompt,
            completion_tokens=self._answer,
            cached_tokens=min(self._cached, self._prompt),
            prompt_ids=self._prompt_ids,
        )


def together(parts: Sequence[Completion]) -> Completion:
    """Several completions of one prompt as one."""
    return Completion(
        choices=tuple(choice for part in parts for choice in part.choices),
        prompt_tokens=max(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        cached_tokens=max(part.cached_tokens for part in parts),
        prompt_ids=parts[0].prompt_ids,
        seconds=max(part.seconds for part in parts),
    )
