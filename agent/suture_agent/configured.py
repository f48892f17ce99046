"""The harness under some settings: the preset that fits a policy, in the pipeline that is chosen, with what else the settings change."""

from __future__ import annotations

import msgspec

from suture_agent.harness import Budgets, Harness, harness_for, with_past_fixes
from suture_agent.policies import Policy, PolicyIdentity
from suture_agent.settings import Settings
from suture_agent.settings.records import HarnessSettings
from suture_sandbox.guard import GuardPolicy


def configured_harness(settings: Settings, policy: Policy, identity: PolicyIdentity) -> Harness:
    """The harness for a policy. Its field `judge` is filled in by whoever starts the judge (`pipelines.judge.started`)."""
    chosen = settings.harness
    preset = None if chosen.preset == "auto" else chosen.preset
    harness = harness_for(policy.capability, preset=preset, template=identity.template, pipeline=chosen.pipeline)
    if chosen.past_fixes:
        harness = with_past_fixes(harness, chosen.past_fixes)
    sampling = harness.sampling
    by_rule = harness.edits_by_rule if chosen.edits_by_rule == "auto" or harness.preset != "direct" else chosen.edits_by_rule
    return msgspec.structs.replace(
        harness,
        recall=_recall(settings, harness),
        errors=chosen.errors or harness.errors if chosen.pipeline == "full" else msgspec.UNSET,
        thinking=chosen.thinking,
        edits_by_rule=by_rule,
        rules=harness.rules if by_rule != "off" else "",
        budgets=_budgets(chosen, harness.budgets),
        sampling=msgspec.structs.replace(sampling, candidates=chosen.candidates or sampling.candidates),
        guard_policy=GuardPolicy(**{field: getattr(settings.guard, field) for field in GuardPolicy.__struct_fields__}),
        reruns=settings.verdict.reruns,
        reproduced=settings.verdict.reproduced,
        controls=settings.verdict.controls,
        shaken=settings.verdict.shaken,
        excluded=tuple(sorted(set(settings.privacy.exclude))) or msgspec.UNSET,
    )


def _budgets(chosen: HarnessSettings, budgets: Budgets) -> Budgets:
    """The pipeline's budgets, with those in their place that the settings name."""
    names = ["steps", "tokens", "seconds", "episode_seconds", "tool_seconds", "tool_calls"]
    names += ["retries"] if chosen.pipeline == "full" else []
    return msgspec.structs.replace(budgets, **{name: value for name in names if (value := getattr(chosen, name))})


def _recall(settings: Settings, harness: Harness) -> str:
    """What the settings say of past fixes; without a journal there are none, and who asks to see some means the journal's."""
    if settings.journal.level == "off":
        return "off"
    if settings.harness.recall != "auto":
        return settings.harness.recall
    return "journal" if harness.past_fixes else harness.recall
