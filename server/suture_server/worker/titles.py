"""Saying in few words what was proven of a patch: the title of an offer."""

from __future__ import annotations

from suture_agent.problem import Problem
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.verdict import Verdict

LONGEST_NAME = 40


def proven(problem: Problem, verdict: Verdict, checks: tuple[Check, ...]) -> tuple[str, ...]:
    """What was proven, most interesting first: `passes test_add and 41 others`, `mypy clean`, `ruff no worse`."""
    after = {result.check: result for result in verdict.after}
    said = (
        [_target(problem, after.get(problem.check))]
        if problem.reproducible
        else ["breaks no check; what it is about was not checked again"]
    )
    others = [check for check in checks if check.name in after and (check.name != problem.check or not problem.reproducible)]
    return (*said, *(_other(check, after[check.name]) for check in others))


def title(problem: Problem, said: tuple[str, ...]) -> str:
    """One line for a menu."""
    first = problem.findings[0] if problem.findings else None
    about = f" for {first.path.rpartition('/')[2]}" if first is not None and first.path and not problem.target.tests else ""
    return f"Fix with agent{about}: {', '.join(said)}"


def _target(problem: Problem, result: CheckResult | None) -> str:
    tests = problem.target.tests
    if not tests:
        codes = list(dict.fromkeys(finding.code for finding in problem.findings if finding.code))
        clean = result is not None and result.passed
        return f"{problem.check} clean" if clean else f"{', '.join(codes[:2]) or problem.check} gone"
    passing = sum(test.outcome == "passed" for test in result.tests) if result is not None else len(tests)
    more = max(passing - 1, 0)
    return f"passes {_short(tests[0])}" + (f" and {more} {'other' if more == 1 else 'others'}" if more else "")


def _other(check: Check, result: CheckResult) -> str:
    name = check.tool or check.name
    if check.kind == "tests":
        passing = sum(test.outcome == "passed" for test in result.tests)
        return f"{passing} tests pass" if result.passed else f"{check.name} no worse"
    return f"{name} clean" if result.passed else f"{name} no worse"


def _short(test: str) -> str:
    """A test's own name, without its file and class."""
    name = test.split("[", 1)[0].rpartition("::")[2] or test
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
