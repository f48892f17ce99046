"""The guard's records: what a rule is given, what it says, and what the user allows."""

from __future__ import annotations

import msgspec

from suture_sandbox.checks import Check
from suture_sandbox.findings import Finding


class GuardFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to refuse a patch."""

    rule: str
    path: str
    line: int = -1
    """Zero-based, in the new text; -1 where there is none."""
    message: str
    """What was found and why it is refused, one sentence."""


class GuardPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the user allows; a workspace can never loosen it."""

    allow_test_edits: bool = False
    allow_configuration_edits: bool = False
    allow_suppressions: bool = False
    allow_deletions: bool = False
    """Of public functions, methods and classes: what a library took away may have to go with it."""
    protected: tuple[str, ...] = ()
    """Further globs that no patch may touch."""


class GuardContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the problem is about."""

    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    """The problem's own findings."""
