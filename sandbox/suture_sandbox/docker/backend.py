"""`DockerBackend`: every command in an attempt inside a container. See the package's docstring for what that contains."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import platform
import threading
import time
from functools import cached_property
from pathlib import Path

import msgspec

from suture_sandbox.backend import Command, Completed, Probe
from suture_sandbox.docker import probe, reaper
from suture_sandbox.docker.attempt import Attempt
from suture_sandbox.docker.container import Wanted, wanted
from suture_sandbox.docker.daemon import Daemon, Facts
from suture_sandbox.docker.folder import Folder
from suture_sandbox.docker.guardian import Guardian
from suture_sandbox.docker.options import DockerOptions
from suture_sandbox.docker.order import Order, order
from suture_sandbox.docker.pool import Pool
from suture_sandbox.docker.warm import MAKE_ROOM
from suture_sandbox.docker.zygotes import Zygotes
from suture_sandbox.environment import Environment
from suture_sandbox.errors import BackendUnavailable, InfrastructureError, SandboxFailed, SandboxFloorError
from suture_sandbox.local import seccomp
from suture_sandbox.local.layout import check_root
from suture_sandbox.local.masks import Masks, SecretIndex
from suture_sandbox.local.warm.orders import module_of
from suture_sandbox.snapshot import Snapshot

_NO_IMAGE = "suture env lock --backend docker --image REFERENCE adopts an image, and writes its digest into suture.lock"
_ROOTS = "suture runs as root on a workspace of root's; run it as an ordinary user"
_NO_MODULE = "only `python -m MODULE` can be run warm"
_NOBODY = 1000
WARM_SECONDS = 60.0


class DockerBackend:
    """Runs commands in containers. Safe to use from many tasks of one event loop at once."""

    def __init__(self, options: DockerOptions | None = None, *, trial: Environment | None = None) -> None:
        """`trial` is an environment in which `probe` tries `true`; without one it only asks the daemon."""
        self._options = options or DockerOptions()
        self._trial = trial
        self._daemon = Daemon(self._options.socket)
        self._indexes: dict[tuple[Path, tuple[str, ...]], SecretIndex] = {}
        self._lock = threading.Lock()
        self._opening = asyncio.Lock()
        self._opened: tuple[Facts, Pool, Zygotes, Folder, Guardian] | None = None
        self._probe: Probe | None = None

    @property
    def name(self) -> str:
        """`docker`."""
        return "docker"

    @cached_property
    def _seccomp(self) -> bytes | None:
        return seccomp.build(platform.machine())

    async def probe(self) -> Probe:
        """Ask the daemon once, try `true` where an environment was given, and say what held."""
        if self._probe is None:
            self._probe = await self._examine()
        return self._probe

    async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
        """Run `command` in a fresh attempt; see `Backend.run`."""
        began = time.monotonic()
        facts, pool, zygotes = await self._open()
        want = await asyncio.to_thread(self._want, snapshot, environment, facts)
        module = self._module(command, environment)
        if module and not _is_root(want, facts):
            ask = functools.partial(self._order, snapshot, environment, command, module)
            own = msgspec.structs.replace(want, module=module)
            if (done := await zygotes.run(own, snapshot, environment, command, ask)) is not None:
                return done
        asked = await self._order(snapshot, environment, command, "", False)
        async with pool.lease(want) as warm:
            attempt = Attempt(warm.connection, asked, environment)
            await attempt.run(warm.remove)
            seconds = time.monotonic() - began
        return await asyncio.to_thread(attempt.completed, command, snapshot, environment, seconds)

    async def warm_up(self, snapshot: Snapshot, environment: Environment, command: Command) -> str:
        """Start a container with a zygote for a command, and wait until it has loaded its tool."""
        module = self._module(command, environment)
        if not module:
            return _NO_MODULE if self._options.mode == "fast" else "strict mode starts every command in a new container"
        try:
            facts, _, zygotes = await self._open()
            want = await asyncio.to_thread(self._want, snapshot, environment, facts)
            if _is_root(want, facts):
                return _ROOTS
            return await zygotes.prepare(msgspec.structs.replace(want, module=module), snapshot, environment, WARM_SECONDS)
        except SandboxFloorError as error:
            return str(error)

    async def close(self) -> None:
        """Remove all containers and the folder that leads into them; idempotent."""
        async with self._opening:
            opened, self._opened = self._opened, None
            if opened is not None:
                _, pool, zygotes, folder, guardian = opened
                await zygotes.close()
                await pool.close()
                with contextlib.suppress(InfrastructureError):  # a daemon that is down has nothing running; the next suture reaps
                    await asyncio.to_thread(reaper.sweep, self._daemon, folder.path.name)
                await asyncio.to_thread(folder.remove)
                await asyncio.to_thread(guardian.dismiss)
            await asyncio.to_thread(self._daemon.close)

    async def _open(self) -> tuple[Facts, Pool, Zygotes]:
        """What is needed once: who is dead is cleared away after, who watches over us is there before the first container."""
        async with self._opening:
            if self._opened is None:
                facts = await asyncio.to_thread(self._daemon.facts)
                self._refuse_runtime(facts)
                await asyncio.to_thread(reaper.reap, self._daemon)
                folder = await asyncio.to_thread(_folder)
                guardian = await asyncio.to_thread(Guardian, self._daemon.address, folder.path)
                count = self._options.containers or os.cpu_count() or 1
                pool = Pool(self._daemon, facts, folder, runtime=self._options.runtime, containers=count)
                self._opened = (facts, pool, Zygotes(pool), folder, guardian)
            return self._opened[:3]

    def _refuse_runtime(self, facts: Facts) -> None:
        runtime = self._options.runtime
        if runtime and facts.runtimes and runtime not in facts.runtimes:
            known = ", ".join(facts.runtimes)
            raise BackendUnavailable(f"the daemon has no runtime {runtime}", remedy=f"it has {known}; daemon.json names more")

    def _module(self, command: Command, environment: Environment) -> str:
        """What a zygote would have to have loaded for a command; empty where it cannot run warm."""
        return module_of(command, environment) if command.warm and self._options.mode == "fast" else ""

    def _want(self, snapshot: Snapshot, environment: Environment, facts: Facts) -> Wanted:
        """The container to ask for. Blocks: it looks at the workspace."""
        if not environment.fields.image:
            raise BackendUnavailable("the environment names no image to run in", remedy=_NO_IMAGE)
        root, strict = snapshot.root, self._options.mode == "strict"
        check_root(root)
        try:
            user = _user(root, facts, strict=strict)
            return wanted(root, environment.fields.image, environment.runtime.python, environment.limits, user=user, strict=strict)
        except (OSError, ValueError) as error:
            raise SandboxFailed(f"the sandbox failed: {error}") from error

    async def _order(self, snapshot: Snapshot, environment: Environment, command: Command, module: str, scout: bool) -> Order:
        """What to ask for. Where there are many files, looking at them takes a thread."""
        return await asyncio.to_thread(self._ordered, snapshot, environment, command, module, scout)

    def _ordered(self, snapshot: Snapshot, environment: Environment, command: Command, module: str, scout: bool) -> Order:
        strict = self._options.mode == "strict"
        try:
            masks = self._masks(snapshot.root, environment)
            return order(snapshot, environment, command, masks, strict=strict, seccomp=self._seccomp, module=module, scout=scout)
        except (OSError, ValueError) as error:
            raise SandboxFailed(f"the sandbox failed: {error}") from error

    def _masks(self, root: Path, environment: Environment) -> Masks:
        with self._lock:
            excluded = environment.excluded
            return self._indexes.setdefault((root, excluded), SecretIndex(root, excluded)).refresh(environment.unmasked)

    async def _examine(self) -> Probe:
        try:
            facts = await asyncio.to_thread(self._daemon.facts)
            self._refuse_runtime(facts)
            if self._trial is not None:
                done = await self.run(Snapshot(Path(__file__).parent.absolute()), self._trial, Command(argv=("true",)))
                if done.exit_code != 0:
                    raise SandboxFailed(f"`true` ended with {done.exit_code} ({done.ended}) in a container")
        except SandboxFloorError as error:
            return Probe(available=False, level="none", problem=str(error), remedy=error.remedy)
        return msgspec.structs.replace(probe.describe(facts, self._options, self._trial is not None))


def _is_root(want: Wanted, facts: Facts) -> bool:
    """Whether a container's user is the host's root, as whom what a zygote loads could write to the kernel's own settings."""
    return want.user[0] == 0 and not facts.rootless


def _folder() -> Folder:
    try:
        return Folder()
    except OSError as error:
        raise SandboxFailed(f"no folder for the containers can be made: {error.strerror}", remedy=MAKE_ROOM) from error


def _user(root: Path, facts: Facts, *, strict: bool) -> tuple[int, int]:
    """As whom a container runs: an ordinary user as that user; root as the workspace's owner.

    A rootless daemon's user 0 is the ordinary user who runs it. Where the owner is root as well, strict mode, which works on a copy, is
    nobody in particular; fast mode stays root without any capability, since an overlay's files belong to whom they belong to.
    """
    if facts.rootless:
        return (0, 0)
    if os.geteuid() != 0:
        return (os.geteuid(), os.getegid())
    state = root.stat()
    if state.st_uid == 0:
        return (_NOBODY, _NOBODY) if strict else (0, 0)
    return (state.st_uid, state.st_gid)
