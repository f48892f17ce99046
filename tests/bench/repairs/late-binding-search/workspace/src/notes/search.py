"""Search in notes: every word narrows the result, a word behind a minus leaves notes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    title: str
    text: str = ""
    tags: tuple[str, ...] = ()

    def has(self, word: str) -> bool:
        word = word.casefold()
        return word in self.title.casefold() or word in self.text.casefold()


def search(notes: Iterable[Note], query: str) -> list[Note]:
    """The notes that have all words of the query and none of those behind a minus."""
    found = notes
    for word in query.split():
        wanted = not word.startswith("-")
        found = (note for note in found if note.has(word.removeprefix("-")) == wanted)
    return list(found)


def tagged(notes: Iterable[Note], *tags: str) -> list[Note]:
    """The notes that have all the tags."""
    return [note for note in notes if set(tags) <= set(note.tags)]


def tag_counts(notes: Iterable[Note]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for note in notes:
        for tag in note.tags:
            counts[tag] = counts.get(tag, 0) + 1
    return counts
