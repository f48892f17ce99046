"""What the tools are called with."""

from __future__ import annotations

import msgspec


class FindFiles(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of find_files."""

    pattern: str


class FindText(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of find_text."""

    text: str
    pattern: str = "*"
    regex: bool = False


class ReadFile(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of read_file."""

    path: str
    start: int = 1
    end: int | None = None


class EditFile(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of edit_file."""

    path: str
    search: str
    replace: str


class RunCheck(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of run_check."""

    name: str
    tests: list[str] = []


class RunShell(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of run_shell."""

    command: str


class RecallFixes(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of recall."""

    query: str


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    """Arguments of submit."""
