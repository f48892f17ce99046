"""Whether two evaluations differ in nothing but what is compared: the named fields of their identities, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from suture_sandbox.identity import Difference, differences
from suture_training.evaluation.errors import MismatchError
from suture_training.evaluation.records import Manifest

FACTORS: Mapping[str, tuple[str, ...]] = {
    "preset": ("harness.preset",),
    "tools": ("harness.tools",),
    "prompt": ("harness.prompts",),
    "template": ("harness.template", "policy.template"),
    "budget": ("harness.budgets", "harness.timeout_reply"),
    "retry": ("harness.budgets.retries", "harness.pipeline", "harness.outer", "harness.errors"),
    "recall": ("harness.recall", "harness.past_fixes", "harness.held_out"),
    "judge": ("harness.judge",),
    "sampling": ("harness.sampling",),
    "thinking": ("harness.thinking",),
    "edits by rule": ("harness.edits_by_rule", "harness.rules"),
    "guard": ("harness.guard", "harness.guard_policy"),
    "verdict": ("harness.reruns", "harness.controls", "harness.shaken", "harness.reproduced"),
    "privacy": ("harness.excluded",),
    "pinning": ("environment.dependencies", "environment.policy_updates"),
    "toolchain": ("environment.toolchain", "environment.os", "environment.platform", "environment.system_packages"),
    "image": ("environment.image", "environment.layers"),
    "isolation": ("environment.isolation", "environment.variables"),
    "checks": ("environment.checks",),
    "task filter": ("tasks", "environment.filters"),
    "policy": ("policy",),
    "protocol": ("evaluation",),
}
"""Factor -> the identity fields that are its: what one attribution varies. The longest fitting field decides."""


def fields_that_differ(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """All named fields in which two evaluations differ. A field that differs in many workspaces is told once, without their names."""
    common = before.workspaces.keys() & after.workspaces.keys()
    left, right = ({**each.named, "environment": {name: each.named["environment"][name] for name in common}} for each in (before, after))
    found: dict[str, Difference] = {}
    for each in differences(left, right):
        field = _without_workspace(each.field, common)
        found.setdefault(field, msgspec.structs.replace(each, field=field))
    return tuple(found[field] for field in sorted(found))


def unnamed(before: Manifest, after: Manifest, named: Sequence[str]) -> tuple[Difference, ...]:
    """Those of them that no name covers; `harness.budgets` covers `harness.budgets.steps`, and `tasks` everything of the task set."""
    return tuple(each for each in fields_that_differ(before, after) if not any(covers(name, each.field) for name in named))


def refuse_mismatch(before: Manifest, after: Manifest, named: Sequence[str], labels: tuple[str, str]) -> None:
    """Raise MismatchError where they differ in more than what was named."""
    found = unnamed(before, after, named)
    if found:
        raise MismatchError(*labels, found)


def covers(name: str, field: str) -> bool:
    """Whether a name is a field or stands above it."""
    return field == name or field.startswith(f"{name}.")


def factor_of(field: str) -> str:
    """The factor that a field belongs to; the field itself where it belongs to none."""
    fitting = [(len(prefix), factor) for factor, prefixes in FACTORS.items() for prefix in prefixes if covers(prefix, field)]
    return max(fitting)[1] if fitting else field


def factors_between(before: Manifest, after: Manifest) -> dict[str, tuple[Difference, ...]]:
    """Factor -> the fields of it in which two evaluations differ."""
    found: dict[str, list[Difference]] = {}
    for each in fields_that_differ(before, after):
        found.setdefault(factor_of(each.field), []).append(each)
    return {factor: tuple(fields) for factor, fields in found.items()}


def _without_workspace(field: str, workspaces: frozenset[str] | set[str]) -> str:
    kind, _, rest = field.partition(".")
    if kind != "environment":
        return field
    workspace, _, inner = rest.partition(".")
    return f"environment.{inner}" if workspace in workspaces else field
