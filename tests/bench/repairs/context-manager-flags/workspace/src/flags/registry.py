"""Feature flags that can be overridden for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Flags:
    def __init__(self, **defaults: bool) -> None:
        self._values = dict(defaults)

    def enabled(self, name: str) -> bool:
        return self._values.get(name, False)

    def names(self) -> list[str]:
        return sorted(name for name, on in self._values.items() if on)

    @contextmanager
    def override(self, **changes: bool) -> Iterator[Flags]:
        """Different values inside of a with block; afterwards everything is as before."""
        unknown = changes.keys() - self._values.keys()
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        before = dict(self._values)
        self._values.update(changes)
        yield self
        self._values = before
