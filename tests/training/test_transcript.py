"""Transcripts: every message once and in order, answers marked, secrets out, long things cut."""

from __future__ import annotations

from suture_agent.meter import Turn
from suture_agent.policies import ChatRequest, Choice, Completion, Message, ToolCall
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_training.rollout import roll_out
from suture_training.transcript import LONGEST, MOST_MESSAGES, conversation, tools_of, transcript_of

SYSTEM = Message(role="system", content="you repair")


def turn(messages, *choices, prefill="", by="policy"):
    return Turn(request=ChatRequest(messages=tuple(messages), prefill=prefill), completion=Completion(choices=choices), by=by)


def user(text):
    return Message(role="user", content=text)


def told(turns):
    return [(said.role, said.text, said.note) for said in conversation(turns)]


def test_a_conversation_that_grows_is_told_once():
    call = ToolCall(id="1", name="run_check", arguments="{}")
    first = Message(role="assistant", content="look", tool_calls=(call,))
    reply = Message(role="tool", content="passed", name="run_check", tool_call_id="1")
    turns = [
        turn([SYSTEM, user("mend it")], Choice(text="look", tool_calls=(call,))),
        turn([SYSTEM, user("mend it"), first, reply], Choice(text="done")),
    ]
    assert told(turns) == [
        ("system", "you repair", ""),
        ("user", "mend it", ""),
        ("assistant", "look", ""),
        ("tool", "passed", "run_check"),
        ("assistant", "done", ""),
    ]
    assert conversation(turns)[2].calls == (("run_check", "{}"),)
    assert tools_of(turns) == {"run_check": 1}


def test_a_message_that_is_said_twice_in_one_conversation_is_told_twice():
    again = user("not like that")
    turns = [
        turn([SYSTEM, again], Choice(text="a")),
        turn([SYSTEM, again, Message(role="assistant", content="a"), again], Choice(text="b")),
    ]
    assert [text for _, text, _ in told(turns)] == ["you repair", "not like that", "a", "not like that", "b"]


def test_several_candidates_of_fresh_prompts_are_numbered_with_what_was_begun_for_them():
    turns = [
        turn([SYSTEM, user("f")], Choice(text="1"), Choice(text="2"), prefill="def f():\n"),
        turn([SYSTEM, user("g")], Choice(text="3")),
    ]
    assert told(turns)[2:] == [
        ("assistant", "def f():\n1", "answer 1 of 2"),
        ("assistant", "def f():\n2", "answer 2 of 2"),
        ("user", "g", ""),
        ("assistant", "3", ""),
    ]


def test_the_judge_is_named_and_calls_nothing_for_the_policy():
    call = ToolCall(id="1", name="run_check", arguments="{}")
    turns = [turn([user("is it good?")], Choice(text="yes", tool_calls=(call,)), by="judge")]
    assert told(turns)[-1] == ("assistant", "yes", "the judge")
    assert tools_of(turns) == {}


def test_secrets_are_taken_out_and_long_texts_cut():
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
    (said, *_) = conversation([turn([user(f"token = '{token}'\n" + "x " * 200_000)], Choice(text="a"))])
    assert token not in said.text
    assert len(said.text) < LONGEST + 100
    assert "characters left out" in said.text


def test_the_middle_of_a_long_conversation_is_left_out():
    turns = [turn([user(str(number))], Choice(text=f"a{number}")) for number in range(200)]
    made = conversation(turns)
    assert len(made) == MOST_MESSAGES + 1
    assert [said.note for said in made if said.note] == [f"{400 - MOST_MESSAGES} messages left out"]
    assert (made[0].text, made[-1].text) == ("0", "a199")


async def test_a_rollout_as_a_transcript(make_task, site, line_harness):
    policy = ScriptedPolicy(Script(turns=(ScriptedTurn(text="nonsense"), ScriptedTurn(text="2: bad => good"))))
    made = transcript_of(await roll_out(await make_task(1), site, policy, line_harness), run=2, step=7)
    assert (made.run, made.step, made.reward, made.outcome, made.requests) == (2, 7, 1.0, "fixed", 2)
    assert [said.role for said in made.said] == ["system", "user", "assistant", "user", "assistant"]
    assert "+    return good + 1" in made.diff


async def test_nothing_can_be_said_of_a_lost_rollout(make_task, site, line_harness):
    made = transcript_of(await roll_out(await make_task(1), site, ScriptedPolicy(Script()), line_harness))
    assert (made.reward, made.outcome, made.diff, made.said) == (None, "infrastructure", "", ())
    assert "no turn left" in made.reason
