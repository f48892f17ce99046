"""The backends by name. A new one is a new module and one line in `BACKENDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from suture_sandbox.backend import Backend
from suture_sandbox.errors import ConfigurationError


def _local() -> Backend:
    from suture_sandbox.local import LocalBackend

    return LocalBackend()


def _memory() -> Backend:
    from suture_sandbox.memory import MemoryBackend

    return MemoryBackend({})


BACKENDS: Mapping[str, Callable[[], Backend]] = {"local": _local, "memory": _memory}
"""Name -> factory. `memory` has no programs of its own: it is for tests, which give it theirs."""


def default_backend(name: str = "local") -> Backend:
    """A backend by name; raises ConfigurationError for a name that is not one."""
    try:
        return BACKENDS[name]()
    except KeyError:
        raise ConfigurationError(f"there is no backend {name!r}", remedy=f"use one of: {', '.join(sorted(BACKENDS))}") from None
