"""`ScriptedPolicy`: what a script can say, and what is said about a wrong one."""

from __future__ import annotations

import asyncio

import pytest

from suture_agent.errors import ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable, SettingsError
from suture_agent.policies import ChatRequest, Message
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn, load


def asks(text, **more):
    return ChatRequest(messages=(Message(role="system", content="sys"), Message(role="user", content=text)), **more)


def script(tmp_path, text, name="play.jsonl"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


async def texts(policy, *questions):
    return [(await policy.complete(asks(question))).choices[0].text for question in questions]


async def test_turns_are_played_in_order(tmp_path):
    policy = ScriptedPolicy(script(tmp_path, '{"text": "one"}\n\n# a remark\n{"text": "two"}\n'))
    assert await texts(policy, "a", "b") == ["one", "two"]
    with pytest.raises(PolicyError, match="no turn left"):
        await policy.complete(asks("c"))
    assert [request.messages[-1].content for request in policy.requests] == ["a", "b", "c"]


async def test_one_script_serves_several_problems(tmp_path):
    policy = ScriptedPolicy(
        script(
            tmp_path,
            '{"match": "add", "text": "plus"}\n{"pattern": "E\\\\d{3}", "text": "lint", "repeat": 0}\n{"text": "other", "repeat": 2}\n',
        )
    )
    assert await texts(policy, "E501 here", "fix add", "E100", "fix add", "x") == ["lint", "plus", "lint", "other", "other"]


async def test_after_looks_at_the_whole_conversation(tmp_path):
    policy = ScriptedPolicy(script(tmp_path, '{"after": "sys", "text": "seen"}\n'))
    assert await texts(policy, "q") == ["seen"]


async def test_tool_calls_and_malformed_arguments(tmp_path):
    line = '{"text": "look", "calls": [{"name": "read_file", "arguments": {"path": "a.py"}}, {"name": "submit", "arguments": "{oops"}]}'
    choice = (await ScriptedPolicy(script(tmp_path, line)).complete(asks("q"))).choices[0]
    assert choice.finish == "tool_calls"
    assert [(call.name, call.arguments) for call in choice.tool_calls] == [("read_file", '{"path":"a.py"}'), ("submit", "{oops")]
    assert len({call.id for call in choice.tool_calls}) == 2


async def test_candidates_get_a_text_each(tmp_path):
    policy = ScriptedPolicy(script(tmp_path, '{"text": ["a", "b"]}'))
    shown: list[str] = []
    done = await policy.complete(asks("q", candidates=3), shown.append)
    assert [choice.text for choice in done.choices] == ["a", "b", "b"]
    assert shown == ["a"]
    assert done.prompt_tokens > 0
    assert done.completion_tokens == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("429", PolicyUnavailable),
        ("reset", PolicyError),
        ("infrastructure", PolicyUnavailable),
        ("refused", PolicyRefused),
        ("overflow", ContextOverflow),
    ],
)
async def test_failures_are_played(tmp_path, name, kind):
    policy = ScriptedPolicy(script(tmp_path, f'{{"error": "{name}", "message": "as planned"}}\n{{"text": "fine"}}\n'))
    with pytest.raises(kind, match="as planned"):
        await policy.complete(asks("q"))
    assert await texts(policy, "q") == ["fine"]


async def test_a_delay_can_be_cancelled(tmp_path):
    policy = ScriptedPolicy(script(tmp_path, '{"text": "late", "delay": 3600}'))
    task = asyncio.create_task(policy.complete(asks("q")))
    while not policy.requests:  # noqa: ASYNC110 - another process has no events to wait on
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_header_says_what_the_model_can_do(tmp_path):
    line = '{"name": "small", "context": 2048, "tools": false, "prefill": true, "parallel": 3}\n{"text": "x"}\n'
    policy = ScriptedPolicy(script(tmp_path, line))
    capability = policy.capability
    assert (capability.context, capability.tools, capability.prefill, capability.parallel) == (2048, False, True, 3)
    assert (await policy.start()).name == "small"
    assert await texts(policy, "q") == ["x"]
    await policy.close()


async def test_toml_says_the_same(tmp_path):
    text = 'name = "t"\ntools = false\n\n[[turn]]\nmatch = "a"\ntext = """\n  return 1\n"""\n\n[[turn]]\nerror = "429"\n'
    policy = ScriptedPolicy(script(tmp_path, text, "play.toml"))
    assert await texts(policy, "a") == ["  return 1\n"]
    assert not policy.capability.tools
    with pytest.raises(PolicyUnavailable):
        await policy.complete(asks("b"))


async def test_playing_twice_gives_the_same(tmp_path):
    path = script(tmp_path, '{"match": "a", "text": ["1", "2"]}\n{"text": "3", "repeat": 0}\n')
    runs = []
    for _ in range(2):
        policy = ScriptedPolicy(path)
        runs.append([(await policy.complete(asks(question, candidates=2))).choices for question in "abca"])
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("play.jsonl", '{"text": "x"}\n{"text": 3}\n', ":2: "),
        ("play.jsonl", '{"text": "x"}\n\n{"txet": "x"}\n', ":3: "),
        ("play.jsonl", "{oops\n", ":1: "),
        ("play.jsonl", '{"match": "x"}\n', ":1: a turn needs"),
        ("play.jsonl", '{"pattern": "(", "text": "x"}\n', ":1: "),
        ("play.jsonl", '{"text": "x", "repeat": -1}\n', ":1: repeat"),
        ("play.jsonl", '{"error": "bad luck"}\n', ":1: "),
        ("play.jsonl", '{"name": "x", "colour": "red"}\n', ":1: "),
        ("play.toml", '[[turn]]\ntext = "x"\n\n[[turn]]\ntext = 3\n', ":4: "),
        ("play.toml", "[[turn]\n", "line 1"),
        ("play.toml", 'turn = "x"\n', ":1: "),
        ("play.toml", 'colour = "red"\n', ":1: "),
    ],
)
def test_a_wrong_script_names_file_and_line(tmp_path, name, text, place):
    path = script(tmp_path, text, name)
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)
    assert caught.value.remedy


def test_a_script_that_is_not_there(tmp_path):
    with pytest.raises(PolicyUnavailable, match="cannot be read"):
        ScriptedPolicy(tmp_path / "nothing.jsonl")


async def test_a_script_can_be_made_in_code():
    policy = ScriptedPolicy(Script(turns=(ScriptedTurn(text="x"),)))
    assert await texts(policy, "q") == ["x"]
