"""Menus whose entries may be menus themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Entry:
    label: str
    action: str = ""
    shortcut: str = ""
    entries: list[Entry] = field(default_factory=list)

    def add(self, label: str, action: str = "", shortcut: str = "") -> Entry:
        entry = Entry(label, action, shortcut)
        self.entries.append(entry)
        return entry

    def walk(self) -> Iterator[Entry]:
        """The entry itself and all below it, from the top down."""
        yield self
        for entry in self.entries:
            yield from entry.walk()


def path_to(entry: Entry, action: str) -> list[str] | None:
    """The labels on the way to the first entry with an action, or None when no entry has it."""
    if entry.action == action:
        return [entry.label]
    for child in entry.entries:
        way = path_to(child, action)
        return [entry.label, *way] if way else None
    return None


def shortcuts(menu: Entry) -> dict[str, str]:
    """Actions by shortcut; raises ValueError when two entries have the same one."""
    found: dict[str, str] = {}
    for entry in menu.walk():
        if entry.shortcut and found.setdefault(entry.shortcut, entry.action) != entry.action:
            raise ValueError(f"{entry.shortcut} is taken by {found[entry.shortcut]}")
    return found


def depth(menu: Entry) -> int:
    return 1 + max((depth(entry) for entry in menu.entries), default=0)
