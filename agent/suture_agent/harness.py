"""The harness: everything that decides what the policy sees and may do, as frozen presets with an identity.

Two presets ship. `agent` gives a model that calls tools reliably a conversation with tools. `direct` is for small models: it chooses the
place, shows one function and lets the model write it anew. Which one runs follows from the policy's capability unless a setting says
otherwise; either way it is recorded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from typing import Literal

import msgspec

from suture_agent.direct import TEMPLATES_VERSION
from suture_agent.policies import Capability
from suture_sandbox.guard import RULES_VERSION, GuardPolicy
from suture_sandbox.identity import identity_of

Preset = Literal["agent", "direct"]
Pipeline = Literal["full", "simplified"]
ByRule = Literal["off", "beside", "first"]


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """What an episode may spend. Integers only: they are part of the identity."""

    steps: int
    """Requests to the policy."""
    tokens: int
    """Generated tokens, over all candidates."""
    seconds: int = 600
    """Wall time of the whole problem."""
    retries: int = 3
    """Pipeline `full`: how often an error is tried anew."""
    tool_seconds: int = 120
    """Wall time of one tool call."""
    observation: int = 6000
    """Characters of a tool's reply that the policy sees."""


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How answers are drawn. Temperatures in thousandths, since an identity holds no floats."""

    temperature_milli: int = 0
    """Of the first answer."""
    explore_milli: int = 800
    """Of further candidates."""
    candidates: int = 4
    """Answers drawn from one prompt after the first one failed."""
    top_p_milli: int = 950
    """Of further candidates."""
    top_k: int = 0
    """Of further candidates; 0 for all."""
    min_p_milli: int = 0
    """Of further candidates."""
    answer_tokens: int = 1024
    """Longest answer."""
    seed: int = 0


class Harness(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The named fields of a harness's identity (DESIGN, "Identity")."""

    preset: Preset
    pipeline: Pipeline = "simplified"
    budgets: Budgets
    sampling: Sampling = Sampling()
    thinking: bool = False
    tools: Mapping[str, str] = {}
    """Tool name -> SHA-256 of its schema."""
    prompts: Mapping[str, str] = {}
    """Prompt name -> SHA-256 of its text."""
    template: str = ""
    """SHA-256 of the chat template, where the policy tells it."""
    edits_by_rule: ByRule = "off"
    """Small edits that no policy writes: never; tried when the policy's first answer did not hold; tried before the policy is asked."""
    rules: str = ""
    """Version of those edits, where there are any."""
    judge: str = "off"
    recall: str = "off"
    """`off`, or `journal` for past proven fixes of this machine's journal."""
    guard: str = RULES_VERSION
    guard_policy: GuardPolicy = GuardPolicy()
    reruns: int = 3

    @cached_property
    def identity(self) -> str:
        """SHA-256 over the canonical JSON of the fields."""
        return identity_of(self)


def prompt(name: str) -> str:
    """Text of a prompt of this package."""
    return resources.files("suture_agent").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


PROMPTS: Mapping[Preset, tuple[str, ...]] = {
    "agent": ("agent_system", "agent_problem"),
    "direct": ("direct_system", "direct_function", "direct_again"),
}

PRESETS: Mapping[Preset, Harness] = {
    "agent": Harness(
        preset="agent",
        pipeline="simplified",
        budgets=Budgets(steps=50, tokens=60_000),
        sampling=Sampling(answer_tokens=4096),
        recall="journal",
    ),
    "direct": Harness(
        preset="direct",
        pipeline="simplified",
        budgets=Budgets(steps=24, tokens=12_000),
        sampling=Sampling(answer_tokens=900, top_k=40, min_p_milli=50),
        edits_by_rule="beside",
        rules=TEMPLATES_VERSION,
    ),
}


def harness_for(capability: Capability, *, preset: Preset | None = None, template: str = "") -> Harness:
    """The preset that fits a policy, with its prompts and tools hashed in."""
    from suture_agent.tools import SCHEMAS

    name = preset or ("agent" if capability.tools else "direct")
    chosen = PRESETS[name]
    return msgspec.structs.replace(
        chosen,
        template=template,
        prompts={each: hashlib.sha256(prompt(each).encode()).hexdigest() for each in PROMPTS[name]},
        tools={schema.name: identity_of(schema) for schema in SCHEMAS} if name == "agent" else {},
    )
