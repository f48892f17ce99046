"""What people made of fixes, as labels, weights and rows."""

from __future__ import annotations

import pytest

from suture_agent.journal.offers import Decision, Offer, Remains
from suture_training.data.preferences import judgement
from suture_training.data.sources import accepted, rejected


def offer(*kinds: str, left: tuple[tuple[str, int, int], ...] = (), number: int = 0) -> Offer:
    return Offer(
        id=f"{number:016d}",
        created=1.0,
        decisions=tuple(Decision(id=f"{at:016d}", kind=kind, created=float(at)) for at, kind in enumerate(kinds)),
        survivals=tuple(
            Remains(moment=moment, tokens=tokens, kept=kept, created=float(at)) for at, (moment, tokens, kept) in enumerate(left)
        ),
    )


@pytest.mark.parametrize(
    ("decided", "label", "weight"),
    [
        (offer("reverted"), False, 1.0),
        (offer("accepted", "reverted"), False, 1.0),
        (offer("rejected"), False, 1.0),
        (offer("rejected_with_correction"), False, 1.0),
        (offer("ignored"), False, 0.2),
        (offer("ignored", "accepted"), True, 0.5),
        (offer("accepted", "expired"), True, 0.5),
        (offer("accepted", left=(("save", 10, 10),)), True, 0.25),
        (offer("accepted", left=(("30s", 10, 8),)), True, 0.4),
        (offer("accepted", left=(("30s", 10, 10), ("5min", 10, 8))), True, 0.6),
        (offer("accepted", left=(("30s", 10, 10), ("5min", 10, 10), ("15min", 10, 9))), True, 0.9),
        (offer("accepted", left=(("15min", 10, 2),)), False, 0.4),
        (offer("accepted", left=(("commit", 10, 10), ("30s", 10, 0))), True, 1.0),
        (offer("accepted", left=(("15min", 0, 0),)), True, 0.5),
        (offer("accepted", "accepted_with_edits", left=(("15min", 10, 10),)), True, 0.5),
    ],
)
def test_a_decision_says_so_much(decided, label, weight):
    judged = judgement([decided])
    assert (judged.label, pytest.approx(judged.weight)) == (label, weight)


@pytest.mark.parametrize("offers", [[], [offer()], [offer("expired")], [offer("withdrawn")], [offer("withdrawn", "expired")]])
def test_where_nobody_judged_nothing_is_said(offers):
    assert judgement(offers) is None


def test_what_was_decided_last_over_all_offers_counts():
    assert judgement([offer("rejected"), offer("accepted", number=1), offer("expired", number=2)]).label is True


async def test_a_single_answer_is_one_row(world, say):
    episode = await world.mend("line", say.text("9: x => y"), say.text("2: bad => good"))
    await world.decide(episode, "accepted", left=("15min", 4, 4))
    (row,), left_out = world.read(accepted.preferences)
    assert left_out == {}
    assert (row.label, row.weight, row.origin.decision, row.origin.survived) == (True, 1.0, "accepted", 1.0)
    assert row.completion.content == "2: bad => good"
    assert [message.role for message in row.prompt] == ["system", "user", "assistant", "user"]
    assert world.read(rejected.preferences) == ([], {})


async def test_of_a_conversation_with_tools_the_calls_that_edited_are_rows_and_share_the_weight(world, say):
    text = "def part2(x):\n    return bad + bad + 2\n"
    episode = await world.mend(
        "agent",
        say.call("read_file", path="code.py"),
        say.edit(search="bad + bad", replace="good + bad"),
        say.edit(search="nowhere", replace="x"),
        say.edit(search="good + bad", replace="good + good"),
        say.call("run_check", name="lint"),
        say.submit(),
        text=text,
    )
    await world.decide(episode, "rejected")
    found, _ = world.read(rejected.preferences)
    assert [row.weight for row in found] == [0.5, 0.5]
    assert {row.label for row in found} == {False}
    assert [len(row.completion.tool_calls) for row in found] == [1, 1]
    assert ["good + bad" in row.completion.tool_calls[0].arguments for row in found] == [True, True]
    assert [len(row.prompt) for row in found] == [4, 8]
    assert all(row.prompt[-1].role != "assistant" for row in found)
    assert all(row.tools for row in found)


async def test_an_offer_that_nobody_judged_is_counted(world, say):
    episode = await world.mend("line", say.text("2: bad => good"))
    await world.decide(episode, "expired")
    assert world.read(accepted.preferences) == ([], {"nobody judged it": 1})


async def test_what_was_hardly_kept_is_no_good_answer(world, say):
    episode = await world.mend("line", say.text("2: bad => good"))
    await world.decide(episode, "accepted", left=("15min", 10, 1))
    assert world.read(accepted.preferences)[0] == []
    (row,), _ = world.read(rejected.preferences)
    assert row.weight == pytest.approx(0.45)
