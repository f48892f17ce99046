"""`suture adapter` as a program: what it lists, allows, refuses and records; a workspace is repaired with the adapter that is its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from suture_agent.adapters import CONFIG, WEIGHTS, Adapter, Base, Data, Draft, Identified, Score
from suture_agent.adapters.registry import Registry
from suture_agent.journal.blobs import unpack
from suture_agent.policies import PolicyIdentity
from suture_agent.policies.scripted import ScriptedPolicy
from suture_agent.settings import load
from suture_agent.workspace import configured_harness

RIGHT = {"text": "    return sum(prices)\n", "repeat": 0}

Program = Callable[..., Any]


@pytest.fixture
def registry(environ: Mapping[str, str]) -> Registry:
    return Registry(Path(environ["HOME"], ".local/share/suture/adapters"))


@pytest.fixture
def add(registry: Registry) -> Callable[..., Adapter]:
    """An adapter of the scripted policy, with these figures of its own and of its base."""

    def make(name: str, *figures: tuple[int, int], environment: object = None, harness: object = None) -> Adapter:
        place = {"environment": Identified.of(environment or {"os": {}}), "harness": Identified.of(harness or {"preset": "direct"})}
        scores = [
            Score(
                subject="base" if base else "adapter",
                evaluation="e1",
                held_out="h" * 64,
                environment=place["environment"].digest,
                harness=place["harness"].digest,
                passed=count,
                of=100,
                low=0.0,
                high=1.0,
            )
            for pair in figures
            for base, count in enumerate(pair)
        ]

        def fill(folder: Path) -> None:
            (folder / WEIGHTS).write_text(name)
            (folder / CONFIG).write_text("{}")

        draft = Draft(name=name, base=Base(name="script"), data=Data(digest="d" * 64, name="shop"), scores=tuple(scores), **place)
        return registry.add(draft, fill)

    return make


@pytest.fixture
def configuration(environ: Mapping[str, str]) -> Path:
    """The user's own: proofs as short as can be."""
    path = Path(environ["HOME"], ".config/suture/config.toml")
    path.parent.mkdir(parents=True)
    path.write_text(
        '[verdict]\nreruns = 1\nreproduced = 1\ncontrols = 0\nshaken = 0\n[harness]\nedits_by_rule = "off"\n[sandbox]\nmemo = "disk"\n'
    )
    return path


@pytest.fixture
def here(suture: Program, shop: Path, script: Callable[..., str], configuration: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The fields of environment and harness under which the shop is repaired here."""
    environment = suture("env", "show", shop, "--json").summary["fields"]
    policy = ScriptedPolicy(Path(script(RIGHT).removeprefix("scripted:")))
    settings = load(shop, user_file=configuration, environ=environ).settings
    return {"environment": environment, "harness": msgspec.to_builtins(configured_harness(settings, policy, PolicyIdentity(name="script")))}


def test_an_empty_registry_says_how_one_gets_adapters(suture: Program):
    run = suture("adapter", "list")
    assert run.code == 0
    assert "suture train sft" in run.out
    assert suture("adapter", "list", "--json").summary["adapters"] == 0


def test_list_show_use_off_and_drop(suture: Program, add):
    one, two = add("one", (60, 40)), add("two", (90, 40))
    listed = suture("adapter", "list", "--json")
    assert [(line["name"], line["digest"], line["in_use"]) for line in listed.events("adapter")] == [
        ("one", one.digest, False),
        ("two", two.digest, False),
    ]
    shown = suture("adapter", "show", one.short)
    assert "# one" in shown.out
    assert "60 of 100" in shown.out
    used = suture("adapter", "use", "one", "--json")
    assert (used.code, used.summary["adapter"], used.summary["in_use"]) == (0, one.digest, True)
    assert suture("adapter", "use", "two", "--json").summary["replaced"] == [one.digest]
    assert suture("adapter", "list", "--json").summary["in_use"] == [two.digest]
    refused = suture("adapter", "drop", "two")
    assert refused.code == 2
    assert "try: suture adapter use two --off" in refused.err
    assert suture("adapter", "use", "two", "--off").code == 0
    assert suture("adapter", "drop", "two", "--json").summary["dropped"] == two.digest
    assert suture("adapter", "list", "--json").summary["adapters"] == 1


def test_one_that_is_no_better_is_refused_with_the_figures_unless_a_reason_is_given(suture: Program, add):
    add("one", (41, 40))
    refused = suture("adapter", "use", "one")
    assert refused.code == 2
    assert "41 of 100" in refused.err
    assert "40 of 100" in refused.err
    assert "--override" in refused.err
    assert refused.out == ""
    taken = suture("adapter", "use", "one", "--override", "trying it out", "--json")
    assert (taken.code, taken.summary["override"]) == (0, "trying it out")
    assert "41 of 100" in taken.summary["figures"]


def test_a_changed_file_and_an_unknown_name(suture: Program, add, registry: Registry):
    adapter = add("one", (60, 40))
    assert "did you mean one" in suture("adapter", "show", "onee").err
    (registry.entry(adapter) / WEIGHTS).write_text("changed")
    for command in (("show", "one"), ("use", "one")):
        run = suture("adapter", *command)
        assert run.code == 2
        assert f"{WEIGHTS} has the digest" in run.err
    (registry.entry(adapter) / "record.json").write_text("{")
    listed = suture("adapter", "list", "--json")
    assert (listed.code, listed.summary["damaged"]) == (1, 1)
    assert suture("adapter", "drop", adapter.short).code == 0


def test_one_that_the_configuration_names_is_not_dropped(suture: Program, add, configuration: Path):
    add("one")
    add("two")
    configuration.write_text('[policy]\nadapters = "one"\n')
    assert "policy.adapters names one" in suture("adapter", "drop", "one").err
    assert suture("adapter", "drop", "two").code == 0


def test_a_workspace_cannot_choose_the_adapter(suture: Program, shop: Path, script: Callable[..., str]):
    (shop / "suture.toml").write_text('[policy]\nadapters = "one"\n')
    run = suture("fix", shop, "--policy", script(RIGHT))
    assert run.code == 2
    assert "only the user's own configuration may set it" in run.err


def test_fix_repairs_with_the_matched_adapter_and_records_it(suture: Program, shop, script, add, here, environ):
    matched = add("mine", (60, 40), **here)
    policy = script(RIGHT)
    assert suture("adapter", "use", "mine").code == 0
    held = suture("adapter", "show", "mine", "--against", shop, "--policy", policy, "--json")
    assert (held.code, held.summary["matched"]) == (0, True), held.out
    run = suture("fix", shop, "--policy", policy)
    assert run.code == 0
    assert f"repairing with the adapter {matched.label}" in run.err
    with sqlite3.connect(Path(environ["HOME"], ".local/share/suture/journal.sqlite3")) as journal:
        assert journal.execute("SELECT outcome, adapter FROM episodes").fetchall() == [("fixed", matched.digest)]


@pytest.mark.parametrize("judge", ["policy", "other"])
def test_one_that_was_trained_under_a_judge_matches_where_that_judge_is(suture: Program, shop, script, add, here, environ, judge):
    policy = script({"match": "ACCEPT", "text": "ACCEPT it is right", "repeat": 0}, RIGHT)
    judged = {"SUTURE_HARNESS__JUDGE": policy if judge == "other" else "policy"}
    assert suture("fix", shop, "--policy", policy, **judged).code == 0
    with sqlite3.connect(Path(environ["HOME"], ".local/share/suture/journal.sqlite3")) as journal:
        query = "SELECT b.hash, b.data, b.size FROM identities i JOIN blobs b ON b.hash = i.fields WHERE i.kind = 'harness'"
        ((name, data, size),) = journal.execute(query).fetchall()
    harness = unpack(name, data, size, dict)
    assert harness["judge"].startswith("script ")
    mine = add("mine", (60, 40), environment=here["environment"], harness=harness)
    assert suture("adapter", "use", "mine").code == 0
    for variables, matched in ((judged, True), ({}, False)):
        held = suture("adapter", "show", "mine", "--against", shop, "--policy", policy, "--json", **variables)
        assert held.summary["matched"] is matched, held.out
        assert suture("fix", shop, "--json", "--policy", policy, **variables).summary["adapter"] == (mine.digest if matched else "")


def test_the_fields_that_differ_are_shown_and_a_required_match_refuses(suture: Program, shop, script, add, here):
    other = add("other", (60, 40), environment=here["environment"], harness={**here["harness"], "thinking": True})
    assert suture("adapter", "use", "other").code == 0
    policy = script(RIGHT)
    held = suture("adapter", "show", "other", "--against", shop, "--policy", policy, "--json")
    assert held.code == 1
    (line,) = held.events("difference")
    assert (line["field"], line["adapter"], line["workspace"]) == ("harness.thinking", "true", "false")
    strict = suture("fix", shop, "--policy", policy, SUTURE_POLICY__REQUIRE_MATCHED_ADAPTER="true")
    assert strict.code == 3
    assert f"{other.label} differs in harness.thinking" in " ".join((strict.out + strict.err).split())
    named = suture("fix", shop, "--json", "--policy", policy, SUTURE_POLICY__ADAPTERS="other")
    assert (named.code, named.summary["adapter"]) == (0, other.digest)
