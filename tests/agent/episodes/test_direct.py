"""The `direct` episode with a scripted policy in the real sandbox: whose answer counts, when edits by rule are tried, and what is told."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pytest

from suture_agent.episodes.direct import BY_RULE
from suture_agent.events import StepDone
from suture_agent.harness import harness_for
from suture_agent.problem import problems_in
from suture_agent.repair import repair
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")
PAGES = "def pages(length, size):\n    return length // size + 1\n"
TEST = "from pages import pages\n\n\ndef test_full():\n    assert pages(10, 5) == 2\n\n\ndef test_rest():\n    assert pages(11, 5) == 3\n"
RIGHT = "    return (length + size - 1) // size\n"
WRONG = "    return length\n"


@pytest.fixture
async def real():
    """The real sandbox with this environment's pytest."""
    check = Check(name="tests", kind="tests", command=COMMAND, report="pytest", selectable=True, tool="pytest")
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin",), readonly=(sys.prefix, sys.base_prefix))
    made = Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": check}), runtime, Limits(seconds=60, memory_mib=512)))
    yield made
    await made.close()


@pytest.fixture
def mend(real, tmp_path, play, told):
    """Repair the files' only problem with a policy that gives these answers; `by_rule` as in the harness."""

    async def run(files, *answers, by_rule="beside", **budgets):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        snapshot = Snapshot(tmp_path)
        (problem,) = problems_in(snapshot, await real.check_all(snapshot))
        policy = play.policy(*[play.says(answer) for answer in answers], play.says(WRONG, repeat=0), tools=False)
        harness = harness_for(policy.capability)
        spent = msgspec.structs.replace(harness.budgets, **budgets)
        chosen = msgspec.structs.replace(harness, edits_by_rule=by_rule, budgets=spent)
        return await repair(problem, policy, real, chosen, told), policy

    return run


async def test_the_policy_s_right_answer_is_taken_before_an_edit_by_rule(mend):
    done, policy = await mend({"pages.py": PAGES, "test_pages.py": TEST}, "    return -(-length // size)\n")
    assert (done.outcome, done.reason) == ("fixed", "")
    assert b"-(-length // size)" in done.patch.edits[0].after
    assert len(policy.requests) == 1


async def test_an_edit_by_rule_is_proven_when_the_first_answer_does_not_hold_and_says_so(mend, told):
    done, policy = await mend({"pages.py": PAGES, "test_pages.py": TEST}, WRONG)
    assert (done.outcome, done.reason) == ("fixed", BY_RULE)
    assert done.patch.edits[0].after.decode() == PAGES.replace("    return length // size + 1\n", RIGHT)
    assert len(policy.requests) == 1
    (screened,) = [event for event in told.of(StepDone) if event.tool == "screen"]
    assert "edits by rule: all failing tests pass with" in screened.note
    assert done.verdict.reruns == 3


@pytest.mark.parametrize(
    ("name", "line"),
    [("json", "import json"), ("rate", "from taxes import rate"), ("Counter", "from collections import Counter")],
)
async def test_a_name_that_is_not_defined_is_imported(mend, name, line):
    files = {
        "taxes.py": "def rate(x):\n    return x\n",
        "pages.py": f'"""Pages."""\n\nimport sys\n\n\ndef pages(n):\n    return [{name}, n, sys]\n',
        "test_pages.py": "from pages import pages\n\n\ndef test_pages():\n    assert pages(2)[1] == 2\n",
    }
    done, _ = await mend(files, "    return [n, n]\n".replace("n, n", "1, 1"))
    assert (done.outcome, done.reason) == ("fixed", BY_RULE)
    assert done.patch.edits[0].after.decode() == files["pages.py"].replace("import sys\n", f"import sys\n{line}\n")


async def test_first_does_not_ask_the_policy_where_a_rule_is_enough(mend):
    done, policy = await mend({"pages.py": PAGES, "test_pages.py": TEST}, by_rule="first")
    assert (done.outcome, done.reason) == ("fixed", BY_RULE)
    assert policy.requests == []


async def test_off_leaves_everything_to_the_policy(mend, told):
    done, policy = await mend({"pages.py": PAGES, "test_pages.py": TEST}, by_rule="off", steps=3)
    assert done.outcome == "unfixed"
    assert len(policy.requests) == 3
    assert [event for event in told.of(StepDone) if event.tool == "screen"] == []


async def test_an_edit_that_breaks_another_test_is_not_offered(mend):
    other = TEST + "\n\ndef test_none():\n    assert pages(0, 5) == 0\n\n\ndef test_big():\n    assert pages(99, 5) == 20\n"
    done, _ = await mend({"pages.py": PAGES, "test_pages.py": other}, WRONG)
    assert (done.outcome, done.reason) == ("fixed", BY_RULE)
    assert done.verdict.broken == ()
    scope: dict = {}
    exec(done.patch.edits[0].after, scope)
    assert [scope["pages"](each, 5) for each in (0, 1, 5, 10, 11, 99)] == [0, 1, 1, 2, 3, 20]


async def test_the_second_answer_is_made_from_the_other_suspect(mend):
    files = {
        "pages.py": "def inner(n):\n    return n * 7\n\n\ndef outer(n):\n    return inner(n) + 1\n",
        "test_pages.py": "from pages import outer\n\n\ndef test_outer():\n    assert outer(2) == 105\n",
    }
    done, policy = await mend(files, "    return 0\n", "    return 0\n", by_rule="off", steps=2)
    assert done.outcome == "unfixed"
    asked = ["def outer" in request.prefill for request in policy.requests]
    assert asked == [True, False]


async def test_what_mends_a_part_becomes_the_new_ground(mend):
    files = {
        "pages.py": "def first(n):\n    return n - 41\n\n\ndef both(n):\n    return [first(n), n * n * 3]\n",
        "test_pages.py": (
            "import pytest\n\nfrom pages import both\n\n\n@pytest.mark.parametrize('at', [0, 1])\n"
            "def test_both(at):\n    assert both(5)[at] == [46, 25][at]\n"
        ),
    }
    done, policy = await mend(
        files,
        "    return [first(n), n * n]\n",
        "    return [first(n), n * n]\n",
        "    return n + 41\n",
        "    return n + 41\n",
        by_rule="off",
    )
    assert done.outcome == "fixed", done.reason
    after = done.patch.edits[0].after.decode()
    assert "return n + 41" in after
    assert "n * n]" in after
    assert len(policy.requests) >= 2


async def test_cancelling_ends_the_sieve_too(mend, real, told):
    slow = "def pages(length, size):\n    while length > size:\n        pass\n    return length // size + 1\n"
    near = TEST.replace("10, 5", "3, 5").replace("11, 5", "4, 5")
    task = asyncio.create_task(mend({"pages.py": slow, "test_pages.py": near}, by_rule="first"))
    async with asyncio.timeout(30):
        while not [event for event in told.of(StepDone) if event.tool == "localise"]:  # noqa: ASYNC110 - events are told to a plain function
            await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert len(asyncio.all_tasks()) == 1
