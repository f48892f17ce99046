"""The harness: everything that decides what the policy sees and may do, as frozen presets with an identity.

Three presets ship. `agent` gives a model that calls tools reliably a conversation with tools. `direct` is for small models: it chooses the
place, shows one function and lets the model write it anew. Which of the two runs follows from the policy's capability unless a setting says
otherwise; either way it is recorded. `line` is for policies of a few million parameters, as training runs on a CPU make them: they replace
one piece of one line. It never runs unless it is named.

Each runs in one of two pipelines, `simplified` and `full` (arXiv 2510.22075; docs/pipelines.md has the paper's table beside our fields).
A field that a pipeline has no use for is unset, and no part of the identity, so that identities stay what they were before it existed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from importlib import resources
from typing import Literal

import msgspec

from suture_agent.direct import TEMPLATES_VERSION
from suture_agent.policies import Capability, PolicyIdentity
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.guard import RULES_VERSION, GuardPolicy
from suture_sandbox.identity import identity_of

Preset = Literal["agent", "direct", "line"]
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
    """Pipeline `full`: how often a main error is tried anew."""
    tool_seconds: int = 120
    """Wall time of one tool call."""
    observation: int = 6000
    """Characters of a tool's reply that the policy sees."""
    tool_calls: int | msgspec.UnsetType = msgspec.UNSET
    """Tool calls; unset: as many as fit into the steps."""
    episode_seconds: int | msgspec.UnsetType = msgspec.UNSET
    """Wall time of one episode; unset: what is left of `seconds`."""


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
    """Tool name -> SHA-256 of its schema: the tools that the policy has; none named are all of them."""
    prompts: Mapping[str, str] = {}
    """Prompt name -> SHA-256 of its text."""
    template: str = ""
    """SHA-256 of the chat template, where the policy tells it."""
    edits_by_rule: ByRule = "off"
    """Small edits that no policy writes: never; tried when the policy's first answer did not hold; tried before the policy is asked."""
    rules: str = ""
    """Version of those edits, where there are any."""
    judge: str = "off"
    """`off`, or name and digest of the policy that must accept a proven patch too, with its prompts (`judge_field`)."""
    recall: str = "off"
    """`off`, or `journal` for past proven fixes of this machine's journal, in whose place a cached start puts its own."""
    guard: str = RULES_VERSION
    guard_policy: GuardPolicy = GuardPolicy()
    reruns: int = 3
    reproduced: int = 2
    """How often a failure must show before it is worked on, the run that found it included."""
    controls: int = 3
    """How often a target must fail without the patch, once the patch is proven otherwise."""
    shaken: int = 1
    """Under how many other circumstances (hash seed, a stalling machine, ...) a target must pass too."""
    excluded: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Globs of files that the policy is not shown; unset, and no part of the identity, where there are none."""
    outer: str | msgspec.UnsetType = msgspec.UNSET
    """Pipeline `full`: version of the rules that choose a main error and tell a similar one from a different one."""
    errors: int | msgspec.UnsetType = msgspec.UNSET
    """Pipeline `full`: main errors that are worked on, one after the other, for one problem."""
    past_fixes: int | msgspec.UnsetType = msgspec.UNSET
    """Recalled fixes that are shown as a candidate, best first, one an episode; unset: none (the tool `recall` is another matter)."""
    timeout_reply: str | msgspec.UnsetType = msgspec.UNSET
    """What a tool call of any kind is answered with when `tool_seconds` are up; unset: only shell commands are bound, and say more."""
    held_out: str | msgspec.UnsetType = msgspec.UNSET
    """The exclusion set of an evaluation, by name and digest: nothing of it is recalled (`recall.HeldOut`)."""

    @cached_property
    def identity(self) -> str:
        """SHA-256 over the canonical JSON of the fields."""
        return identity_of(self)


def prompt(name: str) -> str:
    """Text of a prompt of this package."""
    return resources.files("suture_agent").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def wording(harness: Harness, name: str) -> str:
    """Text of a prompt in the wording that a harness names by its hash. Raises ConfigurationError for one that does not ship."""
    wanted = harness.prompts.get(name)
    known = wordings(name)
    if wanted is None:
        return known[""]
    found = next((text for text in known.values() if _digest(text) == wanted), None)
    if found is None:
        raise ConfigurationError(
            f"no wording of the prompt {name} has the hash {wanted[:12]}", remedy="use the suture that made the harness"
        )
    return found


@lru_cache
def wordings(name: str) -> Mapping[str, str]:
    """Version -> text of a prompt: the usual wording under an empty name, others (`NAME.VERSION.md`) for attributions."""
    found = {"": prompt(name)}
    for path in resources.files("suture_agent").joinpath("prompts").iterdir():
        if path.name.startswith(f"{name}.") and path.name != f"{name}.md":
            found[path.name.split(".")[1]] = path.read_text(encoding="utf-8")
    return found


def worded(harness: Harness, version: str) -> Harness:
    """The harness with all its prompts in another wording, where they have one."""
    texts = {name: wordings(name) for name in harness.prompts}
    return msgspec.structs.replace(harness, prompts={name: _digest(known.get(version, known[""])) for name, known in texts.items()})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


PROMPTS: Mapping[Preset, tuple[str, ...]] = {
    "agent": ("agent_system", "agent_problem"),
    "direct": ("direct_system", "direct_function", "direct_again"),
    "line": ("line_system", "line_problem"),
}

CANDIDATE_PROMPT = "candidate"
"""Shows a past fix; hashed in where `past_fixes` are shown."""

JUDGE_PROMPTS = ("judge_system", "judge_patch")
"""The judge's; hashed into the field `judge`."""

PRESETS: Mapping[Preset, Harness] = {
    "agent": Harness(
        preset="agent",
        pipeline="simplified",
        budgets=Budgets(steps=30, tokens=60_000),
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
    "line": Harness(
        preset="line",
        pipeline="simplified",
        budgets=Budgets(steps=4, tokens=400),
        sampling=Sampling(answer_tokens=48),
    ),
}
"""The presets in the pipeline `simplified`, whose row says: at most 30 steps, no outer loop, the build's result alone."""

OUTER_VERSION = "1"
"""Version of the rules in `pipelines.main_error`, `pipelines.signature` and `pipelines.relation`; raise it when they choose otherwise."""

RETRIES = 3
EPISODE_SECONDS = 80 * 60
ERRORS = 10


def harness_for(capability: Capability, *, preset: Preset | None = None, template: str = "", pipeline: Pipeline = "simplified") -> Harness:
    """The preset that fits a policy, in a pipeline, with its prompts and tools hashed in."""
    from suture_agent.tools import SCHEMAS

    name = preset or ("agent" if capability.tools else "direct")
    chosen = msgspec.structs.replace(
        PRESETS[name],
        template=template,
        prompts=hashed(PROMPTS[name]),
        tools={schema.name: identity_of(schema) for schema in SCHEMAS} if name == "agent" else {},
    )
    return chosen if pipeline == "simplified" else as_full(chosen)


def as_full(harness: Harness) -> Harness:
    """A preset's harness with the numbers of the pipeline `full` (docs/pipelines.md says which of them are the paper's)."""
    budgets = msgspec.structs.replace(
        harness.budgets, seconds=(1 + RETRIES) * EPISODE_SECONDS, retries=RETRIES, episode_seconds=EPISODE_SECONDS
    )
    full = msgspec.structs.replace(harness, pipeline="full", budgets=budgets, recall="journal", outer=OUTER_VERSION, errors=ERRORS)
    full = with_past_fixes(full, 1 + RETRIES)
    if harness.preset == "direct":
        return full  # it calls no tools
    budgets = msgspec.structs.replace(budgets, steps=100, tool_calls=50, tool_seconds=3600)
    return msgspec.structs.replace(full, budgets=budgets, timeout_reply="tooltimeout")


def with_past_fixes(harness: Harness, most: int) -> Harness:
    """The harness that shows up to `most` past fixes as candidates; 0 shows none."""
    prompts = {name: digest for name, digest in harness.prompts.items() if name != CANDIDATE_PROMPT}
    shown = {**prompts, **hashed([CANDIDATE_PROMPT])} if most else prompts
    return msgspec.structs.replace(harness, past_fixes=most or msgspec.UNSET, prompts=shown)


def judge_field(judge: PolicyIdentity) -> str:
    """What `Harness.judge` says of a judge: its name, and a digest of who it is and of what it is asked."""
    return f"{judge.name} {identity_of([judge, hashed(JUDGE_PROMPTS)])}"


def hashed(names: Iterable[str]) -> dict[str, str]:
    """Prompts by name -> SHA-256 of their text."""
    return {name: hashlib.sha256(prompt(name).encode()).hexdigest() for name in names}
