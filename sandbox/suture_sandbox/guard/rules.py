"""The table of rules and the function that applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from suture_sandbox.guard import emptied, exceptions, exits, paths, runner, shape, special_case, suppressions
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

Rule = Callable[[Patch, Snapshot, GuardContext, GuardPolicy], Iterable[GuardFinding]]

RULES: Mapping[str, Rule] = {
    "paths": paths.check,
    "suppressions": suppressions.check,
    "exceptions": exceptions.check,
    "exits": exits.check,
    "runner": runner.check,
    "emptied": emptied.check,
    "special-case": special_case.check,
    "shape": shape.check,
}
"""Family -> rule."""

RULES_VERSION = "1"
"""Part of the harness's identity: raise it whenever a rule refuses something else than before."""


def inspect(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy | None = None) -> tuple[GuardFinding, ...]:
    """All reasons to refuse a patch; empty when there is none."""
    return tuple(finding for rule in RULES.values() for finding in rule(patch, snapshot, context, policy or GuardPolicy()))
