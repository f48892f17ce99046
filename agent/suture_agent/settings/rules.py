"""Which way a workspace's configuration may move each setting, against what the user's own file or the default says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Rule = Literal["free", "user", "lower", "higher", "add", "unset"]
"""free    a workspace may set it; the user's value wins where there is one
user    only the user may set it
lower   a workspace may only lower it; the lower value counts
higher  a workspace may only raise it; the higher value counts
add     a workspace may only add to it
unset   a switch that a workspace may only turn off
"""

RULES: Mapping[str, Rule] = {
    "sandbox.backend": "user",
    "sandbox.seconds": "lower",
    "sandbox.cpu_seconds": "lower",
    "sandbox.memory_mib": "lower",
    "sandbox.processes": "lower",
    "sandbox.disk_mib": "lower",
    "sandbox.output_mib": "lower",
    "sandbox.open_files": "lower",
    "environment.python": "user",
    "environment.offline": "free",
    "policy.spec": "user",
    "policy.api_key_variable": "user",
    "policy.timeout_seconds": "user",
    "policy.models": "user",
    "harness.preset": "free",
    "harness.pipeline": "free",
    "harness.steps": "free",
    "harness.tokens": "free",
    "harness.seconds": "lower",
    "harness.candidates": "free",
    "harness.thinking": "free",
    "verdict.reruns": "higher",
    "guard.allow_test_edits": "unset",
    "guard.allow_configuration_edits": "unset",
    "guard.allow_suppressions": "unset",
    "guard.protected": "add",
    "journal.level": "user",
    "journal.path": "user",
    "checks": "free",
}
"""Dotted key -> rule; `checks` stands for the whole table. A check runs inside the sandbox, so a workspace may name any."""

WHY: Mapping[Rule, str] = {
    "free": "",
    "user": "only the user's own configuration may set it",
    "lower": "a workspace may only lower it",
    "higher": "a workspace may only raise it",
    "add": "a workspace may only add to it",
    "unset": "a workspace may only turn it off",
}
