from __future__ import annotations

from pathlib import PurePath
from types import ModuleType

from exporters import formats
from exporters.base import Exporter


def discover(module: ModuleType) -> dict[str, type[Exporter]]:
    """The formats that a module offers, by suffix."""
    found = {}
    for member in vars(module).values():
        if isinstance(member, type) and issubclass(Exporter, member) and member is not Exporter:
            found[member.suffix] = member
    return found


def exporter_for(filename: str) -> Exporter:
    """The format for a file's suffix; raises LookupError when there is none."""
    suffix = PurePath(filename).suffix
    try:
        return discover(formats)[suffix]()
    except KeyError:
        raise LookupError(f"no format for {suffix or filename}") from None
