"""The harness's identity holds every field and nothing of this process; the settings reach it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from suture_agent.configured import configured_harness
from suture_agent.direct import TEMPLATES_VERSION
from suture_agent.harness import (
    CANDIDATE_PROMPT,
    JUDGE_PROMPTS,
    OUTER_VERSION,
    PRESETS,
    PROMPTS,
    Harness,
    as_full,
    harness_for,
    hashed,
    prompt,
    with_past_fixes,
    worded,
    wording,
)
from suture_agent.policies import Capability, PolicyIdentity
from suture_agent.settings import Settings
from suture_agent.settings.records import GuardSettings, HarnessSettings, JournalSettings, VerdictSettings
from suture_agent.tools import SCHEMAS
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.guard import RULES_VERSION, GuardPolicy
from suture_sandbox.identity import differences

TOOLS = Capability(context=32768, tools=True, prefill=True)
SMALL = Capability(context=4096, tools=False, prefill=True)


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, tuple):
        return (*value, "x")
    if value is msgspec.UNSET:
        return ("x",)
    assert isinstance(value, Mapping)
    return {**value, "x": "y"}


def variants(record: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """The record with one field changed, for every field, also of the records in it."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        inner = variants(value) if isinstance(value, msgspec.Struct) else [("", other(value))]
        for path, changed in inner:
            yield f"{name}.{path}".rstrip("."), msgspec.structs.replace(record, **{name: changed})


@pytest.mark.parametrize("pipeline", ["simplified", "full"])
@pytest.mark.parametrize("preset", PRESETS)
def test_identity_changes_with_every_single_field(preset, pipeline):
    harness = harness_for(TOOLS, preset=preset, template="t" * 64, pipeline=pipeline)
    found = dict(variants(harness))
    assert len({harness.identity, *(each.identity for each in found.values())}) == len(found) + 1
    assert {"budgets.steps", "sampling.seed", "guard_policy.protected", "guard", "judge", "template", "reruns", "thinking"} <= set(found)
    assert {"budgets.tool_calls", "budgets.episode_seconds", "outer", "errors", "past_fixes", "timeout_reply", "held_out"} <= set(found)
    for path, each in found.items():
        assert next(difference.field for difference in differences(harness, each)).startswith(path)


def test_identity_of_a_copy_is_its_own_though_the_originals_was_asked_first():
    harness = harness_for(TOOLS)
    before = harness.identity
    assert msgspec.structs.replace(harness, reruns=4).identity != before
    assert msgspec.structs.replace(harness).identity == before


def test_order_of_tools_and_prompts_is_not_part_of_it():
    harness = harness_for(TOOLS)
    turned = msgspec.structs.replace(harness, tools=dict(reversed(harness.tools.items())), prompts=dict(reversed(harness.prompts.items())))
    assert turned.identity == harness.identity


def test_identity_is_the_same_in_every_process():
    program = (
        "from suture_agent.harness import harness_for\nfrom suture_agent.policies import Capability\n"
        "for tools in (True, False): print(harness_for(Capability(context=1, tools=tools, prefill=True), template='t').identity)"
    )
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}
        done = subprocess.run([sys.executable, "-B", "-c", program], cwd="/", env=environ, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [harness_for(each, template="t").identity for each in (TOOLS, SMALL)]


def test_identity_survives_being_written_and_read():
    harness = harness_for(TOOLS, template="t")
    assert msgspec.json.decode(msgspec.json.encode(harness), type=Harness).identity == harness.identity


def test_preset_follows_from_the_capability_unless_it_is_said():
    assert harness_for(TOOLS).preset == "agent"
    assert harness_for(SMALL).preset == "direct"
    assert harness_for(TOOLS, preset="direct").preset == "direct"
    assert harness_for(SMALL, preset="agent").preset == "agent"


def test_tools_and_prompts_of_the_preset_are_hashed_in():
    agent, direct = harness_for(TOOLS), harness_for(SMALL)
    assert set(agent.tools) == {schema.name for schema in SCHEMAS}
    assert direct.tools == {}
    for harness in (agent, direct):
        assert set(harness.prompts) == set(PROMPTS[harness.preset])
        assert all(len(digest) == 64 for digest in [*harness.prompts.values(), *harness.tools.values()])
        assert len({*harness.prompts.values(), *harness.tools.values()}) == len(harness.prompts) + len(harness.tools)
    assert agent.guard == RULES_VERSION
    assert harness_for(TOOLS, template="t").template == "t"


@pytest.mark.parametrize("preset", PRESETS)
def test_fields_of_the_full_pipeline_are_no_part_of_a_simplified_ones_identity(preset):
    """Identities that were recorded before the fields existed stay what they were."""
    fields = msgspec.to_builtins(harness_for(TOOLS, preset=preset))
    assert {"excluded", "outer", "errors", "past_fixes", "timeout_reply", "held_out"}.isdisjoint(fields)
    assert set(fields["budgets"]) == {"steps", "tokens", "seconds", "retries", "tool_seconds", "observation"}
    assert set(fields["prompts"]) == set(PROMPTS[preset])


def test_numbers_of_the_papers_table():
    """docs/pipelines.md: arXiv 2510.22075, full and simplified."""
    full, simplified = harness_for(TOOLS, pipeline="full"), harness_for(TOOLS)
    assert (full.pipeline, full.budgets.retries, full.budgets.tool_calls, full.timeout_reply) == ("full", 3, 50, "tooltimeout")
    assert (full.budgets.episode_seconds, full.budgets.tool_seconds) == (80 * 60, 60 * 60)
    assert (full.recall, full.past_fixes, full.judge) == ("journal", 4, "off")
    assert (simplified.pipeline, simplified.budgets.steps, simplified.judge) == ("simplified", 30, "off")
    assert all(harness.budgets.steps <= 30 for harness in PRESETS.values())


def test_small_models_have_a_full_pipeline_without_tools():
    full = harness_for(SMALL, pipeline="full")
    assert (full.preset, full.recall, full.past_fixes, full.timeout_reply) == ("direct", "journal", 4, msgspec.UNSET)
    assert full.prompts[CANDIDATE_PROMPT] == hashed([CANDIDATE_PROMPT])[CANDIDATE_PROMPT]
    assert with_past_fixes(full, 0).prompts == harness_for(SMALL).prompts
    assert as_full(PRESETS["direct"]).budgets.steps == PRESETS["direct"].budgets.steps


def test_every_prompt_is_hashed_by_some_preset():
    from importlib import resources

    files = {path.name.removesuffix(".md") for path in resources.files("suture_agent").joinpath("prompts").iterdir() if path.is_file()}
    names = {name for names in PROMPTS.values() for name in names} | {CANDIDATE_PROMPT, *JUDGE_PROMPTS}
    assert {name.split(".")[0] for name in files} == names <= files
    assert all(prompt(name).strip() for name in files)


def test_a_harness_names_the_wording_that_it_asks_in():
    usual = harness_for(TOOLS, preset="line")
    plain = worded(usual, "plain")
    assert [each.field for each in differences(usual, plain)] == ["prompts.line_system"]
    assert wording(usual, "line_system") == prompt("line_system")
    assert wording(plain, "line_system") == prompt("line_system.plain") != prompt("line_system")
    assert wording(plain, "line_problem") == prompt("line_problem")
    assert worded(plain, "") == usual
    unknown = msgspec.structs.replace(usual, prompts={"line_system": "f" * 64})
    with pytest.raises(ConfigurationError, match="line_system has the hash ffffffffffff"):
        wording(unknown, "line_system")


CANDIDATE = {f"prompts.{name}": digest for name, digest in hashed([CANDIDATE_PROMPT]).items()}
FULL = {
    "pipeline": "full",
    "budgets.steps": 100,
    "budgets.seconds": 19_200,
    "budgets.episode_seconds": 4800,
    "budgets.tool_seconds": 3600,
    "budgets.tool_calls": 50,
    "outer": OUTER_VERSION,
    "errors": 10,
    "past_fixes": 4,
    "timeout_reply": "tooltimeout",
    **CANDIDATE,
}
WAYS = [
    (HarnessSettings(preset="direct"), {}),
    (HarnessSettings(pipeline="full"), FULL),
    (HarnessSettings(pipeline="full", retries=7, errors=8, past_fixes=9), FULL | {"budgets.retries": 7, "errors": 8, "past_fixes": 9}),
    (HarnessSettings(pipeline="full", steps=3, tool_calls=4), FULL | {"budgets.steps": 3, "budgets.tool_calls": 4}),
    (HarnessSettings(retries=7, errors=8), {}),  # nothing is tried anew in the pipeline simplified
    (HarnessSettings(tool_calls=9), {"budgets.tool_calls": 9}),
    (HarnessSettings(tool_seconds=9), {"budgets.tool_seconds": 9}),
    (HarnessSettings(episode_seconds=9), {"budgets.episode_seconds": 9}),
    (HarnessSettings(past_fixes=2), {"past_fixes": 2, **CANDIDATE}),
    (HarnessSettings(recall="off"), {"recall": "off"}),
    (HarnessSettings(judge="policy"), {}),  # filled in when the judge is started
    (HarnessSettings(thinking=True), {"thinking": True}),
    (HarnessSettings(steps=7), {"budgets.steps": 7}),
    (HarnessSettings(tokens=70), {"budgets.tokens": 70}),
    (HarnessSettings(seconds=77), {"budgets.seconds": 77}),
    (HarnessSettings(candidates=3), {"sampling.candidates": 3}),
    (HarnessSettings(edits_by_rule="first"), {"edits_by_rule": "first", "rules": TEMPLATES_VERSION}),
    (VerdictSettings(reruns=9), {"reruns": 9}),
    (GuardSettings(allow_test_edits=True), {"guard_policy.allow_test_edits": True}),
    (VerdictSettings(reproduced=3), {"reproduced": 3}),
    (VerdictSettings(controls=4), {"controls": 4}),
    (VerdictSettings(shaken=2), {"shaken": 2}),
    (VerdictSettings(quarantine_days=3), {}),  # when it is asked, not how
    (GuardSettings(allow_configuration_edits=True), {"guard_policy.allow_configuration_edits": True}),
    (GuardSettings(allow_suppressions=True), {"guard_policy.allow_suppressions": True}),
    (GuardSettings(allow_deletions=True), {"guard_policy.allow_deletions": True}),
    (GuardSettings(protected=("docs/*",)), {"guard_policy.protected": ["docs/*"]}),
    (JournalSettings(level="off"), {"recall": "off"}),
]


def configured(*sections: msgspec.Struct, capability: Capability = TOOLS) -> Harness:
    names = {HarnessSettings: "harness", VerdictSettings: "verdict", GuardSettings: "guard", JournalSettings: "journal"}
    settings = Settings(**{names[type(section)]: section for section in sections})

    class Known:
        def __init__(self) -> None:
            self.capability = capability

    return configured_harness(settings, Known(), PolicyIdentity(name="m", template="t"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("section", "changed"), WAYS[1:])
def test_setting_reaches_the_harness_and_changes_nothing_else(section, changed):
    small = SMALL if isinstance(section, HarnessSettings) and section.edits_by_rule != "auto" else TOOLS
    before, after = configured(capability=small), configured(section, capability=small)
    found = {each.field: msgspec.json.decode(each.after) for each in differences(before, after)}
    assert found == {name: value for name, value in changed.items() if getattr(before, name, None) != value}


def test_edits_by_rule_are_only_made_by_the_harness_for_small_models():
    assert configured(HarnessSettings(edits_by_rule="first")).edits_by_rule == "off"
    off = configured(HarnessSettings(edits_by_rule="off"), capability=SMALL)
    assert (off.edits_by_rule, off.rules) == ("off", "")


@pytest.mark.parametrize("capability", [TOOLS, SMALL])
def test_who_asks_to_be_shown_past_fixes_means_the_journals(capability):
    assert configured(HarnessSettings(past_fixes=1), capability=capability).recall == "journal"
    assert configured(HarnessSettings(past_fixes=1, recall="off"), capability=capability).recall == "off"
    assert configured(HarnessSettings(recall="journal"), capability=capability).recall == "journal"
    assert configured(HarnessSettings(recall="journal"), JournalSettings(level="off"), capability=capability).recall == "off"


@pytest.mark.parametrize("capability", [TOOLS, SMALL])
def test_default_settings_are_the_preset(capability):
    assert configured(capability=capability).identity == harness_for(capability, template="t").identity


def test_preset_of_the_settings_goes_before_the_capability():
    assert configured(WAYS[0][0]).preset == "direct"
    assert configured(HarnessSettings(preset="agent"), capability=SMALL).preset == "agent"


def changed_in(section: msgspec.Struct) -> list[str]:
    return [name for name in section.__struct_fields__ if getattr(section, name) != getattr(type(section)(), name)]


def test_every_setting_of_harness_verdict_and_guard_is_tried_here():
    tried = {(type(section), name) for section, _ in WAYS for name in changed_in(section)}
    assert tried >= {(kind, name) for kind in (HarnessSettings, VerdictSettings, GuardSettings) for name in kind.__struct_fields__}
    assert set(GuardSettings.__struct_fields__) == set(GuardPolicy.__struct_fields__)
