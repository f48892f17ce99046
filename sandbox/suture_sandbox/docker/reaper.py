"""Removing what suture processes that are gone have left with the daemon."""

from __future__ import annotations

from suture_sandbox.docker import folder
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.owner import BACKEND, LABEL, is_dead


def reap(daemon: Daemon) -> tuple[str, ...]:
    """Remove the containers and folders of dead owners; the containers that were."""
    dead = tuple(container for container, owner in daemon.labelled(LABEL).items() if is_dead(owner))
    for container in dead:
        daemon.remove(container)
    folder.reap()
    return dead


def sweep(daemon: Daemon, backend: str) -> None:
    """Remove whatever is left of one backend, which is at its end."""
    for container in daemon.labelled(f"{BACKEND}={backend}"):
        daemon.remove(container)
