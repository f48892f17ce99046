"""The main error: which of all that fails an episode is to mend first, so that a root cause comes before the failures it causes.

The rules, in order; each decides only where those before it leave a tie, and the last one leaves none:

1. The earlier stage first (`signature.Stage`): a syntax error before an import error before a failing test.
2. The error whose file more of the other errors' files need (`imports.Reach`), and of types also: whose function more of the other errors'
   lines in the same file name. A definition comes before its uses.
3. The error that shares its check, stage and place with more others.
4. The check in the environment's order, then path, line, code, message, test.

Looked at are the errors that stand against the problem: those of its target, and those that were not there in the beginning. Beside them
what must be mended before they can be: an error that keeps a file from being loaded which they need (another check's report of it counts
too), and of the same type checker one in a file that they import. Other failures of the workspace are other problems.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from suture_agent.pipelines.imports import Reach
from suture_agent.pipelines.signature import Signature, Stage, signature_of
from suture_agent.problem import Problem
from suture_sandbox.checks import Check, CheckKind, CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines

MOST_ERRORS = 200
"""Errors that are compared with each other; a log of more is looked at from its beginning."""


class Error(msgspec.Struct, frozen=True):
    """A finding with what it is compared by."""

    finding: Finding
    signature: Signature

    @property
    def files(self) -> frozenset[str]:
        """The workspace's files that it is about: its own, those of its frames, that of its test."""
        named = (self.finding.path, self.finding.test.partition("::")[0], *(place.path for place in self.finding.related))
        return frozenset(path for path in named if path and not path.startswith("/"))


class MainError(msgspec.Struct, frozen=True, kw_only=True):
    """What an episode is to mend: findings of one check that belong together."""

    check: str
    errors: tuple[Error, ...]
    why: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, the deciding one first."""
        return tuple(error.finding for error in self.errors)

    @property
    def stage(self) -> Stage:
        """Of the deciding one."""
        return self.errors[0].signature.stage


def main_error(problem: Problem, checks: Sequence[Check], results: Mapping[str, CheckResult], snapshot: Snapshot) -> MainError | None:
    """The main error of what `results` (check -> its result on `snapshot`) show; None where nothing stands against the problem."""
    kinds: dict[str, CheckKind] = {check.name: check.kind for check in checks}
    own = errors_against(problem, results, kinds, snapshot)
    if not own and not problem.reproducible:
        own = [Error(finding, signature_of(finding, kinds[finding.check], snapshot)) for finding in problem.findings]
    if not own:
        return None
    reach = Reach(snapshot)
    log = [*own, *_upstream(own, errors_of(results, kinds, snapshot), reach)][:MOST_ERRORS]
    order = {check.name: number for number, check in enumerate(checks)}
    users = _users(log, reach, snapshot)
    shared = Counter(_place(error) for error in log)
    ranked = sorted(range(len(log)), key=lambda at: _key(log[at], users[at], shared, order))
    first = log[ranked[0]]
    together = [first, *(log[at] for at in ranked[1:] if _belongs(first, log[at], own))]
    return MainError(check=first.finding.check, errors=tuple(together), why=_why(first, users[ranked[0]], len(log) - len(together)))


def errors_against(problem: Problem, results: Mapping[str, CheckResult], kinds: Mapping[str, CheckKind], snapshot: Snapshot) -> list[Error]:
    """What stands against the problem: the target's own errors as they show now, and those that were not there in the beginning."""
    target = {name_of(each) for each in problem.findings}
    before = {result.check: result for result in problem.before}
    log = errors_of(results, kinds, snapshot)
    new = fresh(before, log)
    return [error for error in log if error in new or name_of(error.finding) in target]


def fresh(before: Mapping[str, CheckResult], after: Sequence[Error]) -> tuple[Error, ...]:
    """The errors that results from before do not have, each as often as it came up more often."""
    known = Counter(name_of(finding) for result in before.values() for finding in result.findings if finding.severity == "error")
    found: list[Error] = []
    for error in after:
        known[name_of(error.finding)] -= 1
        if known[name_of(error.finding)] < 0:
            found.append(error)
    return tuple(found)


def name_of(finding: Finding) -> tuple[str, ...]:
    """What an error is called in two results: a test by its id, whatever it says and wherever it is raised."""
    return (finding.check, finding.test) if finding.test else finding.signature


def errors_of(results: Mapping[str, CheckResult], kinds: Mapping[str, CheckKind], snapshot: Snapshot) -> list[Error]:
    """All errors of some results; of a check that the sandbox could not run there are none."""
    return [
        Error(finding, signature_of(finding, kinds[name], snapshot))
        for name, result in results.items()
        if name in kinds and result.status != "infrastructure"
        for finding in result.findings
        if finding.severity == "error"
    ]


def _upstream(own: Sequence[Error], every: Iterable[Error], reach: Reach) -> list[Error]:
    """Errors of other problems that must be mended before these can be."""
    earliest = min(error.signature.stage for error in own)
    mine = frozenset[str]().union(*(error.files for error in own))
    needed = mine.union(*(reach.of(path) for path in mine))
    typed = {error.finding.check for error in own if error.signature.stage == Stage.TYPE}
    known = {error.finding for error in own}
    found: list[Error] = []
    for error in every:
        stage, path = error.signature.stage, error.finding.path
        loads = stage <= Stage.LOAD and stage < earliest and path in needed
        defines = stage == earliest == Stage.TYPE and error.finding.check in typed and path in needed - mine
        if error.finding not in known and (loads or defines):
            found.append(error)
    return found


def _users(log: Sequence[Error], reach: Reach, snapshot: Snapshot) -> list[int]:
    """For every error, how many of the others need what it is in."""
    needs = [frozenset[str]().union(*(reach.of(path) for path in error.files)) for error in log]
    lines = [_line(error, snapshot) for error in log]
    return [
        sum(
            (_home(error) in needs[other] and _home(error) not in log[other].files) or _names(error, log[other], lines[other])
            for other in range(len(log))
            if other != at
        )
        for at, error in enumerate(log)
    ]


def _home(error: Error) -> str:
    return error.finding.path


def _line(error: Error, snapshot: Snapshot) -> str:
    lines = split_lines(snapshot.read_text(error.finding.path) or "") if error.finding.path else []
    at = error.finding.range.start.line
    return lines[at] if at < len(lines) else ""


def _names(definition: Error, use: Error, line: str) -> bool:
    """Whether a type error lies on a line of the same file that names the function of another type error."""
    one, other = definition.signature, use.signature
    if not one.stage == other.stage == Stage.TYPE or one.path != other.path or not one.unit or one.unit == other.unit:
        return False
    return re.search(rf"\b{re.escape(one.unit.rpartition('.')[2])}\b", line) is not None


def _place(error: Error) -> tuple[str, Stage, str, str]:
    signature = error.signature
    return signature.check, signature.stage, signature.path, signature.unit


def _key(error: Error, users: int, shared: Counter[tuple[str, Stage, str, str]], order: Mapping[str, int]) -> tuple[object, ...]:
    finding, start = error.finding, error.finding.range.start
    place = (order.get(finding.check, len(order)), finding.path, start.line, start.character, finding.code, finding.message, finding.test)
    return (error.signature.stage, -users, -shared[_place(error)], *place)


def _belongs(first: Error, other: Error, own: Sequence[Error]) -> bool:
    """Whether an error is mended with the deciding one: of the target all of its check and stage, of others those of its place."""
    if first in own and other in own and first.finding.test and other.finding.test:
        return _place(first)[:2] == _place(other)[:2]
    return _place(first) == _place(other)


def _why(first: Error, users: int, others: int) -> str:
    if not others:
        return "nothing else stands against the problem"
    said = f"{first.signature.stage.name.lower()} comes first of {others + 1} errors"
    return f"{said}; {users} of them need {first.finding.path or 'it'}" if users else said
