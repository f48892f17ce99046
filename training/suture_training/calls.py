"""Tool calls as the Qwen family writes them (Hermes): `<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, one JSON object each."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from suture_agent.policies import ToolCall

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.DOTALL)


class _Written(msgspec.Struct):
    """A call as the model writes it."""

    name: str
    arguments: dict[str, Any] | str = {}


def called(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """The text before the first call, and the calls. What is no such object stays a call with its text as arguments, to be answered."""
    calls = tuple(_call(number, found[1]) for number, found in enumerate(_CALL.finditer(text)))
    return (_CALL.split(text, maxsplit=1)[0].rstrip("\n") if calls else text), calls


def _call(number: int, written: str) -> ToolCall:
    try:
        call = msgspec.json.decode(written, type=_Written)
    except msgspec.MsgspecError:
        return ToolCall(id=f"call_{number}", name="", arguments=written)
    arguments = call.arguments if isinstance(call.arguments, str) else msgspec.json.encode(call.arguments).decode()
    return ToolCall(id=f"call_{number}", name=call.name, arguments=arguments)
