"""The hunt: one text, many circumstances. A test that passes under some and fails under others is flaky.

Failures of a test that passes in plain runs are run again under the same perturbation, so that chance is told from cause. A run that did
not end by itself says nothing about its tests and is counted as lost. What it is not: a proof of health. A test that fails once in a
thousand runs is found once in fifty hunts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.flaky.perturb import PLAIN, STANDARD, Perturbation, applies
from suture_sandbox.flaky.statistics import FlakyTest, Kind, Tally, guess
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot

CONFIRMATIONS = 2
"""How often a perturbation is run again under which something failed that passed otherwise."""


class Hunt(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt found."""

    check: str
    flaky: tuple[FlakyTest, ...] = ()
    steady: frozenset[str] = frozenset()
    """Tests that passed in every run."""
    runs: int = 0
    lost: int = 0
    """Runs that said nothing: the sandbox stopped them, or they broke down."""


Told = Callable[[str, int, int], None]
"""Takes what runs next, how many runs are done, and how many there will be as far as is known."""


async def hunt(
    sandbox: Sandbox,
    check: Check,
    snapshot: Snapshot,
    tests: Sequence[str] = (),
    perturbations: Sequence[Perturbation] = STANDARD,
    *,
    on_run: Told = lambda _name, _done, _all: None,
    seconds: int | None = None,
) -> Hunt:
    """Run a check on one snapshot under each perturbation; with `tests` only those are run. Cancelling ends the run under way.

    What loads the machine runs alone, the rest side by side as far as the sandbox has slots.
    """
    hunting = _Hunting(sandbox, check, snapshot, tuple(tests), on_run, seconds)
    wanted = [each for each in perturbations if applies(each, check, tests)]
    await hunting.go(wanted)
    unexplained = hunting.tally.flipping() - hunting.tally.failed_under(PLAIN.name)
    again = [each for each in _keys(wanted) if hunting.tally.failed_under(each.name) & unexplained]
    await hunting.go([each for each in again for _ in range(CONFIRMATIONS)])
    kinds: dict[str, Kind] = {each.name: each.kind for each in wanted if each.kind is not None}
    return hunting.hunt(kinds)


def _keys(perturbations: Sequence[Perturbation]) -> list[Perturbation]:
    """One of each name; the plain run is confirmed by all others."""
    return list({each.name: each for each in perturbations if each.name != PLAIN.name}.values())


class _Hunting:
    """One hunt under way."""

    def __init__(
        self, sandbox: Sandbox, check: Check, snapshot: Snapshot, tests: tuple[str, ...], on_run: Told, seconds: int | None
    ) -> None:
        self._sandbox, self._check, self._snapshot, self._tests = sandbox, check, snapshot, tests
        self._on_run, self._seconds = on_run, seconds
        self.tally = Tally()
        self._runs = self._lost = self._planned = 0

    async def go(self, perturbations: Sequence[Perturbation]) -> None:
        """Run under each of them."""
        self._planned += len(perturbations)
        await together(self._one(each) for each in perturbations if not each.loads)
        for each in perturbations:
            if each.loads:
                await self._one(each)

    def hunt(self, kinds: dict[str, Kind]) -> Hunt:
        """What was found so far."""
        flaky = tuple(
            FlakyTest(check=self._check.name, test=test, kind=guess(by, kinds, source_of(self._snapshot, test)), by=by)
            for test in sorted(self.tally.flipping())
            for by in [self.tally.by(test)]
        )
        return Hunt(check=self._check.name, flaky=flaky, steady=self.tally.steady(), runs=self._runs, lost=self._lost)

    async def _one(self, perturbation: Perturbation) -> None:
        changed = None if perturbation.kind is None else perturbation
        result = await self._sandbox.check(self._check, self._snapshot, select=self._tests, seconds=self._seconds, perturbation=changed)
        self._runs += 1
        if says_something(result):
            for outcome in result.tests:
                self.tally.add(outcome.id, perturbation.name, good=outcome.good)
        else:
            self._lost += 1
        self._on_run(perturbation.name, self._runs, self._planned)


def says_something(result: CheckResult) -> bool:
    """Whether a run tells how each of its tests ended."""
    return result.status in ("passed", "failed") and bool(result.tests)


def file_of(snapshot: Snapshot, test: str) -> str:
    """The file that a test lies in, by its id (`path::name`, or dotted as unittest has it); empty where none is found."""
    path, found, _ = test.partition("::")
    if found:
        return path if snapshot.exists(path) else ""
    parts = test.split(".")
    tried = ("/".join(parts[:length]) + ".py" for length in range(len(parts) - 1, 0, -1))
    return next((each for each in tried if snapshot.exists(each)), "")


def source_of(snapshot: Snapshot, test: str) -> str:
    """The text of a test's function, as far as a search for its name finds it; empty otherwise."""
    text = snapshot.read_text(file_of(snapshot, test) or "\0") or ""
    name = test.partition("[")[0].replace("::", ".").rsplit(".", 1)[-1]
    _, found, rest = text.partition(f"def {name}(")
    lines = rest.split("\n")
    body = [line for line in lines[1:] if line[:1] in (" ", "\t", "")]
    end = next((number for number, line in enumerate(lines[1:]) if line and line[0] not in " \t#)"), len(body))
    return "\n".join(body[:end]) if found else ""
