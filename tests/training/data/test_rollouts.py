"""Rollouts of a run as rows, from memory and from disk."""

from __future__ import annotations

import pytest

from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_training.data.figures import Tally
from suture_training.data.sources.rollouts import append, episodes, read, stored
from suture_training.errors import TrainingError
from suture_training.rollout import roll_out


@pytest.fixture
def rolled(make_task, site, line_harness):
    async def rolled(number: int, *answers: str, split="train"):
        policy = ScriptedPolicy(Script(turns=tuple(ScriptedTurn(text=answer) for answer in answers)))
        return await roll_out(await make_task(number, split=split), site, policy, line_harness, seed=number)

    return rolled


async def test_what_was_solved_becomes_rows(rolled, site, line_harness):
    tally = Tally()
    made = [
        await rolled(0, "2: bad => good"),
        await rolled(1, *["nonsense"] * 4),
        await rolled(2, "9: x => y", "2: bad => good"),
        await rolled(3),
    ]
    found = list(episodes(made, tally))
    assert [row.messages[-1].content for row in found] == ["2: bad => good"] * 2
    assert [row.masked for row in found] == [(), (2,)]
    assert dict(tally.taken()) == {"not fixed": 2}
    origin = found[0].origin
    assert (origin.source, origin.task, origin.episode) == ("rollouts", made[0].task.id, f"{made[0].task.id}:0")
    assert (origin.environment, origin.harness) == (site.sandbox.environment.identity, line_harness.identity)
    assert (origin.repository, origin.places, origin.problem) == ("one", ("w:code.py:part0",), made[0].task.id[:12])
    assert "+    return good + 0" in found[0].patch


async def test_held_out_splits_are_never_learnt_from(rolled):
    tally = Tally()
    assert list(episodes([await rolled(0, "2: bad => good", split="test")], tally)) == []
    assert dict(tally.taken()) == {"of a held-out split": 1}


async def test_from_disk_they_are_the_same(rolled, tmp_path):
    made = [await rolled(number, "2: bad => good") for number in range(3)]
    path = tmp_path / "rollouts.jsonl"
    with path.open("wb") as file:
        for each in made:
            append(file, each)
        file.write(b'{"task": "cut of')
    found = list(read(path))
    assert [each.task for each in found] == [each.task.id for each in made]
    from_memory = [row.messages for row in episodes(made, Tally())]
    assert [row.messages for row in episodes(found, Tally())] == from_memory
    assert stored(made[0]).turns == found[0].turns


def test_a_damaged_file_is_told_by_line(tmp_path):
    path = tmp_path / "rollouts.jsonl"
    path.write_bytes(b"nonsense\n")
    with pytest.raises(TrainingError, match="line 1"):
        list(read(path))
    with pytest.raises(TrainingError, match="No such file"):
        list(read(tmp_path / "nowhere"))
