"""Variants of a harness, each of which differs from it in one factor: what attributions measure a policy in, beside the base.

Only what the episodes honour is varied; where a factor has no meaning for a preset there is no variant. The judge needs a policy of its
own, pinning, the toolchain and the task filter are the environment's and the task set's: those are measured by evaluating with them and
laying the folders beside the base, since `attribution` goes by what really differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from suture_agent.harness import Harness, worded
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import differences
from suture_training.evaluation.identity import factor_of

Make = Callable[[Harness], Harness | None]
"""The variant of a harness; None where it would be the same, or mean nothing."""


class Variation(msgspec.Struct, frozen=True, kw_only=True):
    """A way to vary one factor."""

    name: str
    factor: str
    says: str
    make: Make


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A harness that differs from its base in one factor."""

    name: str
    factor: str
    says: str
    harness: Harness


def _half_steps(base: Harness) -> Harness | None:
    return _budgets(base, steps=base.budgets.steps // 2) if base.budgets.steps > 1 else None


def _half_tokens(base: Harness) -> Harness | None:
    return _budgets(base, tokens=base.budgets.tokens // 2) if base.budgets.tokens > 1 else None


def _half_observation(base: Harness) -> Harness | None:
    return _budgets(base, observation=base.budgets.observation // 2) if base.preset == "agent" else None


def _no_retries(base: Harness) -> Harness | None:
    return _budgets(base, retries=0) if base.pipeline == "full" and base.budgets.retries else None


def _without(tool: str) -> Make:
    def make(base: Harness) -> Harness | None:
        left = {name: digest for name, digest in base.tools.items() if name != tool}
        return msgspec.structs.replace(base, tools=left) if left and len(left) < len(base.tools) else None

    return make


def _plain(base: Harness) -> Harness | None:
    changed = worded(base, "plain")
    return changed if changed.prompts != base.prompts and base.preset in ("agent", "line") else None


def _greedy(base: Harness) -> Harness | None:
    if not base.sampling.temperature_milli:
        return None
    return msgspec.structs.replace(base, sampling=msgspec.structs.replace(base.sampling, temperature_milli=0))


def _without_rules(base: Harness) -> Harness | None:
    return msgspec.structs.replace(base, edits_by_rule="off", rules="") if base.edits_by_rule != "off" else None


def _thinking(base: Harness) -> Harness:
    return msgspec.structs.replace(base, thinking=not base.thinking)


def _budgets(base: Harness, **changed: int) -> Harness:
    return msgspec.structs.replace(base, budgets=msgspec.structs.replace(base.budgets, **changed))


VARIATIONS: tuple[Variation, ...] = (
    Variation(name="half-steps", factor="budget", says="half as many requests", make=_half_steps),
    Variation(name="half-tokens", factor="budget", says="half as many generated tokens", make=_half_tokens),
    Variation(name="half-observation", factor="budget", says="half as much of a tool's reply", make=_half_observation),
    Variation(name="no-retries", factor="retry", says="an error is tried once", make=_no_retries),
    Variation(name="no-shell", factor="tools", says="no run_shell", make=_without("run_shell")),
    Variation(name="no-check", factor="tools", says="no run_check before submission", make=_without("run_check")),
    Variation(name="plain-prompt", factor="prompt", says="the same said in other words", make=_plain),
    Variation(name="greedy", factor="sampling", says="the likeliest token instead of a drawn one", make=_greedy),
    Variation(name="no-rules", factor="edits by rule", says="no edits that no policy wrote", make=_without_rules),
    Variation(name="thinking", factor="thinking", says="thinking the other way round", make=_thinking),
)


def variants(base: Harness, names: Sequence[str] = ()) -> tuple[Variant, ...]:
    """The variants of a base, all that there are or those that are named. Raises ConfigurationError for a name that it has none of."""
    known = {variation.name: variation for variation in VARIATIONS}
    made: list[Variant] = []
    for name in names or known:
        if name not in known:
            raise ConfigurationError(f"there is no variation named {name!r}", remedy=f"name one of {', '.join(known)}")
        variation = known[name]
        harness = variation.make(base)
        if harness is None:
            if names:
                said = f"{name} ({variation.says}) means nothing for the preset {base.preset} in the pipeline {base.pipeline}"
                raise ConfigurationError(said, remedy=f"of use here: {', '.join(each.name for each in variants(base))}")
            continue
        _refuse_more_than(variation.factor, base, harness)
        made.append(Variant(name=name, factor=variation.factor, says=variation.says, harness=harness))
    return tuple(made)


def _refuse_more_than(factor: str, base: Harness, changed: Harness) -> None:
    """A variant of more than its factor would be blamed on the wrong one."""
    found = {factor_of(f"harness.{each.field}") for each in differences(base, changed)}
    if found != {factor}:
        raise AssertionError(f"a variant of {factor} changes {', '.join(sorted(found)) or 'nothing'}")
