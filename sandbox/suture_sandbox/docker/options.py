"""How the Docker backend is to work. Only the user's own configuration sets these: each of them decides how much is contained."""

from __future__ import annotations

from typing import Literal

import msgspec

Mode = Literal["fast", "strict"]


class DockerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user chooses."""

    mode: Mode = "fast"
    """fast: warm containers, each attempt in namespaces of its own inside one; strict: a new container for each attempt."""
    runtime: str = ""
    """An OCI runtime that the daemon knows, such as runsc or kata; the daemon's default where empty."""
    socket: str = ""
    """Where the daemon listens, such as unix:///run/user/1000/podman/podman.sock; DOCKER_HOST, then Docker's usual place where empty."""
    containers: int = 0
    """Containers at once; as many as there are processors where 0."""
