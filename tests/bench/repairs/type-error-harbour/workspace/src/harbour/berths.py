"""Labels of berths: a number on the old quay ("7"), letters and a number elsewhere ("N12"), maybe a side behind it ("N12b")."""

from __future__ import annotations

import re

PART = re.compile(r"\d+|[^\d\s]+")


def normalise(label: str) -> str:
    """A label as it is painted on the quay: no blanks, the pier in capitals, the side in small letters."""
    parts = PART.findall(label)
    if not any(part.isdigit() for part in parts):
        raise ValueError(f"no berth number in {label!r}")
    head = [] if parts[0].isdigit() else [parts.pop(0).upper()]
    number = str(int(parts.pop(0)))
    return "".join([*head, number, *(part.lower() for part in parts)])


def berth_order(label: str):
    """Sort key for labels: numbers by their value and before letters, so that the old quay comes first."""
    return [int(part) if part.isdigit() else part for part in PART.findall(label)]


def quay(label: str) -> str:
    """The pier that a berth belongs to; the old quay has no letters."""
    first = PART.findall(label)[0]
    return "old quay" if first.isdigit() else f"pier {first}"
