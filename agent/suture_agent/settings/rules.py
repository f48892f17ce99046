"""Which way a workspace's configuration may move each setting, against what the user's own file or the default says.

A workspace's value that goes the wrong way is refused, not bent: whoever wrote it learns that it has no effect, and who may change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from suture_agent.errors import SettingsError
from suture_agent.settings.sources import Value, shown

Rule = Literal["free", "user", "lower", "higher", "budget", "add", "among", "unset"]
"""free    a workspace may set it; the value in the user's file wins where there is one
user    only the user may set it
lower   a workspace may only lower it; the lower value counts
higher  a workspace may only raise it; the higher value counts
budget  as lower, where 0 stands for the preset's own budget: a workspace may go up to `MOST`
add     a workspace may only add to it
among   where the user's own file has a list, a workspace may only take from it
unset   a switch that a workspace may only turn off
"""

RULES: Mapping[str, Rule] = {
    "sandbox.backend": "user",
    "sandbox.docker_mode": "user",
    "sandbox.docker_image": "user",
    "sandbox.docker_runtime": "user",
    "sandbox.docker_socket": "user",
    "sandbox.docker_containers": "user",
    "sandbox.seconds": "lower",
    "sandbox.cpu_seconds": "lower",
    "sandbox.memory_mib": "lower",
    "sandbox.processes": "lower",
    "sandbox.disk_mib": "lower",
    "sandbox.output_mib": "lower",
    "sandbox.open_files": "lower",
    "sandbox.memo": "user",
    "sandbox.unmask": "among",
    "environment.python": "user",
    "environment.offline": "free",
    "environment.frozen_time": "free",
    "policy.spec": "user",
    "policy.api_key_variable": "user",
    "policy.timeout_seconds": "user",
    "policy.models": "user",
    "policy.adapters": "user",
    "policy.require_matched_adapter": "user",
    "harness.preset": "free",
    "harness.pipeline": "free",
    "harness.steps": "budget",
    "harness.tokens": "budget",
    "harness.seconds": "budget",
    "harness.episode_seconds": "budget",
    "harness.tool_seconds": "budget",
    "harness.tool_calls": "budget",
    "harness.retries": "budget",
    "harness.errors": "budget",
    "harness.past_fixes": "budget",
    "harness.recall": "lower",
    "harness.judge": "user",
    "harness.candidates": "budget",
    "harness.edits_by_rule": "free",
    "harness.thinking": "free",
    "verdict.reruns": "higher",
    "verdict.reproduced": "higher",
    "verdict.controls": "higher",
    "verdict.shaken": "higher",
    "verdict.quarantine_days": "lower",
    "guard.allow_test_edits": "unset",
    "guard.allow_configuration_edits": "unset",
    "guard.allow_suppressions": "unset",
    "guard.allow_deletions": "unset",
    "guard.protected": "add",
    "journal.level": "lower",
    "journal.path": "user",
    "editor.check_on": "free",
    "editor.delay_ms": "free",
    "editor.episodes": "budget",
    "editor.background": "user",
    "editor.background_minutes": "lower",
    "editor.idle_seconds": "free",
    "editor.notice": "user",
    "editor.worker_idle_minutes": "user",
    "privacy.exclude": "add",
    "checks": "free",
}
"""Dotted key -> rule; `checks` stands for the whole table. A check runs inside the sandbox, so a workspace may name any; it cannot
switch off one that the user's own configuration names."""

MOST: Mapping[str, int] = {
    "harness.steps": 100,
    "harness.tokens": 60_000,
    "harness.seconds": 600,
    "harness.episode_seconds": 4800,
    "harness.tool_seconds": 3600,
    "harness.tool_calls": 50,
    "harness.retries": 3,
    "harness.errors": 10,
    "harness.past_fixes": 4,
    "harness.candidates": 8,
    "editor.episodes": 4,
}
"""What a workspace may ask for at most where the user's own file says nothing: the largest preset's budget. Of a problem's wall time it is
that of the pipeline `simplified`, and a workspace that chooses `full` gets no more (`HELD`)."""

HELD: Mapping[tuple[str, str], tuple[str, ...]] = {("harness.pipeline", "full"): ("harness.seconds",)}
"""A key and its value -> budgets that a workspace would raise by choosing it: where nobody else sets them they are held at `MOST`."""

LEVELS: Mapping[str, tuple[str, ...]] = {"journal.level": ("off", "metadata", "full"), "harness.recall": ("off", "auto", "journal")}
"""Settings whose values are words in an order, lowest first."""

WHY: Mapping[Rule, str] = {
    "free": "",
    "user": "only the user's own configuration may set it",
    "lower": "a workspace may only lower it",
    "higher": "a workspace may only raise it",
    "budget": "a workspace may only lower it",
    "add": "a workspace may only add to it",
    "among": "a workspace may only take from what the user's own configuration lists",
    "unset": "a workspace may only turn it off",
}


def rule_of(key: str) -> Rule:
    """The rule of a dotted key."""
    return RULES["checks" if key.startswith("checks.") else key]


def refuse_weakening(value: Value, user: Mapping[str, Value], defaults: Mapping[str, Any]) -> None:
    """Raise SettingsError where a workspace's value goes against the rule of its key."""
    rule = rule_of(value.key)
    if rule == "free":
        _refuse_missing_check(value, user)
        return
    own = user.get(value.key)
    limit = own.value if own is not None else defaults[value.key]
    if rule == "budget":
        limit = limit or MOST[value.key]
    if rule == "among" and own is None:
        return  # the sandbox itself bounds what may be asked for
    if _is_weaker(rule, _rank(value.key, value.value), _rank(value.key, limit)):
        raise _refusal(value, f"{WHY[rule]}; {own.origin if own is not None else 'the default'} says {shown(limit)}")


def stricter(workspace: Value, user: Value) -> tuple[Any, str]:
    """The value in force, and its origin, where a workspace and the user's file both say something that is allowed."""
    rule = rule_of(workspace.key)
    if rule == "add":
        return tuple(dict.fromkeys((*user.value, *workspace.value))), f"{user.origin} and {workspace.origin}"
    theirs = rule in ("lower", "higher", "unset", "among") or (rule == "budget" and workspace.value)
    chosen = workspace if theirs and workspace.value != user.value else user
    return chosen.value, chosen.origin


def _rank(key: str, value: Any) -> Any:  # noqa: ANN401  # of the setting's type
    return LEVELS[key].index(value) if key in LEVELS else value


def _is_weaker(rule: Rule, value: Any, limit: Any) -> bool:  # noqa: ANN401  # of the setting's type
    if rule == "user":
        return bool(value != limit)
    if rule in ("lower", "budget"):
        return bool(value > limit)
    if rule == "among":
        return not set(value) <= set(limit)
    return (rule == "higher" and value < limit) or (rule == "unset" and value and not limit)


def _refuse_missing_check(value: Value, user: Mapping[str, Value]) -> None:
    if value.path[0] != "checks" or value.path[-1] != "enabled" or value.value:
        return
    named = next((own for own in user.values() if own.path[:2] == value.path[:2]), None)
    if named is not None and value.key not in user:
        raise _refusal(value, f"a workspace cannot leave out a check that {named.origin} names")


def _refusal(value: Value, reason: str) -> SettingsError:
    return SettingsError(
        f"{value.origin}: {value.key} = {shown(value.value)}: {reason}",
        remedy="take it out of the workspace's configuration, or set it in your own file (suture doctor shows where that is)",
    )
