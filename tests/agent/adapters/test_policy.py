"""Every episode gets the adapter that is in use when it begins, and keeps it; what serves is told, and recorded with the repair."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from suture_agent.adapters import WEIGHTS, Base, Identified
from suture_agent.adapters.policy import AdaptedPolicy, Picker, Wanted, unjudged
from suture_agent.batch import Options, fix_workspace
from suture_agent.errors import PolicyUnavailable
from suture_agent.harness import harness_for
from suture_agent.policies import ChatRequest, Message, PolicyIdentity
from suture_agent.policies.scripted import Script, ScriptedHeader, ScriptedPolicy, ScriptedTurn

HELLO = ChatRequest(messages=(Message(role="user", content="hello"),))
NAME = Base(name="scripted")


class Closing(ScriptedPolicy):
    """Remembers which of its adapted forms were closed."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.closed: list[str] = []

    def adapted(self, lora):
        other = Closing(self.script, lora=lora)
        other.closed = self.closed
        return other

    async def close(self):
        self.closed.append((await self.start()).adapter)


@pytest.fixture
def base():
    return Closing(Script(header=ScriptedHeader(), turns=(ScriptedTurn(text="hi", repeat=0),)))


def harness_of(policy, identity):
    return harness_for(policy.capability, template=identity.template)


@pytest.fixture
def place(base, environment):
    """What an adapter must have been trained for to serve here."""
    harness = harness_of(base, PolicyIdentity(name="scripted"))
    return {"base": NAME, "environment": environment, "harness": Identified.of(harness)}


@pytest.fixture
def told():
    return []


@pytest.fixture
def policy_of(registry, environment, base, told):
    def make(**wanted):
        return AdaptedPolicy(base, Picker(registry, Wanted(**wanted), environment, harness_of), told.append)

    return make


async def test_what_is_put_to_use_serves_the_next_episode_and_not_one_that_runs(registry, add, place, policy_of, told, base):
    policy = policy_of()
    before = await policy.hold()
    assert before.identity.adapter == ""
    assert told == []
    first, second = add("first", **place), add("second", **place)
    registry.use(first, override="a test")
    during = await policy.hold()
    registry.use(second, override="a test")
    after = await policy.hold()
    assert [held.identity.adapter for held in (before, during, after)] == ["", first.digest, second.digest]
    assert (await during.policy.start()).adapter == first.digest
    assert [text.partition(",")[0] for text in told] == [f"repairing with the adapter {each.label}" for each in (first, second)]
    await policy.release(before)
    assert base.closed == []
    await policy.release(during)
    assert base.closed == [first.digest]
    registry.off("second")
    assert (await policy.hold()).identity.adapter == ""
    assert told[-1] == "repairing without an adapter"
    assert base.closed == [first.digest]
    await policy.release(after)
    assert base.closed == [first.digest, second.digest]
    await policy.close()
    assert base.closed == [first.digest, second.digest, ""]


async def test_one_that_nobody_holds_is_closed_when_another_serves(registry, add, place, policy_of, base):
    policy = policy_of()
    first, second = add("first", **place), add("second", **place)
    registry.use(first, override="a test")
    for _ in range(2):
        await policy.release(await policy.hold())
    assert base.closed == []
    registry.use(second, override="a test")
    await policy.hold()
    assert base.closed == [first.digest]


async def test_several_episodes_hold_one(registry, add, place, policy_of, base):
    adapter = add("one", **place)
    registry.use(adapter, override="a test")
    policy = policy_of()
    held = await asyncio.gather(*(policy.hold() for _ in range(4)))
    assert len({id(each.policy) for each in held}) == 1
    registry.off("one")
    last = await policy.hold()
    for each in held:
        assert base.closed == []
        await policy.release(each)
    assert base.closed == [adapter.digest]
    await policy.release(last)


async def test_as_an_ordinary_policy_it_picks_once(registry, add, place, policy_of):
    adapter = add("one", **place)
    registry.use(adapter, override="a test")
    policy = policy_of()
    assert (await policy.complete(HELLO)).choices[0].text == "hi"
    registry.off("one")
    assert (await policy.start()).adapter == adapter.digest
    await policy.close()


async def test_the_fields_that_differ_are_told_once(registry, add, place, policy_of, told):
    registry.use(add("one", **{**place, "environment": Identified.of({"os": {}})}), override="a test")
    policy = policy_of()
    for _ in range(3):
        assert (await policy.hold()).identity.adapter == ""
    (text,) = told
    assert "environment.toolchain.python" in text


async def test_off_does_not_even_look(registry, add, place, policy_of):
    registry.use(add("one", **place), override="a test")
    (registry.folder / "in_use.json").write_text("{")
    assert (await policy_of(adapters="off").start()).adapter == ""
    with pytest.raises(PolicyUnavailable, match="cannot be read"):
        await policy_of().start()


async def test_a_named_one_serves_before_it_is_put_to_use(add, place, policy_of):
    adapter = add("one", **place)
    assert (await policy_of(adapters="one").start()).adapter == adapter.digest
    with pytest.raises(PolicyUnavailable, match="no adapter 'two'") as caught:
        await policy_of(adapters="two").start()
    assert "one" in caught.value.remedy


async def test_without_a_match_nothing_starts_where_one_is_required(registry, add, place, policy_of):
    policy = policy_of(require=True)
    with pytest.raises(PolicyUnavailable, match="none is in use"):
        await policy.start()
    registry.use(add("one", **place), override="a test")
    assert (await policy.start()).adapter


async def test_a_changed_file_is_not_served_and_not_passed_over(registry, add, place, policy_of):
    adapter = add("one", **place)
    registry.use(adapter, override="a test")
    policy = policy_of()
    await policy.release(await policy.hold())
    (registry.entry(adapter) / WEIGHTS).write_text("something else")
    with pytest.raises(PolicyUnavailable, match="was changed"):
        await policy.hold()


async def test_a_policy_that_knows_no_adapters_serves_as_it_is(registry, add, place, environment):
    class Plain:
        capability = ScriptedPolicy(Script()).capability

        async def start(self):
            return PolicyIdentity(name="scripted")

        async def close(self):
            pass

    registry.use(add("one", **place), override="a test")
    policy = AdaptedPolicy(Plain(), Picker(registry, Wanted(), environment, harness_of))
    assert (await policy.start()).adapter == ""
    await policy.close()


async def test_a_batch_run_records_the_adapter(registry, add, place, sandbox, snapshot_of, play, kept):
    snapshot = snapshot_of({"one": "needs a.py right"})
    script = play.policy(*play.mends("one", "a.py"))
    present = Identified.of(sandbox.environment.fields)
    adapter = add("one", **{**place, "environment": present})
    registry.use(adapter, override="a test")
    policy = AdaptedPolicy(script, Picker(registry, Wanted(), present, harness_of))
    summary = await fix_workspace(snapshot, sandbox, policy, kept.recorder(sandbox, snapshot), lambda _event: None, Options(reproduced=1))
    assert (summary.fixed, summary.adapter) == (1, adapter.digest)
    with kept.journal.reading() as connection:
        assert connection.execute("SELECT outcome, adapter FROM episodes").fetchall() == [("fixed", adapter.digest)]


async def test_an_adapter_that_was_trained_under_a_judge_serves_under_that_judge(registry, add, place, environment, base):
    harness = msgspec.structs.replace(harness_of(base, PolicyIdentity(name="scripted")), judge="strict 1234")
    adapter = add("one", **{**place, "harness": Identified.of(harness)})
    registry.use(adapter, override="a test")

    async def judged(_identity: PolicyIdentity) -> str:
        return "strict 1234"

    for judge, serves in ((judged, adapter.digest), (unjudged, "")):
        policy = AdaptedPolicy(base, Picker(registry, Wanted(), environment, harness_of), judged=judge)
        assert (await policy.hold()).identity.adapter == serves
        await policy.close()
