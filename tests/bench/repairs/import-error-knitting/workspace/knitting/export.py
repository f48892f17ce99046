"""Writes charts in the formats that the package `knitting.formats` holds, a module each."""

from __future__ import annotations

import importlib
import pkgutil

from knitting import formats
from knitting.chart import Chart


class UnknownFormat(Exception):
    pass


def names() -> list[str]:
    """The names of all formats."""
    return sorted(module.name for module in pkgutil.iter_modules(formats.__path__))


def export(chart: Chart, name: str) -> str:
    """The text of a chart in a format; raises UnknownFormat."""
    if name not in names():
        raise UnknownFormat(name)
    module = importlib.import_module(f"formats.{name}")
    return module.render(chart)


def filename(chart: Chart, name: str) -> str:
    return f"{chart.name.lower().replace(' ', '-')}.{name}"
