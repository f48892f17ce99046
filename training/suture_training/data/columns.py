"""Rows as they lie in files: the columns, in the shape that TRL takes them.

A message is one JSON object (`datasets.Json`), not an Arrow struct: Arrow would give every tool call all arguments of all tools, as nulls,
and chat templates would print them. The schema says so in the words of `datasets`, so that `load_dataset` needs no help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec

from suture_agent.policies import Message, ToolCall, ToolSchema
from suture_training.data.rows import Episode, Kind, Origin, Pair, Preference, Row, Secrets
from suture_training.rendering import as_tool

Shape = Literal["json", "jsons", "string", "float", "int", "bool", "ints"]
"""What a column holds; `jsons` and `ints` are lists."""

ANSWERS: Mapping[Kind, Mapping[str, Shape]] = {
    "sft": {"messages": "jsons", "masked": "ints", "prefill": "string"},
    "kto": {"prompt": "jsons", "completion": "jsons", "label": "bool", "weight": "float"},
    "dpo": {"prompt": "jsons", "chosen": "jsons", "rejected": "jsons"},
}
"""Columns of each kind. `masked` are indices of messages; a completion, chosen and rejected are lists of one message."""
SHARED: Mapping[str, Shape] = {"tools": "json", "chat_template_kwargs": "json", "patch": "string", "secrets": "string"}
ORIGIN: Mapping[str, Shape] = {
    "source": "string",
    "episode": "string",
    "part": "int",
    "environment": "string",
    "harness": "string",
    "policy": "string",
    "policy_name": "string",
    "adapter": "string",
    "task": "string",
    "problem": "string",
    "check": "string",
    "repository": "string",
    "time": "float",
    "outcome": "string",
    "decision": "string",
    "survived": "float",
    "steps": "int",
    "prompt_tokens": "int",
    "completion_tokens": "int",
}
"""Of `Origin`; its places are for keeping held-out tasks out and go no further."""

_encoder = msgspec.json.Encoder()
_valid = msgspec.json.Decoder(msgspec.Raw).decode
"""Raises DecodeError for what is no JSON."""
_THINKING = {True: b'{"enable_thinking":true}', False: b'{"enable_thinking":false}'}


def columns_of(kind: Kind) -> dict[str, Shape]:
    """All columns of a kind, in order."""
    return {**ANSWERS[kind], **SHARED, **ORIGIN}


def message_json(message: Message) -> bytes:
    """A message in TRL's shape: as `rendering.as_chat` makes it, with the thinking text where there is one."""
    told = b'{"role":"%b","content":%b' % (message.role.encode(), _encoder.encode(message.content))
    if message.reasoning:
        told += b',"reasoning_content":%b' % _encoder.encode(message.reasoning)
    if message.tool_calls:
        told += b',"tool_calls":[%b]' % b",".join(map(_call, message.tool_calls))
    return b'%b,"name":%b}' % (told, _encoder.encode(message.name)) if message.name else told + b"}"


def _call(call: ToolCall) -> bytes:
    """A call. Its arguments stand there as the JSON that the policy wrote; as a text where that is none."""
    arguments = call.arguments.encode("utf-8", "replace")
    try:
        _valid(arguments)
    except msgspec.DecodeError:
        arguments = _encoder.encode(call.arguments)
    return b'{"type":"function","function":{"name":%b,"arguments":%b}}' % (_encoder.encode(call.name), arguments)


def tools_json(tools: Sequence[ToolSchema]) -> bytes:
    """A list of tools in TRL's shape."""
    return _encoder.encode([as_tool(tool) for tool in tools])


def cells_of(kind: Kind, rows: Sequence[Row], messages: Sequence[list[bytes]]) -> dict[str, list[Any]]:
    """The columns of some rows; JSON as bytes, tools as they are. `messages`: those of `said(row)`, each as JSON, the answers last."""
    found: dict[str, list[Any]] = {
        "sft": _episodes,
        "kto": _preferences,
        "dpo": _pairs,
    }[kind](rows, messages)
    found["tools"] = [row.tools for row in rows]
    found["chat_template_kwargs"] = [_THINKING[row.thinking] for row in rows]
    found["patch"] = [row.patch for row in rows]
    found["secrets"] = [row.secrets for row in rows]
    for name in ORIGIN:
        get = attrgetter(f"origin.{name}")
        found[name] = [get(row) for row in rows]
    return found


def _episodes(rows: Sequence[Row], messages: Sequence[list[bytes]]) -> dict[str, list[Any]]:
    of_kind = [row for row in rows if isinstance(row, Episode)]
    return {"messages": list(messages), "masked": [row.masked for row in of_kind], "prefill": [row.prefill for row in of_kind]}


def _preferences(rows: Sequence[Row], messages: Sequence[list[bytes]]) -> dict[str, list[Any]]:
    of_kind = [row for row in rows if isinstance(row, Preference)]
    return {
        "prompt": [each[:-1] for each in messages],
        "completion": [each[-1:] for each in messages],
        "label": [row.label for row in of_kind],
        "weight": [row.weight for row in of_kind],
    }


def _pairs(_rows: Sequence[Row], messages: Sequence[list[bytes]]) -> dict[str, list[Any]]:
    return {
        "prompt": [each[:-2] for each in messages],
        "chosen": [each[-2:-1] for each in messages],
        "rejected": [each[-1:] for each in messages],
    }


def row_of(kind: Kind, read: Mapping[str, Any]) -> Row:
    """A row from its cells, JSON already decoded: the way back from a file."""
    origin = Origin(**{name: read[name] for name in ORIGIN})
    tools = tuple(ToolSchema(**tool["function"]) for tool in read["tools"] or ())
    secrets: Secrets = read["secrets"]
    shared: dict[str, Any] = {
        "origin": origin,
        "tools": tools,
        "thinking": bool(read["chat_template_kwargs"]["enable_thinking"]),
        "patch": read["patch"],
        "secrets": secrets,
    }
    if kind == "sft":
        return Episode(messages=_messages(read["messages"]), masked=tuple(read["masked"]), prefill=read["prefill"], **shared)
    prompt = _messages(read["prompt"])
    if kind == "kto":
        (completion,) = _messages(read["completion"])
        return Preference(prompt=prompt, completion=completion, label=read["label"], weight=read["weight"], **shared)
    (chosen,), (rejected,) = _messages(read["chosen"]), _messages(read["rejected"])
    return Pair(prompt=prompt, chosen=chosen, rejected=rejected, **shared)


def _messages(read: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(map(_message, read))


def _message(chat: Mapping[str, Any]) -> Message:
    calls = tuple(
        ToolCall(id=f"call_{number}", name=call["function"]["name"], arguments=_text(call["function"]["arguments"]))
        for number, call in enumerate(chat.get("tool_calls") or ())
    )
    return Message(
        role=chat["role"],
        content=chat["content"],
        tool_calls=calls,
        name=chat.get("name", ""),
        reasoning=chat.get("reasoning_content", ""),
    )


def _text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else _encoder.encode(arguments).decode()
