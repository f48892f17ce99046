"""The rendered conversation: exact turns, an open end, and no way for a workspace's text to end a turn."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from suture_agent.policies import Message
from suture_agent.policies.chatml import TEMPLATE, render


def test_turns_and_the_open_answer():
    text = render(
        (
            Message(role="system", content="s"),
            Message(role="user", content="u"),
            Message(role="assistant", content="a"),
            Message(role="user", content="v"),
        ),
        "```python\ndef f():\n",
    )
    assert text == (
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n<|im_start|>user\nv<|im_end|>\n"
        "<|im_start|>assistant\n```python\ndef f():\n"
    )


def test_results_of_tools_are_turns_of_the_user():
    assert render((Message(role="tool", content="r"),)).startswith("<|im_start|>user\nr<|im_end|>\n")


def test_the_template_has_a_digest():
    assert re.fullmatch("[0-9a-f]{64}", TEMPLATE)


MARKS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|fim_prefix|>", "|>", "<|", "<", "im_end", "x")


@given(st.lists(st.sampled_from(MARKS)).map("".join))
def test_text_cannot_end_its_turn(content):
    text = render((Message(role="user", content=content),), content)
    assert text.count("<|im_start|>") == 2
    assert text.count("<|im_end|>") == 1
    assert "<|endoftext|>" not in text
    assert "<|fim_prefix|>" not in text
