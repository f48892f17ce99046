"""The table of rules and the function that applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from suture_sandbox.guard import (
    answers,
    emptied,
    equality,
    exceptions,
    exits,
    paths,
    runner,
    shape,
    special_case,
    suppressions,
    tables,
    unparsed,
    validation,
    weakened,
)
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

Rule = Callable[[Patch, Snapshot, GuardContext, GuardPolicy], Iterable[GuardFinding]]

RULES: Mapping[str, Rule] = {
    "paths": paths.check,
    "tests": weakened.check,
    "special-case": special_case.check,
    "answers": answers.check,
    "tables": tables.check,
    "equality": equality.check,
    "suppressions": suppressions.check,
    "exceptions": exceptions.check,
    "exits": exits.check,
    "runner": runner.check,
    "emptied": emptied.check,
    "validation": validation.check,
    "shape": shape.check,
    "unparsed": unparsed.check,
}
"""Family -> rule."""

RULES_VERSION = "2"
"""Part of the harness's identity: raise it whenever a rule refuses something else than before."""


def inspect(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy | None = None) -> tuple[GuardFinding, ...]:
    """All reasons to refuse a patch; empty when there is none. Never raises, whatever the patch is."""
    allowed = policy or GuardPolicy()
    large = tuple(shape.oversized(patch))
    if large:  # no rule reads what no person would
        return (*paths.check(patch, snapshot, context, allowed), *large)
    return tuple(dict.fromkeys(finding for name in RULES for finding in _apply(name, patch, snapshot, context, allowed)))


def _apply(name: str, patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:
    try:
        yield from RULES[name](patch, snapshot, context, policy)
    except Exception as error:  # noqa: BLE001  # a patch that a rule cannot examine must not pass, and must not stop a batch either
        message = f"the {name} rules could not examine it ({type(error).__name__}), so it cannot be offered"
        yield GuardFinding(rule="guard-failed", path=patch.paths[0] if patch.paths else "", message=message)
