"""Both presets in the pipeline `full`, over real pytest in the real sandbox: a cascade is mended step by step, and proven as one patch."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from suture_agent.harness import Harness, harness_for
from suture_agent.problem import Problem, problems_in
from suture_agent.repair import Repair, repair
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")


@pytest.fixture
async def pytest_sandbox():
    check = Check(name="tests", kind="tests", command=COMMAND, report="pytest", selectable=True, tool="pytest")
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin",), readonly=(sys.prefix, sys.base_prefix))
    sandbox = Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": check}), runtime, Limits(seconds=60, memory_mib=512)))
    yield sandbox
    await sandbox.close()


async def problem_in(root: Path, files: dict[str, str], sandbox: Sandbox) -> Problem:
    for name, text in files.items():
        (root / name).write_text(text)
    (problem,) = problems_in(Snapshot(root), await sandbox.check_all(Snapshot(root)))
    return problem


def lean(harness: Harness) -> Harness:
    """Fewer runs of pytest a proof."""
    return msgspec.structs.replace(harness, reruns=1, controls=1, shaken=0)


def steps_of(done: Repair) -> list[tuple[str, str, str]]:
    return [(step.outcome, step.seen, step.stage) for step in done.course.steps]


async def test_real_sandbox_syntax_error_in_an_import_then_an_assertion(tmp_path, play, told, pytest_sandbox):
    files = {
        "prices.py": "def total(prices:\n    return sum(prices)\n",
        "shop.py": "from prices import total\n\n\ndef bill(prices):\n    return str(total(prices))\n",
        "test_shop.py": "from shop import bill\n\n\ndef test_bill():\n    assert bill([1, 2]) == 3\n",
    }
    problem = await problem_in(tmp_path, files, pytest_sandbox)
    policy = play.policy(
        play.edit("prices.py", "def total(prices):", search="def total(prices:"), play.submit(),
        play.edit("shop.py", "return total(prices)", search="return str(total(prices))"), play.submit(),
    )  # fmt: skip
    done = await repair(problem, policy, pytest_sandbox, lean(harness_for(policy.capability, pipeline="full")), told)
    assert done.outcome == "fixed", done.reason
    assert steps_of(done) == [("kept", "different", "syntax"), ("fixed", "", "assert")]
    assert done.patch.paths == ("prices.py", "shop.py")
    assert done.patch.apply(problem.snapshot).read("prices.py") == b"def total(prices):\n    return sum(prices)\n"
    assert (tmp_path / "prices.py").read_text() == files["prices.py"]


async def test_real_sandbox_small_model_comes_further_in_one_test_and_goes_on(tmp_path, play, told, pytest_sandbox):
    files = {
        "calc.py": "def double(x):\n    return x * 3\n\n\ndef total(prices):\n    return sum(prices) + 1\n",
        "test_calc.py": "from calc import double, total\n\n\ndef test_both():\n    assert double(2) == 4\n    assert total([1, 2]) == 3\n",
    }
    problem = await problem_in(tmp_path, files, pytest_sandbox)
    policy = play.policy(
        play.says("    return x * 2\n", match="Write the corrected `double`", repeat=0),
        play.says("    return sum(prices)\n", match="Write the corrected `total`", repeat=0),
        tools=False,
    )
    harness = msgspec.structs.replace(lean(harness_for(policy.capability, pipeline="full")), edits_by_rule="off", rules="")
    done = await repair(problem, policy, pytest_sandbox, harness, told)
    assert done.outcome == "fixed", done.reason
    assert steps_of(done) == [("kept", "different", "assert"), ("fixed", "", "assert")]
    assert done.patch.edits[0].after.decode() == files["calc.py"].replace("x * 3", "x * 2").replace(" + 1", "")
