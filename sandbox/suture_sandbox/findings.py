"""Findings: what a check reports, independent of the tool that reported it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from suture_sandbox.text import Range

Severity = Literal["error", "warning", "information"]

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Place(msgspec.Struct, frozen=True):
    """A place that belongs to a finding: a traceback frame, an earlier definition."""

    path: str
    """Relative to the workspace, with forward slashes; absolute when it lies outside."""
    range: Range
    message: str = ""
    """What the place is: the function's name for a traceback frame."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One problem that a check reports."""

    check: str
    """Name of the check, such as `tests`."""
    path: str
    """Relative to the workspace, with forward slashes; empty when the tool named no file."""
    range: Range
    severity: Severity = "error"
    code: str = ""
    """The tool's rule or the exception's class: `F401`, `arg-type`, `AssertionError`."""
    message: str
    """One or a few lines."""
    test: str = ""
    """Identifier of the test that failed (pytest node id); empty for other checks."""
    detail: str = ""
    """The tool's longer text: traceback, assertion introspection."""
    related: tuple[Place, ...] = ()
    """Traceback frames inside the workspace, outermost first; or other places that the tool names."""

    @property
    def signature(self) -> tuple[str, str, str, str]:
        """What stays the same when the text around the finding moves: check, path, code or test, message without numbers."""
        return (self.check, self.path, self.test or self.code, "" if self.test else _NUMBERS.sub("#", self.message))
