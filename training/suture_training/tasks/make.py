"""`suture tasks make`: from a workspace to a task set."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from suture_agent.journal.fixes import ProvenFix, proven_fixes
from suture_agent.places import cache_folder
from suture_agent.policies import Policy
from suture_agent.workspace import Workspace, journal_path, open_workspace
from suture_sandbox.checks import CheckKind, CheckResult
from suture_sandbox.environment import EnvironmentFields
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockfile import sentences, verify
from suture_sandbox.resolve import basis_of
from suture_training.tasks.archive import File
from suture_training.tasks.candidate import Source
from suture_training.tasks.coverage import measure
from suture_training.tasks.drift import Drift
from suture_training.tasks.editable import own_name
from suture_training.tasks.finish import finish
from suture_training.tasks.git import Repository
from suture_training.tasks.healthy import Healthy, read_healthy
from suture_training.tasks.history import History
from suture_training.tasks.info import Made, Ratios, SetInfo
from suture_training.tasks.journal import Journalled
from suture_training.tasks.making import Counts, Factory, Phase, Tell, baseline, merged, note_workspace
from suture_training.tasks.mutate import Mutations, refuse_unknown
from suture_training.tasks.sites import Opener
from suture_training.tasks.split import RATIOS
from suture_training.tasks.store import TaskSet, Writer, writing
from suture_training.tasks.task import Origin, OriginKind
from suture_training.tasks.verify import Ground, Rules
from suture_training.tasks.written import Written

BELOW = "initial_build_seconds_below"
"""The filter's name in the environment's fields."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made."""

    workspace: Path
    out: Path
    sources: tuple[OriginKind, ...] = ("mutation",)
    count: int = 100
    seed: int = 0
    runs: int = 3
    below: int = 0
    """Seconds that the failing check may take on the broken text; 0 for any."""
    include: tuple[str, ...] = ()
    """Globs of files that git ignores and the checks need."""
    repository: str = ""
    """What the project is called; as its own configuration says where empty."""
    ratios: Ratios = RATIOS
    resume: bool = False
    controls: int = 1
    """Runs without the patch in the proof of a mend."""
    shaken: int = 1
    """Runs under other circumstances in it; code without chance and time needs neither."""
    operators: tuple[str, ...] = ()
    """Names of the mutations that are made; all where empty."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    task_set: TaskSet
    counts: Counts
    environment: str
    seconds: float


async def make_tasks(asked: Asked, cache: Path, tell: Tell, *, policy: Policy | None = None) -> Done:
    """Make a task set, or go on with one.

    Raises ConfigurationError for what the user has to mend, InfrastructureError or PolicyError where the machine or the policy fails; what
    was decided until then is kept.
    """
    started = time.monotonic()
    if "written" in asked.sources and policy is None:
        raise ConfigurationError("written bugs need a policy to write them", remedy="name one: --policy")
    refuse_unknown(asked.operators)
    with writing(asked.out, resume=asked.resume) as writer:
        filters = _filters(writer.info, asked)
        writer.note(msgspec.structs.replace(writer.info, filters=filters, identity=""))
        async with _opened(asked, cache, filters, tell) as (workspace, healthy, opener):
            maker = _Maker(asked, cache, tell, writer, workspace, healthy, opener)
            counts = await maker.make(policy)
            seconds = time.monotonic() - started
            finish(writer, asked.ratios, maker.made(counts, seconds))
            return Done(task_set=TaskSet.read(asked.out), counts=counts, environment=maker.environment, seconds=seconds)


@contextlib.asynccontextmanager
async def _opened(asked: Asked, cache: Path, filters: dict[str, int], tell: Tell) -> AsyncGenerator[tuple[Workspace, Healthy, Opener]]:
    workspace = await open_workspace(asked.workspace, progress=lambda text: tell(Phase(text=text)))
    opener = Opener(cache, filters=filters, progress=lambda text: tell(Phase(text=text)))
    try:
        healthy = await asyncio.to_thread(read_healthy, workspace.root, workspace.sandbox.environment, asked.include)
        yield workspace, healthy, opener
    finally:
        await opener.close()
        await workspace.close()


class _Maker:
    """One run: the workspace that it is about, and what it is tried on."""

    def __init__(
        self, asked: Asked, cache: Path, tell: Tell, writer: Writer, workspace: Workspace, healthy: Healthy, opener: Opener
    ) -> None:
        self._asked = asked
        self._cache = cache
        self._tell = tell
        self._writer = writer
        self._workspace = workspace
        self._healthy = healthy
        self._opener = opener
        self._repository = asked.repository or repository_name(workspace.root)
        self._policy = ""
        self._name = ""
        self.environment = ""

    async def make(self, policy: Policy | None) -> Counts:
        """Verify candidates until there are enough."""
        repository = await asyncio.to_thread(Repository.open, self._workspace.root)
        past = [kind for kind in self._asked.sources if kind in ("history", "drift")]
        if past and repository is None:
            raise ConfigurationError(f"{self._workspace.root} is in no git repository", remedy=f"leave out --from {past[0]}")
        moment = await asyncio.to_thread(repository.time) if repository is not None else ""
        python = await asyncio.to_thread(self._python)
        ground = await self._ground(python, moment)
        sources = [await self._source(kind, ground, repository, moment, policy) for kind in self._asked.sources]
        asked = self._asked
        rules = Rules(runs=asked.runs, below=self._writer.info.filters.get(BELOW, 0), controls=asked.controls, shaken=asked.shaken)
        factory = Factory(self._writer, self._opener, ground, rules, self._tell, python=python)
        await factory.run(merged(sources), self._asked.count)
        return factory.counts

    def made(self, counts: Counts, seconds: float) -> Made:
        """This run, for the set's record."""
        asked = self._asked
        return Made(
            workspace=self._name,
            repository=self._repository,
            sources=tuple(asked.sources),
            seed=asked.seed,
            runs=asked.runs,
            count=counts.kept,
            suture=version("suture"),
            policy=self._policy,
            seconds=round(seconds, 1),
        )

    def _python(self) -> Path | None:
        """The interpreter of an environment that the workspace's text does not describe, so that its copy would not find it."""
        workspace = self._workspace
        if workspace.sandbox.environment.fields.image or not isinstance(basis_of(workspace.root, cache=cache_folder()), Path):
            return None
        return Path(workspace.sandbox.environment.runtime.python)

    async def _ground(self, python: Path | None, moment: str) -> Ground:
        self._say("laying out the healthy text")
        self._name = await asyncio.to_thread(self._writer.workspace, self._healthy.files)
        site = await self._opener.open(self._writer.folder / "workspaces" / f"{self._name}.tar.zst", python=python)
        environment = site.sandbox.environment
        self.environment = environment.identity
        self._note_differences(environment.fields)
        self._say(f"running the checks {self._asked.runs} times on the healthy text")
        try:
            site, healthy = await baseline(site, self._asked.runs)
        except ConfigurationError as error:
            raise ConfigurationError(str(error), remedy=f"{error.remedy}{self._ignored()}") from error
        self._note_unhealthy(healthy)
        note_workspace(self._writer, self._name, self._healthy.files, site, self._origin(moment), healthy)
        await site.sandbox.warm_up(site.healthy)
        if {"mutation", "written"}.isdisjoint(self._asked.sources):
            return Ground(site=site, workspace=self._name, healthy=healthy)
        self._say("noting what the tests run")
        return Ground(site=site, workspace=self._name, healthy=healthy, coverage=await measure(site.sandbox, site.healthy, healthy))

    async def _source(self, kind: OriginKind, ground: Ground, repository: Repository | None, moment: str, policy: Policy | None) -> Source:
        files, environment = self._healthy.files, ground.site.sandbox.environment
        if kind == "mutation":
            passing: set[CheckKind] = {
                environment.fields.checks[result.check].kind for result in ground.healthy if result.status in ("passed", "failed")
            }
            return Mutations(
                files,
                passing,
                ground.coverage,
                seed=self._asked.seed,
                repository=self._repository,
                time=moment,
                workspace=self._name,
                operators=self._asked.operators,
            )
        if kind == "journal":
            return Journalled(await asyncio.to_thread(self._fixes), ground.site.healthy, files, repository=self._repository)
        if kind == "written":
            assert policy is not None
            identity = await policy.start()
            self._policy = identity.name
            tests = next((check.name for check in environment.checks if check.kind == "tests"), "")
            return Written(
                files, policy, identity, ground.coverage, check=tests, seed=self._asked.seed, repository=self._repository, time=moment
            )
        assert repository is not None
        extra = self._generated()
        if kind == "drift":
            return Drift(repository, environment, name=self._repository, extra=extra)
        return History(repository, environment, name=self._repository, extra=extra)

    def _fixes(self) -> Sequence[ProvenFix]:
        """What the journal holds of this workspace. Raises JournalError."""
        from suture_agent.journal.store import Journal

        settings = self._workspace.settings
        path = journal_path(settings)
        if settings.journal.level == "off" or not path.exists():
            return ()
        journal = Journal.open(path, settings.journal.level)
        try:
            return proven_fixes(journal, self._workspace.root)
        finally:
            journal.close()

    def _generated(self) -> dict[str, File]:
        """Files that git ignores and that were asked for: a commit's own text needs them too."""
        if not self._asked.include:
            return {}
        plain = read_healthy(self._workspace.root, self._workspace.sandbox.environment)
        return {path: file for path, file in self._healthy.files.items() if path not in plain.files}

    def _origin(self, moment: str) -> Origin:
        return Origin(kind="mutation", repository=self._repository, time=moment)

    def _say(self, text: str) -> None:
        self._tell(Phase(text=text))

    def _note_differences(self, fields: EnvironmentFields) -> None:
        """Tasks are tried in a copy: where that makes another environment of it, somebody should know."""
        own = msgspec.structs.replace(self._workspace.sandbox.environment.fields, filters=fields.filters)
        if found := sentences(verify(own, fields)):
            self._say(f"note: the environment of the copy is not the workspace's own: {'; '.join(found[:3])}")

    def _note_unhealthy(self, healthy: Sequence[CheckResult]) -> None:
        failing = [f"{result.check} ({len(result.findings)} findings)" for result in healthy if not result.passed]
        if failing:
            self._say(f"note: the healthy text fails {', '.join(failing)}; no task is about that{self._ignored()}")

    def _ignored(self) -> str:
        """What may be missing, to be read after what is wrong."""
        return f" (left out: {', '.join(self._healthy.ignored[:3])})" if self._healthy.ignored else ""


def _filters(info: SetInfo, asked: Asked) -> dict[str, int]:
    """The set's filters. Raises ConfigurationError where it was begun with others."""
    wanted = {BELOW: asked.below} if asked.below else {}
    if info.workspaces and wanted and wanted != dict(info.filters):
        raise ConfigurationError(f"the set was begun with the filters {dict(info.filters)}", remedy="use the same, or make another set")
    return dict(info.filters) if info.workspaces else wanted


def repository_name(root: Path) -> str:
    """What a project is called: as its configuration says, or its folder."""
    return own_name(root) or canonicalize_name(root.name) or "workspace"
