"""Putting answers together, whatever the server sends, and translating what the client raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.errors import ContextOverflow, PolicyError
from suture_agent.policies import ChatRequest, Completion, Message, ToolSchema
from suture_agent.policies.failures import too_long, translated
from suture_agent.policies.wire import Assembly, BrokenAnswer, ServerSaid, chat_body, together

KEYS = st.sampled_from(
    ["choices", "index", "delta", "content", "tool_calls", "function", "finish_reason", "usage", "timings", "error", "id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
REQUEST = ChatRequest(messages=(Message(role="system", content="s"), Message(role="user", content="u")), max_tokens=7)


def piece(text="", index=0, finish=None):
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": finish}]}


@given(st.lists(JSON, max_size=4))
def test_nothing_that_a_server_sends_raises_anything_else(events):
    assembly = Assembly(2)
    try:
        for event in events:
            assembly.add(event)
        assembly.completion()
    except (BrokenAnswer, ServerSaid):
        pass


@given(st.lists(st.tuples(st.integers(0, 2), st.text(max_size=5)), max_size=12))
def test_interleaved_answers_keep_their_text(pieces):
    assembly = Assembly(3)
    for index, text in pieces:
        assembly.add(piece(text, index))
    for index in range(3):
        assembly.add(piece("", index, "stop"))
    expected = ["".join(text for index, text in pieces if index == wanted) for wanted in range(3)]
    if not any("</think>" in text for text in expected):
        assert [choice.text for choice in assembly.completion().choices] == expected


@given(st.text(max_size=30), st.data())
def test_pieces_of_arguments_add_up(arguments, data):
    cut = data.draw(st.integers(0, len(arguments)))
    assembly = Assembly(1)
    for text in (arguments[:cut], arguments[cut:]):
        call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": text}}
        assembly.add({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
    assembly.add(piece(finish="tool_calls"))
    (choice,) = assembly.completion().choices
    assert choice.tool_calls[0].arguments == arguments
    assert choice.tool_calls[0].name == "f"


def test_text_completions_are_read_too():
    assembly = Assembly(1)
    assembly.add({"choices": [{"index": 0, "text": "a"}]})
    assert assembly.first_text == "a"
    assembly.add({"choices": [{"index": 0, "text": "b", "finish_reason": "length"}]})
    (choice,) = assembly.completion().choices
    assert (choice.text, choice.finish) == ("ab", "length")


@pytest.mark.parametrize("finish", [None, "abort", ""])
def test_an_answer_without_an_end_is_broken(finish):
    assembly = Assembly(1)
    assembly.add(piece("a", finish=finish))
    with pytest.raises(BrokenAnswer, match="ended inside answer 0"):
        assembly.completion()


def test_no_answer_is_broken():
    with pytest.raises(BrokenAnswer, match="before an answer began"):
        Assembly(1).completion()


def test_only_a_prefill_at_the_beginning_is_taken_away():
    for sent, expected in (("def f(x)", "x)"), ("x) # def f(", "x) # def f(")):
        assembly = Assembly(1, "def f(")
        assembly.add(piece(sent, finish="stop"))
        assert assembly.completion().choices[0].text == expected


def test_more_cached_than_read_is_not_believed():
    assembly = Assembly(1)
    assembly.add(piece("a", finish="stop"))
    assembly.add({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}})
    assert assembly.completion().cached_tokens == 5


@pytest.mark.parametrize("dialect", ["openai", "vllm", "llama.cpp"])
def test_bodies_for_every_kind_of_server(dialect):
    request = ChatRequest(messages=REQUEST.messages, prefill="x =", tools=(ToolSchema(name="f", description="d", parameters={}),))
    body = chat_body(request, "m", dialect, switch=False)
    assert body["messages"][-1]["content"] == "x ="
    assert body["tools"][0]["function"]["name"] == "f"
    assert ("continue_final_message" in body) == (dialect == "vllm")
    assert "chat_template_kwargs" not in body


def test_completions_of_one_prompt_count_it_once():
    parts = [Completion(choices=(), prompt_tokens=10, completion_tokens=3, cached_tokens=cached) for cached in (0, 9)]
    found = together(parts)
    assert (found.prompt_tokens, found.completion_tokens, found.cached_tokens) == (10, 6, 9)


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "exceed_context_size_error"}',
        "This model's maximum context length is 4096 tokens",
        "Context size has been exceeded.",
        "context_length_exceeded",
        "The prompt is longer than the maximum model length of 4096",
    ],
)
def test_servers_words_for_too_long(text):
    assert too_long(text)
    assert isinstance(translated(ValueError(text), "url", "m"), ContextOverflow)


@pytest.mark.parametrize("text", ["invalid temperature", "context deadline exceeded", ""])
def test_other_words_are_not_too_long(text):
    assert not too_long(text)
    assert type(translated(ValueError(text), "url", "m")) is PolicyError


def test_errors_of_this_floor_pass():
    error = ContextOverflow("x")
    assert translated(error, "url", "m") is error
