"""Contacts in CSV files, as spreadsheets and telephones write them: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Contact:
    name: str
    email: str = ""
    phone: str = ""


COLUMNS = [field.name for field in fields(Contact)]


def load(path: Path) -> list[Contact]:
    """The contacts of a file. Columns may come in any order; those that are not known are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if "name" not in (rows.fieldnames or ()):
            raise ValueError(f"{path.name} has no column for names")
        return [Contact(**{column: row[column].strip() for column in COLUMNS if row.get(column)}) for row in rows]


def save(path: Path, contacts: Iterable[Contact]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(asdict(contact) for contact in contacts)


def merge(contacts: Iterable[Contact]) -> list[Contact]:
    """One contact for each e-mail address, the last one; those without an address all stay."""
    kept: dict[str, Contact] = {}
    for place, contact in enumerate(contacts):
        kept[contact.email.casefold() or str(place)] = contact
    return list(kept.values())
