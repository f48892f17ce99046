"""Rewards: what is 1, what is 0 and what says nothing."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.policies import PolicyIdentity
from suture_agent.repair import Repair
from suture_sandbox.checks import CheckResult
from suture_sandbox.guard import GuardFinding
from suture_sandbox.verdict import Verdict
from suture_training.rewards import reward_of
from suture_training.rollout import Rollout


@pytest.fixture
def rollout(make_task, site):
    async def make(**repair: object) -> Rollout:
        task = await make_task()
        done = Repair(problem=site.problem(task), **repair)  # type: ignore[arg-type]
        return Rollout(task=task, seed=0, repair=done, environment="e", harness="h", policy=PolicyIdentity(name="p"), seconds=1.0)

    return make


def refused(**changes: object) -> Verdict:
    return msgspec.structs.replace(Verdict(passed=False, reason="no"), **changes)


def decided(status: str, reason: str = "") -> Verdict:
    return refused(deciding=CheckResult(check="lint", status=status, exit_code=1, seconds=1.0, reason=reason))  # type: ignore[arg-type]


async def test_a_proven_patch_is_one_and_none_is_nothing(rollout):
    assert reward_of(await rollout(outcome="fixed", verdict=Verdict(passed=True))).value == 1
    assert reward_of(await rollout(outcome="unfixed", verdict=refused())).value == 0


@pytest.mark.parametrize("outcome", ["infrastructure", "cancelled"])
@pytest.mark.parametrize("masking", ["asymmetric", "limits", "none"])
async def test_infrastructure_is_never_zero(rollout, outcome, masking):
    reward = reward_of(await rollout(outcome=outcome, reason="the sandbox is down"), masking)
    assert reward.value is None
    assert "the sandbox is down" in reward.masked


async def test_what_the_guard_refused_is_a_failure_and_a_hack(rollout):
    finding = GuardFinding(rule="tests-edited", path="t.py", message="m")
    reward = reward_of(await rollout(outcome="unfixed", verdict=refused(guard=(finding, finding))))
    assert (reward.value, reward.hacks) == (0, ("tests-edited",))


@pytest.mark.parametrize(
    ("repair", "asymmetric", "limits", "none"),
    [
        ({"outcome": "fixed", "limit": "steps"}, None, None, 1),
        ({"outcome": "unfixed", "limit": "steps"}, 0, None, 0),
        ({"outcome": "unfixed", "limit": "seconds"}, None, None, 0),
        ({"outcome": "unfixed", "verdict": decided("timeout")}, None, None, 0),
        ({"outcome": "unfixed", "verdict": decided("killed", "it used more memory than the sandbox allows")}, None, None, 0),
        ({"outcome": "unfixed", "verdict": decided("killed", "it wrote more than the sandbox allows")}, 0, 0, 0),
        ({"outcome": "unfixed", "verdict": decided("failed")}, 0, 0, 0),
    ],
)
async def test_masking_rules(rollout, repair, asymmetric, limits, none):
    done = await rollout(**repair)
    assert [reward_of(done, rule).value for rule in ("asymmetric", "limits", "none")] == [asymmetric, limits, none]  # type: ignore[arg-type]
