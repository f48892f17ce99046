"""The backends by name. A new one is a new module and one line in `BACKENDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from suture_sandbox.backend import Backend
from suture_sandbox.errors import ConfigurationError


def _local(_options: Mapping[str, Any]) -> Backend:
    from suture_sandbox.local import LocalBackend

    return LocalBackend()


def _memory(_options: Mapping[str, Any]) -> Backend:
    from suture_sandbox.memory import MemoryBackend

    return MemoryBackend({})


def _docker(options: Mapping[str, Any]) -> Backend:
    from suture_sandbox.docker import DockerBackend, DockerOptions

    return DockerBackend(DockerOptions(**options))


BACKENDS: Mapping[str, Callable[[Mapping[str, Any]], Backend]] = {"local": _local, "docker": _docker, "memory": _memory}
"""Name -> factory, which takes the backend's own options. `memory` has no programs of its own: it is for tests, which give it theirs."""


def default_backend(name: str = "local", options: Mapping[str, Any] | None = None) -> Backend:
    """A backend by name, with options where it has any; raises ConfigurationError for a name that is not one."""
    try:
        make = BACKENDS[name]
    except KeyError:
        raise ConfigurationError(f"there is no backend {name!r}", remedy=f"use one of: {', '.join(sorted(BACKENDS))}") from None
    return make(options or {})
