from __future__ import annotations

from collections.abc import Iterable


class Exporter:
    """Writes rows as text; every format is a subclass with a suffix of its own."""

    suffix = ""

    def export(self, rows: Iterable[tuple[str, ...]]) -> str:
        return "\n".join(self.line(row) for row in rows)

    def line(self, row: tuple[str, ...]) -> str:
        raise NotImplementedError
