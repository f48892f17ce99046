"""Names and telephone numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    name: str
    number: str
    city: str = ""


class PhoneBook:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        self._entries[entry.name.casefold()] = entry

    def find(self, name: str) -> Entry | None:
        return self._entries.get(name.casefold())

    def number_of(self, name: str) -> str:
        """The number of a person; empty when there is no such person."""
        entry = self.find(name)
        return entry.number

    def in_city(self, city: str) -> list[str]:
        return sorted(entry.name for entry in self._entries.values() if entry.city == city)
