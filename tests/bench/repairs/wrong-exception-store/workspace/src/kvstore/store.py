from __future__ import annotations

from collections.abc import Iterator

from kvstore.errors import MissingKey


class Store:
    """A dictionary with namespaces; keys are written as `namespace/name`."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[str, object]] = {}

    def put(self, key: str, value: object) -> None:
        space, name = self._split(key)
        self._spaces.setdefault(space, {})[name] = value

    def get(self, key: str) -> object:
        """The value of a key; raises MissingKey."""
        space, name = self._split(key)
        try:
            return self._spaces[space][name]
        except IndexError:
            raise MissingKey(key) from None

    def keys(self, space: str) -> Iterator[str]:
        yield from sorted(self._spaces.get(space, {}))

    @staticmethod
    def _split(key: str) -> tuple[str, str]:
        space, slash, name = key.partition("/")
        return (space, name) if slash else ("default", space)
