"""Settings of a program that can be other ones for the length of a block."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager


class Settings:
    """Named values over their defaults."""

    def __init__(self, defaults: dict[str, object]) -> None:
        self._defaults = dict(defaults)
        self._values: dict[str, object] = {}

    def __getitem__(self, name: str) -> object:
        return self._values.get(name, self._defaults[name])

    def set(self, name: str, value: object) -> None:
        """Give a setting another value; KeyError when there is no such setting."""
        if name not in self._defaults:
            raise KeyError(name)
        self._values[name] = value

    def reset(self, name: str) -> None:
        """Give a setting its default again."""
        self._values.pop(name, None)

    @contextmanager
    def override(self, **values: object) -> Iterator[Settings]:
        """Other values within a block; afterwards all is as it was before."""
        for name, value in values.items():
            self.set(name, value)
        try:
            yield self
        finally:
            for name in values:
                self.reset(name)


@contextmanager
def variables(environment: MutableMapping[str, str], **values: str) -> Iterator[None]:
    """Environment variables within a block; afterwards all is as it was before."""
    before = dict(environment)
    environment.update(values)
    try:
        yield
    finally:
        environment.clear()
        environment.update(before)
