"""The findings of a workspace as an editor sees them: where they are in the present text, and which of them are one problem."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from suture_sandbox.findings import Finding
from suture_sandbox.text import Position, Range
from suture_server.lsp.documents import Document, Edit
from suture_server.worker.wire import ProblemInfo


class Tracked:
    """One finding, at its place in the present text."""

    __slots__ = ("end", "finding", "mark", "start")

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.start = finding.range.start
        self.end = finding.range.end
        self.mark = ""
        """Of its problem; empty until the check's problems are known, and for findings that are no errors."""

    @property
    def range(self) -> Range:
        """Where it is now."""
        return Range(self.start, self.end)

    def move(self, edit: Edit) -> None:
        """Follow an edit of the document."""
        self.start, self.end = edit.moved(self.start, opening=True), edit.moved(self.end, opening=False)
        self.end = max(self.start, self.end)


class Problem:
    """Findings that are mended together."""

    __slots__ = ("check", "findings", "mark")

    def __init__(self, mark: str, check: str, findings: tuple[Tracked, ...]) -> None:
        self.mark = mark
        self.check = check
        self.findings = findings

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it shows in."""
        return tuple(dict.fromkeys(each.finding.path for each in self.findings if each.finding.path))


class Findings:
    """What the last run of every check found."""

    def __init__(self) -> None:
        self.problems: dict[str, Problem] = {}
        self._by_check: dict[str, list[Tracked]] = {}
        self._by_path: dict[str, list[Tracked]] = {}

    @property
    def paths(self) -> Iterable[str]:
        """Workspace paths with findings."""
        return self._by_path.keys()

    def count(self, check: str) -> int:
        """How many findings a check has."""
        return len(self._by_check.get(check, ()))

    def at(self, path: str) -> Sequence[Tracked]:
        """The findings of a file, in the order of the checks."""
        return self._by_path.get(path, ())

    def between(self, path: str, first: int, last: int) -> list[Tracked]:
        """The findings of a file that touch a span of lines."""
        return [each for each in self.at(path) if each.start.line <= last and first <= each.end.line]

    def replace(self, check: str, findings: Sequence[Finding], documents: Mapping[str, tuple[Document, int]]) -> set[str]:
        """Take a check's new findings in place of its old ones; returns the files whose findings are others now.

        `documents` has the open files as they were when the check began: findings follow what was edited since.
        """
        fresh = [_placed(Tracked(finding), documents.get(finding.path)) for finding in findings]
        old = self._by_check.get(check, [])
        self._by_check[check] = fresh
        self._index({each.finding.path for each in (*old, *fresh)})
        return _differing(old, fresh)

    def group(self, check: str, problems: Sequence[ProblemInfo]) -> None:
        """Take the problems of a check, whose findings were taken before."""
        self.problems = {mark: problem for mark, problem in self.problems.items() if problem.check != check}
        among = self._by_check.get(check, [])
        for info in problems:
            members = tuple(among[index] for index in info.findings if index < len(among))
            for each in members:
                each.mark = info.mark
            self.problems[info.mark] = Problem(info.mark, check, members)

    def keep(self, checks: Iterable[str]) -> set[str]:
        """Forget the findings of checks that are no more; returns the files that had some."""
        known = set(checks)
        self.problems = {mark: problem for mark, problem in self.problems.items() if problem.check in known}
        gone = {each.finding.path for check, findings in self._by_check.items() if check not in known for each in findings}
        self._by_check = {check: findings for check, findings in self._by_check.items() if check in known}
        self._index(gone)
        return gone

    def clear(self) -> set[str]:
        """Forget all of them; returns the files that had some."""
        return self.keep(())

    def move(self, path: str, edit: Edit) -> None:
        """Follow an edit of a document."""
        for each in self.at(path):
            each.move(edit)

    def _index(self, paths: set[str]) -> None:
        found: defaultdict[str, list[Tracked]] = defaultdict(list)
        for findings in self._by_check.values():
            for each in findings:
                if each.finding.path in paths:
                    found[each.finding.path].append(each)
        for path in paths:
            if path in found:
                self._by_path[path] = found[path]
            else:
                self._by_path.pop(path, None)


def _placed(tracked: Tracked, document: tuple[Document, int] | None) -> Tracked:
    """At its place in the present text."""
    if document is not None:
        text, since = document
        start = text.moved(tracked.start, since, opening=True)
        end = text.moved(tracked.end, since, opening=False)
        if start is not None and end is not None:
            tracked.start, tracked.end = start, max(start, end)
    return tracked


def _differing(old: Sequence[Tracked], new: Sequence[Tracked]) -> set[str]:
    """Files whose findings are not the same, or not at the same place."""
    before, after = _told(old), _told(new)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def _told(findings: Sequence[Tracked]) -> dict[str, list[tuple[object, Position, Position]]]:
    told: defaultdict[str, list[tuple[object, Position, Position]]] = defaultdict(list)
    for each in findings:
        finding = each.finding
        shown = (finding.code, finding.message, finding.severity, finding.test, finding.related)
        told[finding.path].append((shown, each.start, each.end))
    return told
