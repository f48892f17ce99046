"""Rollouts: the task as a problem, and the sandbox that remembers what ran on equal content."""

from __future__ import annotations

import pytest

from suture_sandbox.memo import Memo
from suture_sandbox.sandbox import Sandbox
from suture_training.errors import TrainingError
from suture_training.rollout import Remembering


async def test_what_ran_on_equal_content_is_not_run_again(sandbox, site):
    remembering = Remembering.of(Sandbox(sandbox.backend, sandbox.environment, memo=Memo()))
    ran = []
    backend_run = sandbox.backend.run

    async def counted(*arguments):
        ran.append(arguments)
        return await backend_run(*arguments)

    sandbox.backend.run = counted
    check = sandbox.environment.checks[0]
    broken = site.healthy.with_edits({"code.py": b"bad"})
    first, second = [await remembering.check(check, broken) for _ in range(2)]
    assert (first.status, second.status, len(ran)) == ("failed", "failed", 1)
    assert (await remembering.check(check, site.healthy)).passed
    assert len(ran) == 2


def test_a_sandbox_without_a_memo_cannot_remember(sandbox):
    with pytest.raises(TrainingError, match="no memo"):
        Remembering.of(sandbox)


async def test_a_task_is_the_problem_that_it_says(make_task, site):
    task = await make_task(3)
    problem = site.problem(task)
    assert problem.check == "lint"
    assert "bad + 3" in problem.snapshot.read_text("code.py")
    assert [finding.range.start.line for finding in problem.findings] == [13]
