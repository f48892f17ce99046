"""From the journal to a dataset of each kind, as the command does it."""

from __future__ import annotations

import pytest

from suture_agent.journal.queries import NoSuchRecord
from suture_training.data.identity import MixedIdentities
from suture_training.errors import TrainingError

pytest.importorskip("pyarrow")

from suture_training.data.build import Options
from suture_training.data.export import SOURCES, Wanted, export
from suture_training.data.load import rows


@pytest.fixture
def out(world, tmp_path):
    def out(kind="sft", **wanted):
        folder = tmp_path / f"set{len(list(tmp_path.iterdir()))}"
        return folder, export(world.path, folder, Wanted(options=Options(kind=kind), **wanted))

    return out


async def lived(world, say) -> None:
    """Some repairs, and what became of them."""
    kept = await world.mend("line", say.text("2: bad => good"), bad=0)
    await world.decide(kept, "accepted", left=("15min", 4, 4))
    down = await world.mend("line", say.text("2: bad => good"), bad=1)
    await world.decide(down, "rejected_with_correction", text=world.last.problem.snapshot.read("code.py").decode().replace("bad", "fine"))
    back = await world.mend("line", say.text("2: bad => good"), bad=2)
    await world.decide(back, "reverted")
    await world.mend("line", say.text("2: bad => good"), bad=3)


async def test_a_dataset_of_each_kind(world, say, out):
    await lived(world, say)
    folder, summary = out()
    assert (summary.figures.rows, summary.left_out) == (2, {"a person turned it down": 2})
    assert summary.identity.environment == world.sandbox.environment.identity
    assert summary.identity.fields["harness"]["preset"] == "line"
    assert {row.origin.decision for row in rows(folder)} == {"accepted", ""}
    folder, summary = out("kto")
    assert summary.figures.counts["label"] == {"bad": 2, "good": 1}
    assert {row.origin.source for row in rows(folder)} == {"accepted", "rejected"}
    folder, summary = out("dpo")
    (pair,) = rows(folder)
    assert (pair.chosen.content, pair.rejected.content) == ("2: bad => fine", "2: bad => good")
    folder, summary = out(sources=("accepted", "corrections"))
    assert sorted(row.origin.source for row in rows(folder)) == ["accepted", "corrections"]


async def test_several_harnesses_are_refused_before_anything_is_read(world, say, out, tmp_path):
    await world.mend("line", say.text("2: bad => good"), bad=0)
    await world.mend("line", say.text("2: bad => good"), bad=1)
    await world.mend("line", say.text("2: bad => good"), bad=2, thinking=True)
    with pytest.raises(MixedIdentities, match=r"harness\.thinking: false / true"):
        out()
    mine = world.harness("line").identity
    _, summary = out(harness=mine[:8])
    assert (summary.figures.rows, summary.identity.harness) == (2, mine)
    _, summary = out(allowed=("thinking",))
    (admitted,) = summary.identity.admitted
    assert (admitted.field, admitted.rows, summary.figures.rows) == ("harness.thinking", 1, 3)


async def test_a_teacher_s_episodes_alone(world, say, out):
    await world.mend("line", say.text("2: bad => good"), bad=0, name="pupil")
    await world.mend("line", say.text("2: bad => good"), bad=1, name="teacher")
    _, summary = out(policies=("teacher",))
    assert summary.figures.counts["policy"] == {"teacher": 1}
    with pytest.raises(NoSuchRecord, match="no episode was made with the policy nobody") as caught:
        out(policies=("nobody",))
    assert "teacher" in caught.value.remedy


async def test_what_cannot_be_made_is_refused(world, say, out, tmp_path):
    await world.mend("line", say.text("2: bad => good"))
    with pytest.raises(TrainingError, match="cannot be made of rejected"):
        out(sources=("rejected",))
    with pytest.raises(TrainingError, match="no row"):
        out("kto")
    with pytest.raises(TrainingError, match="no row"):
        out(since=4e9)
    with pytest.raises(TrainingError, match=r"tasks\.jsonl"):
        out(held_out=tmp_path)
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]


def test_rejected_fixes_are_never_imitated():
    assert "rejected" not in SOURCES["sft"]
