"""The harness's identity holds every field and nothing of this process; the settings reach it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from suture_agent.direct import TEMPLATES_VERSION
from suture_agent.harness import PRESETS, PROMPTS, Harness, harness_for, prompt
from suture_agent.policies import Capability, PolicyIdentity
from suture_agent.settings import Settings
from suture_agent.settings.records import GuardSettings, HarnessSettings, JournalSettings, VerdictSettings
from suture_agent.tools import SCHEMAS
from suture_agent.workspace import configured_harness
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
    assert isinstance(value, Mapping)
    return {**value, "x": "y"}


def variants(record: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """The record with one field changed, for every field, also of the records in it."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        inner = variants(value) if isinstance(value, msgspec.Struct) else [("", other(value))]
        for path, changed in inner:
            yield f"{name}.{path}".rstrip("."), msgspec.structs.replace(record, **{name: changed})


@pytest.mark.parametrize("preset", PRESETS)
def test_identity_changes_with_every_single_field(preset):
    harness = harness_for(TOOLS, preset=preset, template="t" * 64)
    found = dict(variants(harness))
    assert len({harness.identity, *(each.identity for each in found.values())}) == len(found) + 1
    assert {"budgets.steps", "sampling.seed", "guard_policy.protected", "guard", "judge", "template", "reruns", "thinking"} <= set(found)
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


def test_every_prompt_is_hashed_by_some_preset():
    from importlib import resources

    files = {path.name.removesuffix(".md") for path in resources.files("suture_agent").joinpath("prompts").iterdir() if path.is_file()}
    assert files == {name for names in PROMPTS.values() for name in names}
    assert all(prompt(name).strip() for name in files)


WAYS = [
    (HarnessSettings(preset="direct"), {}),
    (HarnessSettings(pipeline="full"), {"pipeline": "full"}),
    (HarnessSettings(thinking=True), {"thinking": True}),
    (HarnessSettings(steps=7), {"budgets.steps": 7}),
    (HarnessSettings(tokens=70), {"budgets.tokens": 70}),
    (HarnessSettings(seconds=77), {"budgets.seconds": 77}),
    (HarnessSettings(candidates=3), {"sampling.candidates": 3}),
    (HarnessSettings(edits_by_rule="first"), {"edits_by_rule": "first", "rules": TEMPLATES_VERSION}),
    (VerdictSettings(reruns=9), {"reruns": 9}),
    (GuardSettings(allow_test_edits=True), {"guard_policy.allow_test_edits": True}),
    (GuardSettings(allow_configuration_edits=True), {"guard_policy.allow_configuration_edits": True}),
    (GuardSettings(allow_suppressions=True), {"guard_policy.allow_suppressions": True}),
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
