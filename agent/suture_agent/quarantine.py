"""The quarantine: tests that were seen to be flaky, for one environment and one workspace, until they expire.

An entry expires after some days without being seen to flip again, and as soon as the test's code changes: its file, the conftest.py files
above it, or the test code of the workspace that one of them imports. The code under test is none of that: it changes with every patch,
and whether a flip comes from there is for the proof to find out. An entry names its test by a hash, so that it can be kept where names are
not (journal level `metadata`); whoever asks has the names from a run. Pure: keeping is the recorders' business.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from suture_agent.direct.units import parse
from suture_agent.imports import imported
from suture_agent.problem import is_test_path
from suture_sandbox.checks import CheckResult
from suture_sandbox.flaky.hunt import file_of
from suture_sandbox.flaky.statistics import Count, FlakyTest, Kind
from suture_sandbox.identity import identity_of
from suture_sandbox.snapshot import Snapshot

DAY = 86_400
MOST_FILES = 64
"""Of test code that one test is known by."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A test that decides nothing."""

    check: str
    test_hash: str
    test: str | None
    """Its id; None where only metadata is kept."""
    file_hash: str
    """Of the test's code; empty where its file was not found."""
    kind: Kind
    by: Mapping[str, Count]
    """Name of the circumstances -> runs and failures under them."""
    first_seen: float
    """Seconds since 1970."""
    last_seen: float

    @property
    def runs(self) -> int:
        """Runs in all."""
        return sum(runs for runs, _ in self.by.values())

    @property
    def failures(self) -> int:
        """Failed runs in all."""
        return sum(failures for _, failures in self.by.values())


def entries(snapshot: Snapshot, tests: Iterable[FlakyTest]) -> tuple[Quarantined, ...]:
    """Tests that were just seen to flip on a snapshot."""
    now = time.time()
    return tuple(
        Quarantined(
            check=each.check,
            test_hash=name_hash(each.test),
            test=each.test,
            file_hash=file_hash(snapshot, each.test),
            kind=each.kind,
            by=each.by,
            first_seen=now,
            last_seen=now,
        )
        for each in tests
    )


def merged(old: Quarantined | None, new: Quarantined) -> Quarantined:
    """What is known of a test with what was just seen; counts of another text of the test are not added up."""
    if old is None or old.file_hash != new.file_hash:
        return new
    names = dict.fromkeys((*old.by, *new.by))
    by = {name: (_count(old, name)[0] + _count(new, name)[0], _count(old, name)[1] + _count(new, name)[1]) for name in names}
    kind = old.kind if new.runs < old.runs else new.kind
    return msgspec.structs.replace(new, by=by, kind=kind, first_seen=old.first_seen, test=new.test or old.test)


def still_known(known: Iterable[Quarantined], snapshot: Snapshot, results: Sequence[CheckResult], days: int) -> dict[str, tuple[str, ...]]:
    """Check -> ids of those of its tests whose entry has not expired."""
    since = time.time() - days * DAY
    current = {(each.check, each.test_hash): each for each in known if each.last_seen > since}
    found: dict[str, tuple[str, ...]] = {}
    for result in results if current else ():
        ids = dict.fromkeys((*(outcome.id for outcome in result.tests), *(finding.test for finding in result.findings if finding.test)))
        flaky = [test for test in ids if _holds(current.get((result.check, name_hash(test))), snapshot, test)]
        if flaky:
            found[result.check] = tuple(flaky)
    return found


def name_hash(test: str) -> str:
    """Names a test without telling it."""
    return hashlib.sha256(test.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def file_hash(snapshot: Snapshot, test: str) -> str:
    """Hash of a test's code; that of its file where that is all of it, empty where none is found."""
    found = {path: hashlib.sha256(content).hexdigest() for path in _code_of(snapshot, test) if (content := snapshot.read(path)) is not None}
    return next(iter(found.values()), "") if len(found) < 2 else identity_of(found)


def _code_of(snapshot: Snapshot, test: str) -> list[str]:
    """The file that a test lies in, the conftest.py files that hold for it, and the test code of the workspace that they import."""
    own = file_of(snapshot, test)
    if not own:
        return []
    conftests = [str(folder / "conftest.py") for folder in PurePosixPath(own).parents]
    waiting = [own, *(path for path in conftests if snapshot.exists(path))]
    found: list[str] = []
    while waiting and len(found) < MOST_FILES:
        path = waiting.pop(0)
        found.append(path)
        tree = parse(snapshot.read_text(path) or "")
        homes = {home for home, _ in imported(tree, path, snapshot).values()} if tree is not None else set[str]()
        waiting += sorted(home for home in homes if is_test_path(home) and home not in found and home not in waiting)
    return found


def _holds(entry: Quarantined | None, snapshot: Snapshot, test: str) -> bool:
    return entry is not None and entry.file_hash == file_hash(snapshot, test)


def _count(entry: Quarantined, name: str) -> Count:
    return entry.by.get(name, (0, 0))
