"""Failures of the journal: the fix is taken out of the text in which it stands, and only what was kept whole and not rejected is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from tasks_shop import SHOP

from suture_agent.harness import PRESETS
from suture_agent.journal.fixes import proven_fixes
from suture_agent.journal.store import Journal
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import problems_in
from suture_agent.record import JournalRecorder
from suture_agent.repair import Repair, prove_patch
from suture_sandbox.patch import patch_between
from suture_sandbox.snapshot import Snapshot
from suture_training.rollout import unheard
from suture_training.tasks.archive import File
from suture_training.tasks.candidate import Dropped
from suture_training.tasks.journal import Journalled
from suture_training.tasks.verify import Rules, verified

WRONG = SHOP.replace("return min(prices)", "return max(prices)")


class Repaired:
    """A workspace in which a fix was proven and recorded."""

    def __init__(self, path: Path, site, level: str) -> None:
        self.journal = Journal.open(path, level)  # type: ignore[arg-type]
        self.site = site
        self.recorder = JournalRecorder(self.journal, site.sandbox.environment, site.healthy.root)

    async def repair(self, mended: str = SHOP, *, decision: str = "", wrong: str = WRONG) -> None:
        snapshot = Snapshot(self.site.healthy.root).with_edits({"shop.py": wrong.encode()})
        problem = problems_in(snapshot, await self.site.sandbox.check_all(snapshot), only=("tests",))[0]
        patch = patch_between(snapshot, {"shop.py": mended.encode()})
        verdict = await prove_patch(problem, self.site.sandbox, PRESETS["direct"], unheard, patch)
        done = Repair(problem=problem, outcome="fixed", patch=patch, verdict=verdict)
        await self.recorder.problem(problem)
        episode = await self.recorder.repair(done, PolicyIdentity(name="somebody"), PRESETS["direct"])
        if decision:
            await self.recorder.decide(await self.recorder.offer(episode, "action"), decision)  # type: ignore[arg-type]

    async def candidates(self, text: str = SHOP):
        (self.site.healthy.root / "shop.py").write_text(text)
        files = {path.name: File(path.read_bytes()) for path in self.site.healthy.root.iterdir()}
        source = Journalled(proven_fixes(self.journal, self.site.healthy.root), self.site.healthy, files, repository="shop")
        return [await proposal.make() async for proposal in source.proposals()]


@pytest.fixture
def repaired(tmp_path, site_of):
    made = []

    def make(level: str = "full") -> Repaired:
        made.append(Repaired(tmp_path / "data" / "journal.sqlite3", site_of(), level))
        return made[-1]

    yield make
    for each in made:
        each.journal.close()


async def test_a_fix_that_stands_is_taken_out(repaired, ground_of):
    kept = repaired()
    await kept.repair(decision="accepted")
    (candidate,) = await kept.candidates()
    assert (candidate.broken[0].text, candidate.gold[0].text, candidate.files) == (WRONG, SHOP, None)
    assert candidate.origin.kind == "journal"
    assert candidate.origin.time.startswith("20")
    task = await verified(candidate, await ground_of(), Rules(runs=1))
    assert [finding.test for finding in task.findings] == ["tests.txt::test_cheapest"]


async def test_it_is_taken_out_of_a_text_that_has_moved_on(repaired):
    kept = repaired()
    await kept.repair()
    (candidate,) = await kept.candidates(f"# the shop\n{SHOP}")
    assert candidate.broken[0].text == f"# the shop\n{WRONG}"


async def test_a_fix_that_was_never_applied_makes_its_own_healthy_text(repaired):
    kept = repaired()
    await kept.repair()
    (candidate,) = await kept.candidates(WRONG)
    assert (candidate.broken[0].text, candidate.gold[0].text) == (WRONG, SHOP)
    assert candidate.files is not None
    assert candidate.files["shop.py"] == File(SHOP.encode())


async def test_where_it_cannot_be_told_any_more_there_is_no_candidate(repaired):
    kept = repaired()
    await kept.repair()
    with pytest.raises(Dropped) as dropped:
        await kept.candidates(SHOP.replace("return min(prices)", "return sorted(prices)[0]"))
    assert dropped.value.why == "unusable"


@pytest.mark.parametrize("decision", ["rejected", "reverted", "rejected_with_correction", "withdrawn"])
async def test_what_a_person_did_not_want_is_no_fix(repaired, decision):
    kept = repaired()
    await kept.repair(decision=decision)
    assert await kept.candidates() == []


async def test_what_was_kept_without_text_or_with_secrets_taken_out_is_left_alone(repaired):
    kept = repaired()
    secret = SHOP.replace('"""A shop."""', 'token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"')
    await kept.repair(secret, wrong=secret.replace("min(prices)", "max(prices)"))
    assert proven_fixes(kept.journal, kept.site.healthy.root) == ()
    other = repaired("metadata")
    await other.repair()
    assert proven_fixes(other.journal, other.site.healthy.root) == ()


async def test_another_workspaces_fixes_are_its_own(repaired, tmp_path):
    kept = repaired()
    await kept.repair()
    assert len(proven_fixes(kept.journal, kept.site.healthy.root)) == 1
    assert proven_fixes(kept.journal, tmp_path) == ()
