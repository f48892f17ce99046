"""What the errors after a proposal are to the main error before it: `gone`, `different`, `similar` or `broken`.

The paper (arXiv 2510.22075) keeps progress when a different error appears and reverts on a similar one, and does not say how the two
are told apart. Here it is a function of signatures and places, in this order:

broken     a test that passed fails now, or a check that ran to its end does not any more; or a new error keeps something from being loaded
           and is of an earlier stage than the main one (the module does not even parse now)
similar    one of the main error's findings is still there and no further on, or a new error that is no further on is `signature.similar` to
           the main one, or to one that was mended before on this course: it goes in circles
gone       nothing that stands against the problem is left
different  anything else: the main error is mended and others show

*Further on* is for errors that stop: a parser, an import or a test that stops later than before has come past the old error, even where
the new one says the same ("No module named 'b'" after "No module named 'a'"). What is compared is where it stopped: the frames, outermost
first, the old lines carried over to the new text. A call that returned is further on than one that raised; one that raises where it
returned is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from suture_agent.pipelines.main_error import Error, MainError, errors_of, fresh, name_of
from suture_agent.pipelines.signature import Signature, Stage, similar
from suture_sandbox.align import changes
from suture_sandbox.checks import CheckKind, CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines

Relation = Literal["gone", "different", "similar", "broken"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What checks said of two texts: of the ground, and of the ground with a proposal over it."""

    before: Snapshot
    after: Snapshot
    old: Mapping[str, CheckResult]
    """Check -> its result on the ground."""
    new: Mapping[str, CheckResult]
    """The same of those checks that were run again."""
    kinds: Mapping[str, CheckKind]
    flaky: Mapping[str, Collection[str]] = {}
    """Check -> tests that are known to be flaky; they decide nothing."""


def relation(main: MainError, change: Change, against: Collection[Error], settled: Sequence[Signature] = ()) -> tuple[Relation, str]:
    """The relation, and what it is due to in one line. `against` is what stands against the problem after the proposal."""
    new = fresh(change.old, errors_of(change.new, change.kinds, change.after))
    if reason := _broken(main, change, new):
        return "broken", reason
    for error in main.errors:
        if still_there(error, change):
            return "similar", f"still there: {line_of(error.finding)}"
    for error in new:
        if _came_past(main, error, change):
            continue
        if any(similar(each.signature, error.signature) for each in main.errors):
            return "similar", f"it was traded for its like: {line_of(error.finding)}"
        if any(similar(each, error.signature) for each in settled):
            return "similar", f"an error that was mended before is back: {line_of(error.finding)}"
    if not against:
        return "gone", ""
    return "different", f"now: {line_of(next(iter(against)).finding)}"


def still_there(error: Error, change: Change) -> bool:
    """Whether a finding is still reported, and no further on."""
    result = change.new.get(error.finding.check)
    if result is None:
        return False
    again = [each for each in result.findings if name_of(each) == name_of(error.finding)]
    return bool(again) and not any(error.signature.stops and further(error.finding, each, change) for each in again)


def further(old: Finding, new: Finding, change: Change) -> bool:
    """Whether what stopped at `old` stops at a later place now; False where the two cannot be compared."""
    before, after = _stops(old), _stops(new)
    for (path, line), (new_path, new_line) in zip(before, after, strict=False):
        if path != new_path:
            return False
        low, high = _carried(path, line, change)
        if new_line > high:
            return True
        if new_line < low:
            return False
    return len(after) < len(before)


def line_of(finding: Finding) -> str:
    """A finding in one line."""
    first = finding.message.splitlines()[0] if finding.message else finding.code
    place = finding.test or (f"{finding.path}:{finding.range.start.line + 1}" if finding.path else finding.check)
    return f"{place}: {first}"[:300]


def _broken(main: MainError, change: Change, new: Sequence[Error]) -> str:
    for name, result in change.new.items():
        old = change.old.get(name)
        if old is not None and result.status not in ("passed", "failed") and old.status in ("passed", "failed"):
            return f"{name} does not run to its end: {result.reason or result.status}"
        outcomes = {outcome.id: outcome for outcome in result.tests}
        for test in old.tests if old is not None else ():
            lost = test.id not in outcomes or not outcomes[test.id].good
            if test.good and lost and test.id not in change.flaky.get(name, ()):
                return f"{test.id} passed before"
    early = [error for error in new if error.signature.stage < main.stage and error.signature.stage <= Stage.LOAD]
    return f"a worse error: {line_of(early[0].finding)}" if early else ""


def _came_past(main: MainError, new: Error, change: Change) -> bool:
    """Whether a new error shows that what stopped at the main one has come past it."""
    return any(
        each.signature.stops and _entry(each.finding) == _entry(new.finding) and further(each.finding, new.finding, change)
        for each in main.errors
    )


def _entry(finding: Finding) -> str:
    """Where what stopped was begun: the test, the module that was loaded first, the file that was parsed."""
    return finding.test or _stops(finding)[0][0]


def _stops(finding: Finding) -> tuple[tuple[str, int], ...]:
    """The places that lead to an error, outermost first; lines count from zero."""
    own = (finding.path, finding.range.start.line)
    frames = tuple((place.path, place.range.start.line) for place in finding.related)
    return frames or (own,)


def _carried(path: str, line: int, change: Change) -> tuple[int, int]:
    """Where a line of the ground lies in the new text: first and last line of what stands in its place now."""
    old, new = change.before.read_text(path), change.after.read_text(path)
    if old is None or new is None or old == new:
        return line, line
    shift = 0
    for each in changes(split_lines(old), split_lines(new)):
        if line < each.start:
            break
        if line < each.end:
            return each.new_start, max(each.new_start, each.new_end - 1)
        shift = each.new_end - each.end
    return line + shift, line + shift
