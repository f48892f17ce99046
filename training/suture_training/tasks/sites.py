"""Sites: the healthy workspaces of a task set on this machine, each in its environment, ready to run tasks.

A workspace is laid out once below the cache folder, under its own hash, and never changed: attempts are copy-on-write views of it. It is
opened as any workspace is (`agent.workspace.open_workspace`): its own lock file or the user's settings say what the environment is. A
workspace whose environment was a virtual environment of its own does not carry it along; where the set was made on this machine the cache
remembers the interpreter, elsewhere `SUTURE_PYTHON` names one. Whatever is found has to be the environment that the tasks were verified
in, field by field.

For root the files belong to nobody, so that attempts run without root's rights, and can be warm.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from pathlib import Path

import msgspec

from suture_agent.places import cache_folder, user_configuration
from suture_agent.settings import load
from suture_agent.workspace import Workspace, open_workspace
from suture_sandbox.backend import Backend
from suture_sandbox.capture.files import write_atomically
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.identity import Difference
from suture_sandbox.lockfile import sentences, verify
from suture_sandbox.lockformats.plan import Plan
from suture_sandbox.memo import Memo
from suture_sandbox.pylock import NAME as PINS
from suture_sandbox.resolve import basis_of
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.slots import Slots
from suture_sandbox.snapshot import Snapshot
from suture_training.rollout import Site
from suture_training.tasks.archive import folder_hash, unpack
from suture_training.tasks.editable import without_own_project
from suture_training.tasks.info import WorkspaceInfo
from suture_training.tasks.store import TaskSet

NOBODY = 65534
_LONGEST_PATH = 4096

Progress = Callable[[str], None]


def silent(_text: str) -> None:
    """Tell nobody."""


class Opener:
    """Opens workspaces side by side: one backend, one set of slots and one memo for all of them."""

    def __init__(self, cache: Path, *, filters: Mapping[str, int], slots: Slots | None = None, progress: Progress = silent) -> None:
        self._cache = cache
        self._filters = dict(filters)
        self._slots = slots or Slots()
        self._memo = Memo()
        self._backends: dict[str, Backend] = {}
        self._progress = progress

    async def open(self, archive: Path, *, python: Path | None = None, info: WorkspaceInfo | None = None) -> Site:
        """The site of an archive; `python` is the interpreter of its environment where neither it nor the user names one."""
        root = await asyncio.to_thread(materialise, archive, self._cache)
        workspace, named = await self._opened(root, python)
        environment = self._environment(workspace)
        if named is not None:
            await asyncio.to_thread(remember_python, self._cache, environment.identity, named)
        backend = self._backends.setdefault(workspace.settings.sandbox.backend, workspace.sandbox.backend)
        if backend is not workspace.sandbox.backend:
            await workspace.close()
        sandbox = Sandbox(backend, environment, slots=self._slots, priority="training", memo=self._memo)
        known = {"flaky": info.flaky, "shifting": info.shifting} if info is not None else {}
        return Site(healthy=Snapshot(root), sandbox=sandbox, **known)

    async def close(self) -> None:
        """Stop what is kept warm; idempotent."""
        for backend in self._backends.values():
            await backend.close()

    async def _opened(self, root: Path, python: Path | None) -> tuple[Workspace, Path | None]:
        """A workspace, in the environment that its lock file or the user names; else in that of the interpreter that is given.

        And that interpreter, where it was used.
        """
        loaded = load(root, user_file=user_configuration(), environ=os.environ)
        basis = await asyncio.to_thread(basis_of, root, cache=cache_folder())
        locked = isinstance(basis, Plan) and basis.source != PINS
        named = None if locked or loaded.settings.environment.python else python
        overrides = {"environment.python": str(named)} if named is not None else {}
        return await open_workspace(root, overrides=overrides, progress=self._progress), named

    def _environment(self, workspace: Workspace) -> Environment:
        found = without_own_project(workspace.sandbox.environment, workspace.root)
        return Environment(fields=msgspec.structs.replace(found.fields, filters=self._filters), runtime=found.runtime, limits=found.limits)


@contextlib.asynccontextmanager
async def open_sites(
    task_set: TaskSet, cache: Path, *, allow: Sequence[str] = (), slots: Slots | None = None, progress: Progress = silent
) -> AsyncGenerator[Mapping[str, Site]]:
    """Every healthy workspace of a set by its hash, ready to run its tasks; what they keep warm ends with the context.

    Raises ConfigurationError that names the fields in which an environment is not the one of the tasks; `allow` names fields (such as
    `platform` or `dependencies.pytest.version`) that may differ. The sites' own identity is that of what is really there.
    """
    opener = Opener(cache, filters=task_set.info.filters, slots=slots, progress=progress)
    sites: dict[str, Site] = {}
    try:
        for name, info in task_set.info.workspaces.items():
            wanted = task_set.environment(info.environment)
            python = remembered_python(cache, info.environment)
            site = await opener.open(task_set.archive(name), python=python, info=info)
            refuse_other(wanted, site.sandbox.environment.fields, allow=allow, repository=info.repository)
            sites[name] = site
        yield sites
    finally:
        await opener.close()


def refuse_other(wanted: EnvironmentFields, present: EnvironmentFields, *, allow: Sequence[str], repository: str) -> None:
    """Raise ConfigurationError where an environment differs from another one in a field that is not allowed to."""
    left = [each for each in verify(wanted, present) if not is_allowed(each, allow)]
    if not left:
        return
    fields = ", ".join(dict.fromkeys(each.field for each in left[:5]))
    told = "; ".join(sentences(left)[:5])
    raise ConfigurationError(
        f"the environment of {repository} is not the one that its tasks were verified in: {told} (fields: {fields})",
        remedy="name the environment with SUTURE_PYTHON; or allow a field to differ, which is recorded: --allow-mismatch FIELD",
    )


def is_allowed(difference: Difference, allow: Sequence[str]) -> bool:
    """Whether a difference lies in a field that is named, or below one."""
    return any(difference.field == name or difference.field.startswith(f"{name}.") for name in allow)


def materialise(archive: Path, cache: Path) -> Path:
    """The folder of a workspace, laid out where it is not there yet or was changed. Raises ConfigurationError, InfrastructureError."""
    name = archive.name.partition(".")[0]
    home = cache / "workspaces"
    folder = home / name
    with _alone(home):
        if not folder.is_dir() or folder_hash(folder) != name:
            unpack(archive, folder, owner=NOBODY if os.geteuid() == 0 else None)
    return folder


def remember_python(cache: Path, identity: str, python: Path) -> None:
    """Note where the interpreter of an environment lies on this machine."""
    place = cache / "task-environments" / identity
    with contextlib.suppress(OSError):  # a cache that cannot be written costs a question later
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, os.fsencode(python))


def remembered_python(cache: Path, identity: str) -> Path | None:
    """What was noted, while it is still there."""
    try:
        content = (cache / "task-environments" / identity).read_bytes()[:_LONGEST_PATH]
    except OSError:
        return None
    python = Path(os.fsdecode(content))
    return python if python.is_absolute() and python.exists() else None


@contextlib.contextmanager
def _alone(home: Path) -> Generator[None, None, None]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InfrastructureError(f"cannot write {home}: {error.strerror}", remedy="make room in suture's cache folder") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
