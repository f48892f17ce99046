"""Which image a workspace runs in under the Docker backend, and that backend under these settings.

The user's own settings choose; a workspace's suture.lock counts only where a person adopted its image on this machine. Nothing of Docker is
imported before it is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from suture_agent.places import cache_folder
from suture_agent.settings import Settings
from suture_sandbox.backend import Backend
from suture_sandbox.backends import default_backend
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits
from suture_sandbox.errors import ConfigurationError

if TYPE_CHECKING:
    from suture_sandbox.docker.images import Image

Clock = tuple[Mapping[str, str], Mapping[str, str]]
"""Variables that let the clock stand still, and the toolchain's field for what does it."""
NO_CLOCK: Clock = ({}, {})

_LOCK = "a name is looked up once, by: suture env lock --backend docker --image {name}"


class OpenedImage:
    """An image that a workspace runs in."""

    def __init__(self, image: Image, mode: Mapping[str, str], clock: Clock = NO_CLOCK) -> None:
        self._image = image
        self._mode = mode
        self._variables, self._toolchain = clock

    @property
    def installed(self) -> Mapping[str, str]:
        """Name -> version of its Python distributions."""
        return self._image.installed

    async def environment(
        self, *, root: Path, checks: tuple[Check, ...], limits: Limits, isolation: Mapping[str, str | int], cache: Path
    ) -> Environment:
        """The environment inside it."""
        from suture_sandbox.docker.building import sources
        from suture_sandbox.docker.images import environment_in

        search = await asyncio.to_thread(sources, root, self._image, cache=cache)
        return environment_in(
            self._image,
            root=root,
            checks=checks,
            limits=limits,
            isolation={**isolation, **self._mode},
            cache=cache,
            variables={**self._variables, **({"PYTHONPATH": search} if search else {})},
            toolchain=self._toolchain,
        )


def backend_of(settings: Settings) -> Backend:
    """The backend that the settings name."""
    return default_backend(settings.sandbox.backend, _options(settings) if settings.sandbox.backend == "docker" else {})


async def open_image(settings: Settings, locked: EnvironmentFields | None) -> OpenedImage:
    """The image that the user names by its digest, else the one in suture.lock. Raises ConfigurationError where there is none to take.

    With `environment.frozen_time` the clock stands still in it, which it must have a library for.
    """
    from suture_sandbox.docker.clock import frozen
    from suture_sandbox.docker.daemon import Daemon
    from suture_sandbox.docker.images import chosen

    wanted = settings.sandbox.docker_image
    from_lock = "" if locked is None else locked.image
    if wanted and not wanted.startswith("sha256:"):
        if not from_lock:
            raise ConfigurationError(
                f"sandbox.docker_image = {wanted!r} is a name, which may mean another image tomorrow", remedy=_LOCK.format(name=wanted)
            )
        wanted = ""
    daemon = Daemon(settings.sandbox.docker_socket)
    try:
        image = await asyncio.to_thread(chosen, daemon, wanted=wanted, locked=from_lock, cache=cache_folder())
        moment = settings.environment.frozen_time
        clock = await asyncio.to_thread(frozen, daemon, image, moment) if moment else NO_CLOCK
    finally:
        await asyncio.to_thread(daemon.close)
    options = settings.sandbox
    return OpenedImage(image, {"mode": options.docker_mode, "runtime": options.docker_runtime or "default"}, clock)


async def adopt_image(settings: Settings, reference: str) -> str:
    """Adopt an image, which a person asked for; its digest. What it holds is read now."""
    from suture_sandbox.docker.daemon import Daemon
    from suture_sandbox.docker.images import adopt

    daemon = Daemon(settings.sandbox.docker_socket)
    try:
        return (await asyncio.to_thread(adopt, daemon, reference, cache_folder())).id
    finally:
        await asyncio.to_thread(daemon.close)


async def build_image(settings: Settings, base: str, root: Path, progress: Callable[[str], None]) -> str:
    """Build an image for a workspace from its lock file, on a base that a person named, and adopt it; its digest."""
    from suture_sandbox.docker.building import build
    from suture_sandbox.docker.daemon import Daemon

    daemon = Daemon(settings.sandbox.docker_socket)
    try:
        offline = settings.environment.offline
        return (await build(daemon, base, root, cache=cache_folder(), progress=progress, offline=offline)).id
    finally:
        await asyncio.to_thread(daemon.close)


def _options(settings: Settings) -> dict[str, str | int]:
    chosen = settings.sandbox
    return {
        "mode": chosen.docker_mode,
        "runtime": chosen.docker_runtime,
        "socket": chosen.docker_socket,
        "containers": chosen.docker_containers,
    }
