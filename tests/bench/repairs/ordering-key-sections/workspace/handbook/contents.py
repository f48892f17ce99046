"""The table of contents of a handbook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    number: str
    """Such as `2` or `2.11.3`."""
    title: str
    page: int

    @property
    def parts(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.number.split("."))

    @property
    def depth(self) -> int:
        return len(self.parts)


def parse(line: str) -> Section:
    """Read `2.11 Cleaning the filter ..... 41`."""
    head, _, page = line.rpartition(" ")
    number, _, title = head.partition(" ")
    return Section(number, title.rstrip(" ."), int(page))


def arrange(sections: Iterable[Section]) -> list[Section]:
    """The sections as they follow each other in the book."""
    return sorted(sections, key=lambda section: section.number)


def contents(sections: Iterable[Section], depth: int = 2) -> str:
    lines = []
    for section in arrange(sections):
        if section.depth <= depth:
            lines.append(f"{'  ' * (section.depth - 1)}{section.number} {section.title} {section.page}")
    return "\n".join(lines)


def find(sections: Iterable[Section], number: str) -> Section:
    for section in sections:
        if section.number == number:
            return section
    raise KeyError(number)
