"""Detected checks on some of the bench's development cases: the check that a case names fails as it says, and passes with its fix.

Plain processes, no sandbox: what is held here is detection and parsing. `held-out` cases are not looked at.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "bench" / "repairs"
CHOSEN = (
    "async-misuse-fetch",
    "import-error-rename",
    "late-binding-handlers",
    "lint-unused",
    "missing-base-case-change",
    "none-handling-config",
    "removed-api-mapping",
    "syntax-parenthesis",
    "types-optional",
    "types-return",
)


@pytest.fixture(params=CHOSEN)
def case(request):
    found = tomllib.loads((CASES / request.param / "case.toml").read_text("utf-8"))
    assert found["split"] == "dev"
    return found


@pytest.fixture
def root(case, tmp_path):
    """A copy of the case's workspace."""
    folder = tmp_path / "w"
    shutil.copytree(CASES / case["id"] / "workspace", folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    return folder


def is_test(name):
    return "::" in name


def test_the_named_check_fails_as_the_case_says_and_passes_with_its_fix(case, root, run_check):
    before = run_check(root, case["check"])
    assert before.code != 0
    assert before.report.complete, before.text
    failing = {name for name, outcome in before.outcomes.items() if outcome in ("failed", "error")}
    assert failing == {name for name in case["failing"] if is_test(name)}
    assert {finding.test for finding in before.report.findings if finding.test} == failing
    uncollected = {name for name in case["failing"] if not is_test(name)}
    assert len([finding for finding in before.report.findings if not finding.test]) >= len(uncollected)
    assert {f"{path}: {code}" for path, _, code in before.spots} >= set(case.get("findings", ()))
    assert all((root / path).is_file() for path, _, _ in before.spots), before.spots

    fix = CASES / case["id"] / "fix.patch"
    subprocess.run(["git", "apply", "--whitespace=nowarn", str(fix)], cwd=root, check=True, capture_output=True)
    after = run_check(root, case["check"])
    assert (after.code, after.spots, after.report.complete) == (0, [], True), after.text
    if case["check"] == "tests":
        assert sorted(after.outcomes.values()) == ["passed"] * case["tests"]


def test_each_failing_test_of_a_case_can_be_run_alone(case, root, run_check):
    tests = tuple(name for name in case["failing"] if is_test(name))
    for test in tests[:1]:
        alone = run_check(root, case["check"], select=(test,))
        assert list(alone.outcomes) == [test], alone.text
        assert alone.outcomes[test] in ("failed", "error")


def test_every_kind_of_check_is_among_the_cases():
    checks = {tomllib.loads((CASES / name / "case.toml").read_text("utf-8"))["check"] for name in CHOSEN}
    assert checks == {"tests", "types", "lint"}
