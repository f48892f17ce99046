"""ChatML, the chat template of the Qwen family, rendered here: small models are steered by the exact tokens, and a started answer must
be continued, not closed. No tools: the models that are rendered with it cannot call them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from suture_agent.policies import Message

_TURN = "<|im_start|>{role}\n{content}<|im_end|>\n"
_OPEN = "<|im_start|>assistant\n"
_MARK = re.compile(r"<\|(im_start|im_end|endoftext|fim_\w+|repo_name|file_sep)\|>")

TEMPLATE = hashlib.sha256((_TURN + _OPEN + _MARK.pattern).encode()).hexdigest()
"""SHA-256 of everything that decides the rendering."""

END = "<|im_end|>"


def render(messages: Sequence[Message], prefill: str = "") -> str:
    """The conversation up to and including the beginning of the answer.

    Marks inside a message are broken with a space: the text of a workspace must not be able to end a turn.
    """
    turns = [_TURN.format(role="user" if message.role == "tool" else message.role, content=plain(message.content)) for message in messages]
    return "".join(turns) + _OPEN + plain(prefill)


def plain(text: str) -> str:
    """The text with the template's marks broken, so that none of them is read as one."""
    return _MARK.sub(lambda mark: f"<| {mark[1]}|>", text)
