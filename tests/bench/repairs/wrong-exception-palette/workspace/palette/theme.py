"""Themes: named colours that are read as attributes."""

from __future__ import annotations

from collections.abc import Mapping

from palette.colour import Colour


class Theme:
    def __init__(self, name: str, colours: Mapping[str, str]) -> None:
        self.name = name
        self._colours = {role: Colour.parse(text) for role, text in colours.items()}

    def __getattr__(self, role: str) -> Colour:
        return self._colours[role]

    def __len__(self) -> int:
        return len(self._colours)

    def roles(self) -> list[str]:
        return sorted(self._colours)
