from __future__ import annotations

from exporters.base import Exporter


class Readable:
    """A mark for formats that can be read back."""


class Tabs(Exporter, Readable):
    suffix = ".tsv"

    def line(self, row: tuple[str, ...]) -> str:
        return "\t".join(row)


class Markdown(Exporter):
    suffix = ".md"

    def line(self, row: tuple[str, ...]) -> str:
        return f"| {' | '.join(row)} |"


class WideMarkdown(Markdown):
    suffix = ".mdx"

    def line(self, row: tuple[str, ...]) -> str:
        return super().line(tuple(cell.center(9) for cell in row))
