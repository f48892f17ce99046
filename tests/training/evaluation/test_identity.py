"""Which fields differ, to which factor they belong, and what is refused unless it was named."""

from __future__ import annotations

import msgspec
import pytest

from suture_training.evaluation.errors import MismatchError
from suture_training.evaluation.identity import covers, factor_of, factors_between, fields_that_differ, refuse_mismatch, unnamed


def manifests(evaluation_of, **changed):
    return evaluation_of("a", ["y"]).manifest, evaluation_of("b", ["y"], **changed).manifest


def test_equal_evaluations_differ_in_nothing(evaluation_of):
    assert fields_that_differ(*manifests(evaluation_of)) == ()


def test_every_kind_of_field_is_seen(evaluation_of):
    first, second = manifests(
        evaluation_of,
        policy={"adapter": "c"},
        harness={"judge": "on", "budgets": {"steps": 8, "tokens": 400, "retries": 3}},
        environment={"dependencies": {"pytest": {"version": "9"}}},
        selection={"split": "validation"},
    )
    found = {each.field: (each.before, each.after) for each in fields_that_differ(first, second)}
    assert found == {
        "environment.dependencies.pytest.version": ('"8.4"', '"9"'),
        "harness.budgets.steps": ("4", "8"),
        "harness.judge": ('"off"', '"on"'),
        "policy.adapter": ('""', '"c"'),
        "tasks.split": ('"test"', '"validation"'),
    }


def test_an_environments_field_is_told_once_for_all_workspaces(evaluation_of):
    first, second = manifests(evaluation_of, environment={"isolation": {"network": "open"}})
    many = [msgspec.structs.replace(each, workspaces=dict.fromkeys(["w" * 8, "v" * 8, "a.b"], "e1")) for each in (first, second)]
    assert [each.field for each in fields_that_differ(*many)].count("environment.isolation.network") == 1


def test_a_name_covers_what_lies_below_it_and_nothing_beside_it():
    assert covers("harness.budgets", "harness.budgets.steps")
    assert covers("harness.budgets", "harness.budgets")
    assert not covers("harness.budget", "harness.budgets.steps")
    assert not covers("harness.budgets.steps", "harness.budgets")


@pytest.mark.parametrize(
    ("field", "factor"),
    [
        ("harness.budgets.steps", "budget"),
        ("harness.budgets.retries", "retry"),
        ("harness.pipeline", "retry"),
        ("harness.tools.run_shell", "tools"),
        ("harness.prompts.line_system", "prompt"),
        ("policy.template", "template"),
        ("policy.adapter", "policy"),
        ("environment.dependencies.numpy.content", "pinning"),
        ("environment.filters.initial_build_seconds_below", "task filter"),
        ("tasks.set", "task filter"),
        ("harness.judge", "judge"),
        ("something.new", "something.new"),
    ],
)
def test_fields_belong_to_factors(field, factor):
    assert factor_of(field) == factor


def test_every_field_of_a_harness_and_of_an_environment_has_a_factor():
    from suture_agent.harness import Harness
    from suture_sandbox.environment import EnvironmentFields

    fields = [f"harness.{name}" for name in Harness.__struct_fields__]
    fields += [f"environment.{name}" for name in EnvironmentFields.__struct_fields__]
    assert [field for field in fields if factor_of(field) == field] == []


def test_factors_between_two_evaluations(evaluation_of):
    first, second = manifests(evaluation_of, harness={"budgets": {"steps": 2, "tokens": 200, "retries": 1}})
    found = factors_between(first, second)
    assert {factor: [each.field for each in fields] for factor, fields in found.items()} == {
        "budget": ["harness.budgets.steps", "harness.budgets.tokens"],
        "retry": ["harness.budgets.retries"],
    }


def test_what_was_not_named_is_refused_by_name_and_the_remedy_can_be_typed(evaluation_of):
    first, second = manifests(evaluation_of, policy={"adapter": "c"}, harness={"judge": "on", "thinking": True})
    assert [each.field for each in unnamed(first, second, ["policy"])] == ["harness.judge", "harness.thinking"]
    refuse_mismatch(first, second, ["policy", "harness"], ("a", "b"))
    with pytest.raises(MismatchError, match=r"a and b differ .*harness\.judge: \"off\" against \"on\"") as error:
        refuse_mismatch(first, second, ["policy"], ("a", "b"))
    assert error.value.remedy.endswith("--vary harness.judge --vary harness.thinking")
    assert len(error.value.differences) == 2


def test_long_values_and_long_lists_are_cut_in_the_message():
    from suture_sandbox.identity import Difference

    error = MismatchError("a", "b", [Difference(f"harness.x{at}", "v" * 500, None) for at in range(9)])
    assert "and 3 more" in str(error)
    assert "against nothing" in str(error)
    assert len(str(error)) < 900
