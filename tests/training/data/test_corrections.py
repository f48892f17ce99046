"""A person's fix as the answer that the policy should have given: carried out again, it must give what the person wrote."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from suture_agent.direct.answers import code_in, rewrite
from suture_agent.direct.units import unit_named
from suture_agent.episodes.line import replaced
from suture_sandbox.snapshot import Snapshot
from suture_training.data.corrections import smallest_replacement
from suture_training.data.sources import corrections

FENCE = "```"
BROKEN = "def part2(x):\n    return bad + 2\n\n\ndef other():\n    return 1\n"
OWN = "def part2(x):\n    return fine + 2\n\n\ndef other():\n    return 1\n"


async def corrected(world, preset, *turns, own=OWN, **more):
    episode = await world.mend(preset, *turns, text=BROKEN, **more)
    await world.decide(episode, "rejected_with_correction", text=own)
    return world.read(corrections.pairs)


async def test_a_unit_is_written_anew_as_the_person_wrote_it(world, say):
    (pair,), left_out = await corrected(world, "direct", say.text("return good + 2\n"), tools=False)
    assert left_out == {}
    assert "good" in pair.rejected.content
    assert pair.chosen.content == f"{FENCE}python\ndef part2(x):\n    return fine + 2\n{FENCE}"
    unit = unit_named("code.py", BROKEN, "part2")
    assert rewrite(BROKEN, unit, code_in(pair.chosen.content, "")) == OWN
    assert "+    return fine + 2" in pair.patch
    assert pair.origin.decision == "rejected_with_correction"
    (row,), _ = world.read(corrections.episodes)
    assert (row.messages[-1], row.masked, row.prefill) == (pair.chosen, (), f"{FENCE}python\ndef part2(x):\n    ")


async def test_a_piece_of_a_line_is_replaced_as_the_person_did(world, say):
    (pair,), _ = await corrected(world, "line", say.text("nonsense"), say.text("2: bad => good"))
    assert pair.chosen.content == "2: bad => fine"
    unit = unit_named("code.py", BROKEN, "part2")
    (edit,) = replaced(Snapshot(world.root, {"code.py": BROKEN.encode()}), unit, pair.chosen.content).edits
    assert edit.after.decode() == OWN
    (row,), _ = world.read(corrections.episodes)
    assert row.masked == (2,)


async def test_an_edit_is_called_as_the_person_would_have(world, say):
    (pair,), _ = await corrected(world, "agent", say.call("read_file", path="code.py"), say.edit(), say.submit())
    (call,) = pair.chosen.tool_calls
    arguments = msgspec.json.decode(call.arguments)
    assert call.name == "edit_file"
    assert BROKEN.count(arguments["search"]) == 1
    assert BROKEN.replace(arguments["search"], arguments["replace"]) == OWN
    assert pair.prompt[-1].role == "tool"
    assert pair.rejected.tool_calls[0].name == "edit_file"
    (row,), _ = world.read(corrections.episodes)
    assert row.masked == (2,)


@pytest.mark.parametrize(
    ("preset", "answer", "own", "why"),
    [
        ("line", "2: bad => good", BROKEN.replace("bad", "good"), "the correction is what was offered"),
        (
            "line",
            "2: bad => good",
            BROKEN.replace("    return bad + 2", "    x = 1\n    return x"),
            "the correction is no edit of one line",
        ),
        (
            "line",
            "2: bad => good",
            BROKEN.replace("return 1", "return 3"),
            "the correction is no edit of the unit that was asked for",
        ),
        (
            "direct",
            "return good + 2\n",
            OWN.replace("return 1", "return 3"),
            "the correction is no edit of the unit that was asked for",
        ),
    ],
)
async def test_what_cannot_be_said_in_one_answer_is_left_out(world, say, preset, answer, own, why):
    found, left_out = await corrected(world, preset, say.text(answer), own=own, tools=False)
    assert (found, left_out) == ([], {why: 1})


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "    return x\n"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
@example(["b\n", "b\n", "b\n"], ["b\n", "a\n"])
def test_the_smallest_replacement_turns_one_text_into_the_other(before, after):
    old, new = "".join(before), "".join(after)
    search, replace = smallest_replacement(old, new)
    if old and old != new:
        assert old.count(search) == 1
        assert old.replace(search, replace, 1) == new


def test_a_new_file_is_made_by_an_empty_search():
    assert smallest_replacement(None, "x\n") == ("", "x\n")
