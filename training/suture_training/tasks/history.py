"""Reverted fixes: commits that touch tests and source. Healthy is the text after; broken is that with the source as it was before.

So the tests are those that were written for the fix, and what fails is what it was made for. The environment is the workspace's present
one, or what the commit's own lock file describes: of an old commit it may not run at all, and then the candidate is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from suture_sandbox.environment import Environment
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.guard.paths import kind_of
from suture_sandbox.local.masks import is_masked
from suture_training.tasks.archive import File, Files, check_files
from suture_training.tasks.candidate import Candidate, Dropped, Proposal
from suture_training.tasks.git import Changed, Commit, Repository
from suture_training.tasks.healthy import NEVER
from suture_training.tasks.task import Edit, Origin, OriginKind

MOST_COMMITS = 5_000
MOST_SOURCES = 8
"""Source files of a commit; one that changes more is hardly one fix."""


def is_fix(kinds: Mapping[str, str]) -> bool:
    """Whether a commit, by its paths and what they are protected as, changes source and tests."""
    return "" in kinds.values() and "tests" in kinds.values()


class History:
    """The fixes in a repository's past, newest first."""

    kind: OriginKind = "history"

    def __init__(
        self,
        repository: Repository,
        environment: Environment,
        *,
        name: str,
        extra: Files,
        wanted: Callable[[Mapping[str, str]], bool] = is_fix,
    ) -> None:
        """`extra`: files that git does not track and the checks need. `wanted` chooses commits."""
        self._repository = repository
        self._environment = environment
        self._name = name
        self._extra = extra
        self._wanted = wanted

    async def proposals(self) -> AsyncIterator[Proposal]:
        """One candidate a commit."""
        for commit in await asyncio.to_thread(lambda: list(self._repository.commits(MOST_COMMITS))):
            changed = await asyncio.to_thread(self._repository.changed, commit)
            kinds = {each.path: kind_of(each.path) for each in changed}
            sources = [each for each in changed if is_source(each.path)]
            if not self._wanted(kinds) or not 0 < len(sources) <= MOST_SOURCES:
                continue
            yield self._proposal(commit, changed, sources)

    def _proposal(self, commit: Commit, changed: Sequence[Changed], sources: Sequence[Changed]) -> Proposal:
        async def make() -> Candidate:
            return await asyncio.to_thread(self._candidate, commit, changed, sources)

        return Proposal(key=f"{self.kind}:{commit.id}", origin=self.kind, name=commit.id[:12], make=make)

    def _candidate(self, commit: Commit, changed: Sequence[Changed], sources: Sequence[Changed]) -> Candidate:
        try:
            before = self._repository.contents([each.before for each in sources if each.before])
            files = self._files(commit)
            check_files(files)
        except ConfigurationError as error:
            raise Dropped("unusable", str(error)) from error
        broken: list[Edit] = []
        gold: list[Edit] = []
        for each in sources:
            if each.path in self._extra:
                raise Dropped("unusable", f"{each.path} is tracked and generated")
            broken.append(Edit(path=each.path, text=_text(each.path, before[each.before]) if each.before else None))
            gold.append(Edit(path=each.path, text=_text(each.path, files[each.path].content) if each.after else None))
        origin = Origin(kind=self.kind, repository=self._name, name=self.named(commit, changed), time=commit.time)
        return Candidate(origin=origin, broken=tuple(broken), gold=tuple(gold), files=files)

    def named(self, commit: Commit, changed: Sequence[Changed]) -> str:  # noqa: ARG002  # drift looks at what changed
        """What a task is known by."""
        return commit.id[:12]

    def _files(self, commit: Commit) -> dict[str, File]:
        """The healthy text of a commit; what may hold secrets is empty, as checks see it."""
        blobs = [blob for blob in self._repository.tree(commit.id) if NEVER.isdisjoint(blob.path.split("/"))]
        contents = self._repository.contents([blob.name for blob in blobs])
        unmasked, excluded = self._environment.unmasked, self._environment.excluded
        found = {
            blob.path: File(b"" if is_masked(blob.path, unmasked, excluded) else contents[blob.name], blob.executable) for blob in blobs
        }
        return {**found, **self._extra}


def is_source(path: str) -> bool:
    """Whether a mend may touch a file and a policy could write it: Python, and neither a test nor configuration."""
    return path.endswith((".py", ".pyi")) and not kind_of(path) and NEVER.isdisjoint(path.split("/"))


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Dropped("unusable", f"{path} is not UTF-8") from error
