"""From recorded episodes to conversations: which answer, what is masked, and what no policy wrote."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.episodes.direct import BY_RULE
from suture_agent.meter import Turn
from suture_agent.policies import ChatRequest, Choice, Completion, Message
from suture_agent.policies.scripted import Script, ScriptedPolicy
from suture_training.data.sources import proven

FENCE = "```"


async def rows(world, **chosen):
    return world.read(proven.episodes, **chosen)


async def test_a_conversation_with_tools_is_the_last_request_and_its_answer(world, say):
    episode = await world.mend("agent", say.call("read_file", path="code.py", text="I look."), say.edit(), say.submit())
    (row,), left_out = await rows(world)
    assert left_out == {}
    assert [message.role for message in row.messages] == ["system", "user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert [call.name for message in row.messages for call in message.tool_calls] == ["read_file", "edit_file", "submit"]
    assert row.messages[2].content == "I look."
    assert {tool.name for tool in row.tools} >= {"edit_file", "submit"}
    assert (row.masked, row.prefill, row.thinking) == ((), "", False)
    assert row.origin.episode == episode
    assert (row.origin.source, row.origin.outcome, row.origin.check) == ("proven", "fixed", "lint")
    assert row.origin.environment == world.sandbox.environment.identity
    assert row.origin.harness == world.harness("agent").identity
    assert "-    return bad + 2\n+    return good + 2" in row.patch


async def test_calls_answered_by_an_error_and_refused_submissions_are_masked(world, say):
    await world.mend(
        "agent",
        say.call("read_file", path="nowhere.py"),
        say.edit(word="bad and worse"),
        say.submit(),
        say.call("read_file", path="code.py"),
        say.edit(search="bad and worse + 2"),
        say.submit(),
    )
    (row,), _ = await rows(world)
    calls = {number: message.tool_calls[0].name for number, message in enumerate(row.messages) if message.tool_calls}
    assert [calls[number] for number in row.masked] == ["read_file", "submit"]
    assert row.masked == (2, 6)
    assert "bad and worse" in row.messages[4].tool_calls[0].arguments  # it was carried out: not an error


async def test_an_answer_without_a_call_is_masked_where_tools_are_wanted(world, say):
    await world.mend("agent", say.text("Let me think."), say.edit(), say.submit())
    (row,), _ = await rows(world)
    assert row.masked == (2,)


async def test_a_line_that_was_refused_is_masked_and_the_right_one_learnt(world, say):
    await world.mend("line", say.text("9: bad => good"), say.text("2: bad => good"))
    (row,), _ = await rows(world)
    assert row.masked == (2,)
    assert row.messages[-1].content == "2: bad => good"
    assert row.tools == ()


async def test_a_single_answer_begins_as_the_harness_began_it_and_its_fence_is_closed(world, say):
    await world.mend("direct", say.text("return good + 2\n"), tools=False)
    (row,), _ = await rows(world)
    assert [message.role for message in row.messages] == ["system", "user", "assistant"]
    assert row.prefill == f"{FENCE}python\ndef part2(x):\n    "
    assert row.messages[-1].content == f"{FENCE}python\ndef part2(x):\n    return good + 2\n{FENCE}"


async def test_of_several_answers_the_one_that_became_the_patch_is_taken(world, say):
    samples = ["x):\n    return bad + 22\n", "x):\n    return bad + 23\n", "x):\n    return good + 2\n", "x):\n    return bad + 24\n"]
    await world.mend("direct", say.text("return bad + 20\n"), say.text("    return bad + 21\n"), say.text(*samples, repeat=0), tools=False)
    assert len(world.last.turns[-1].completion.choices) == 4
    (row,), left_out = await rows(world)
    assert left_out == {}
    assert "return good + 2" in row.messages[-1].content
    assert "bad" not in row.messages[-1].content


async def test_what_no_policy_wrote_is_left_out(world, say):
    await world.mend("line", say.text("2: bad => good"))
    by_rule = msgspec.structs.replace(world.last, reason=BY_RULE)
    await world.recorder.repair(by_rule, await ScriptedPolicy(Script()).start(), world.harness("direct"))
    found, left_out = await rows(world)
    assert len(found) == 1
    assert left_out == {"no policy wrote the patch": 1}


async def test_an_answer_that_was_cut_off_teaches_nothing(world, say):
    await world.mend("direct", say.text("return good + 2\n", finish="length"), tools=False)
    assert (await rows(world)) == ([], {"the answer was cut off": 1})


async def test_failures_are_not_read_at_all(world, say):
    await world.mend("line", say.text("nonsense", repeat=0))
    assert (await rows(world)) == ([], {})


async def test_a_teacher_is_chosen_by_its_identity(world, say):
    await world.mend("line", say.text("2: bad => good"), name="pupil")
    await world.mend("line", say.text("2: bad => good"), name="teacher", bad=2, text="y = 1\n" + "def part2(x):\n    return bad + 2\n")
    found, _ = await rows(world)
    teacher = next(row.origin.policy for row in found if row.origin.policy_name == "teacher")
    (row,), _ = await rows(world, policies=(teacher,))
    assert row.origin.policy_name == "teacher"


@pytest.mark.parametrize(("kind", "kept"), [("accepted", 1), ("ignored", 1), ("withdrawn", 1), ("rejected", 0), ("reverted", 0)])
async def test_what_a_person_turned_down_is_not_learnt_from(world, say, kind, kept):
    episode = await world.mend("line", say.text("2: bad => good"))
    await world.decide(episode, kind)
    found, left_out = await rows(world)
    assert len(found) == kept
    assert left_out == ({} if kept else {"a person turned it down": 1})


async def test_a_judge_that_was_asked_last_is_not_taken_for_the_policy(world, say):
    await world.mend("line", say.text("2: bad => good"))
    asked = ChatRequest(messages=(Message(role="system", content="You judge."), Message(role="user", content="Is it right?")))
    judged = Turn(request=asked, completion=Completion(choices=(Choice(text="yes"),)), by="judge")
    done = msgspec.structs.replace(world.last, turns=(*world.last.turns, judged))
    await world.recorder.repair(done, await ScriptedPolicy(Script()).start(), world.harness("line"))
    found, _ = await rows(world)
    assert [row.messages[-1].content for row in found] == ["2: bad => good"] * 2
