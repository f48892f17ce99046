"""Tokens: what is drawn, rendered, learnt from and continued is the same, token by token."""

from __future__ import annotations

import asyncio
import math

import msgspec
import pytest

pytest.importorskip("torch")

from suture_agent.errors import ContextOverflow
from suture_agent.meter import Turn
from suture_agent.policies import ChatRequest, Choice, Completion, Message, ToolCall
from suture_training.calls import called
from suture_training.conversations import trace_of
from suture_training.encode import IGNORED, encode
from suture_training.errors import TrainingError
from suture_training.learn.tiny import load
from suture_training.policy import LocalPolicy
from suture_training.rendering import Renderer
from suture_training.sampling import Row, draw

ASKED = (Message(role="system", content="You repair code."), Message(role="user", content="return bad"))


def request(messages=ASKED, **more: object) -> ChatRequest:
    return ChatRequest(messages=tuple(messages), **{"temperature": 1.0, "max_tokens": 6, "seed": 5, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def loaded(smallest):
    return load(smallest)


@pytest.fixture
def policy(loaded):
    return LocalPolicy(*loaded, name="smallest")


async def test_an_answer_does_not_depend_on_what_runs_beside_it(policy):
    alone = await policy.complete(request())
    longer = [*ASKED[:1], Message(role="user", content="something much longer than the other request is " * 4)]
    beside = await asyncio.gather(policy.complete(request(longer, seed=9)), policy.complete(request()), policy.complete(request(seed=7)))
    assert beside[1].choices[0].token_ids == alone.choices[0].token_ids
    assert beside[1].choices[0].logprobs == pytest.approx(alone.choices[0].logprobs, abs=1e-4)
    assert beside[2].choices[0].token_ids != alone.choices[0].token_ids


async def test_candidates_have_seeds_of_their_own(policy):
    both = await policy.complete(request(candidates=2))
    second = await policy.complete(request(seed=6))
    assert both.choices[1].token_ids == second.choices[0].token_ids
    assert both.completion_tokens == sum(len(choice.token_ids) for choice in both.choices)


async def test_logprobs_are_those_of_the_model(policy, loaded):
    import torch

    model, _ = loaded
    done = await policy.complete(request(temperature=0.7))
    choice = done.choices[0]
    ids = torch.tensor([[*done.prompt_ids, *choice.token_ids]])
    with torch.inference_mode():
        scores = torch.log_softmax(model(input_ids=ids).logits[0] / 0.7, -1)
    expected = [float(scores[len(done.prompt_ids) - 1 + at, token]) for at, token in enumerate(choice.token_ids)]
    assert choice.logprobs == pytest.approx(expected, abs=1e-4)


def test_the_likeliest_token_without_temperature_and_limits_of_sampling(loaded):
    model, tokenizer = loaded
    prompt = tuple(tokenizer("def f(x):")["input_ids"])
    end = frozenset({tokenizer.eos_token_id})
    greedy = [draw(model, [Row(prompt=prompt, temperature=0, most=4, seed=seed)], end=end, pad=0)[0].tokens for seed in (1, 2)]
    assert greedy[0] == greedy[1]
    for narrow in ({"top_k": 1}, {"top_p": 1e-6}):
        row = Row(prompt=prompt, temperature=1.0, most=4, seed=3, **narrow)  # type: ignore[arg-type]
        assert draw(model, [row], end=end, pad=0)[0].tokens == greedy[0]
    assert draw(model, [Row(prompt=prompt, temperature=1.0, most=0, seed=3)], end=end, pad=0)[0].tokens == ()
    assert draw(model, [Row(prompt=prompt, temperature=1.0, most=4, seed=3)], end=end, pad=0, stopped=lambda: True)[0].tokens == ()


async def test_the_next_turn_keeps_the_tokens_that_were_drawn(policy):
    first = await policy.complete(request())
    answer = Message(role="assistant", content=first.choices[0].text)
    second = await policy.complete(request([*ASKED, answer, Message(role="user", content="refused: no")], seed=8))
    so_far = (*first.prompt_ids, *first.choices[0].token_ids)
    assert second.prompt_ids[: len(so_far)] == so_far
    turns = [Turn(request=request(), completion=done) for done in (first, second)]
    trace = trace_of(turns)
    assert trace is not None
    assert (*trace.prompt_ids, *trace.completion_ids) == (*second.prompt_ids, *second.choices[0].token_ids)
    wrote = [token for token, mine in zip(trace.completion_ids, trace.env_mask, strict=True) if mine]
    assert tuple(wrote) == (*first.choices[0].token_ids, *second.choices[0].token_ids)
    assert all(logprob == 0 for logprob, mine in zip(trace.logprobs, trace.env_mask, strict=True) if not mine)
    assert all(logprob < 0 and math.isfinite(logprob) for logprob, mine in zip(trace.logprobs, trace.env_mask, strict=True) if mine)


async def test_of_several_conversations_one_is_drawn_and_what_a_judge_said_is_none(policy):
    one, other = await policy.complete(request()), await policy.complete(request(ASKED[:1]))
    turns = [Turn(request=request(), completion=each) for each in (one, other)]
    drawn = [trace_of(turns, seed=seed) for seed in range(20)]
    assert {each.prompt_ids for each in drawn if each is not None} == {one.prompt_ids, other.prompt_ids}
    assert drawn == [trace_of(turns, seed=seed) for seed in range(20)]
    judged = [turns[0], msgspec.structs.replace(turns[1], by="judge")]
    assert {trace_of(judged, seed=seed) for seed in range(20)} == {trace_of(turns[:1])}
    assert trace_of(judged[1:]) is None


async def test_an_answer_without_its_tokens_cannot_be_learnt_from(policy):
    with pytest.raises(TrainingError, match="drew 2 answers"):
        trace_of([Turn(request=request(), completion=await policy.complete(request(candidates=2)))])
    with pytest.raises(TrainingError, match="does not tell its tokens"):
        trace_of([Turn(request=request(), completion=Completion(choices=(Choice(text="x"),)))])
    assert trace_of([]) is None


def test_training_and_serving_render_alike(loaded):
    _, tokenizer = loaded
    answers = ["2: bad => good", "3: <|im_end|> => x"]
    messages = [*ASKED, Message(role="assistant", content=answers[0]), Message(role="user", content="refused"),
                Message(role="assistant", content=answers[1])]  # fmt: skip
    encoded = encode(tokenizer, messages)
    served = Renderer(tokenizer)
    for at in (2, 4):
        prompt = served.prompt(messages[:at])
        assert encoded.input_ids[: len(prompt)] == prompt
        assert encoded.labels[len(prompt) - 1] == IGNORED
        assert encoded.labels[len(prompt)] == encoded.input_ids[len(prompt)]
    learnt = [label for label in encoded.labels if label != IGNORED]
    assert learnt.count(tokenizer.eos_token_id) == 2, "a mark in a text is no end of a turn"
    assert tokenizer.decode(learnt).startswith(answers[0] + "<|im_end|>")


def test_erroneous_turns_can_be_left_out_of_the_loss(loaded):
    _, tokenizer = loaded
    messages = [*ASKED, Message(role="assistant", content="wrong"), Message(role="user", content="error"),
                Message(role="assistant", content="right")]  # fmt: skip
    encoded = encode(tokenizer, messages, masked={2})
    assert tokenizer.decode([label for label in encoded.labels if label != IGNORED]) == "right<|im_end|>"


async def test_a_started_answer_is_learnt_from_where_it_was_cut(policy, loaded):
    _, tokenizer = loaded
    drawn = await policy.complete(request(prefill="def f(x):\n    "))
    text = "def f(x):\n    return good"
    encoded = encode(tokenizer, [*ASKED, Message(role="assistant", content=text)], prefill="def f(x):\n    ")
    assert encoded.input_ids[: len(drawn.prompt_ids)] == drawn.prompt_ids
    assert tokenizer.decode([label for label in encoded.labels if label != IGNORED]) == "return good<|im_end|>"
    with pytest.raises(TrainingError, match="does not begin"):
        encode(tokenizer, [*ASKED, Message(role="assistant", content="other")], prefill="def f(x):")


def test_a_template_without_marks_is_refused(loaded):
    _, tokenizer = loaded
    was = tokenizer.chat_template
    try:
        tokenizer.chat_template = was.replace("{%- generation %}", "").replace("{%- endgeneration %}", "")
        with pytest.raises(TrainingError, match="marks 0 of 1"):
            encode(tokenizer, [*ASKED, Message(role="assistant", content="x")])
    finally:
        tokenizer.chat_template = was


async def test_a_prompt_that_does_not_fit_is_no_failed_answer(loaded):
    policy = LocalPolicy(*loaded, name="smallest", context=8)
    with pytest.raises(ContextOverflow):
        await policy.complete(request())


async def test_cancelling_ends_the_drawing(loaded):
    model, tokenizer = loaded
    steps: list[int] = []
    hook = model.register_forward_hook(lambda *_: steps.append(1))
    policy = LocalPolicy(model, tokenizer, name="smallest", context=500)
    try:
        task = asyncio.create_task(policy.complete(request(max_tokens=480)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)  # the token that is being drawn
        drawn = len(steps)
        await asyncio.sleep(0.1)
        assert len(steps) == drawn < 480
    finally:
        hook.remove()
        await policy.close()


def test_calls_of_tools_are_read_as_they_are_written():
    text = 'I look.\n<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>\n<tool_call>{bad</tool_call>'
    content, calls = called(text)
    assert content == "I look."
    assert calls[0] == ToolCall(id="call_0", name="read_file", arguments='{"path":"a.py"}')
    assert (calls[1].name, calls[1].arguments) == ("", "{bad")
    assert called("no call") == ("no call", ())
