"""One environment and one harness, or a refusal that names the fields."""

from __future__ import annotations

import pytest

from suture_training.data.identity import Gate, MixedIdentities
from suture_training.errors import TrainingError

FIELDS = {
    ("environment", "e1"): {"os": {"id": "debian"}, "dependencies": {"pytest": {"version": "8"}, "attrs": {"version": "1"}}},
    ("environment", "e2"): {"os": {"id": "debian"}, "dependencies": {"pytest": {"version": "9"}, "attrs": {"version": "1"}}},
    ("harness", "h1"): {"budgets": {"steps": 50}, "thinking": False},
    ("harness", "h2"): {"budgets": {"steps": 30}, "thinking": True},
}


def test_the_first_row_says_what_the_dataset_is():
    gate = Gate(FIELDS)
    gate.admit("e1", "h1")
    gate.admit("e1", "h1")
    assert (gate.identity.environment, gate.identity.harness, gate.identity.admitted) == ("e1", "h1", ())
    assert gate.identity.fields["harness"]["budgets"] == {"steps": 50}


def test_a_refusal_names_the_fields_and_what_to_say():
    gate = Gate(FIELDS)
    gate.admit("e1", "h1")
    with pytest.raises(MixedIdentities) as caught:
        gate.admit("e2", "h1")
    assert [each.field for each in caught.value.differences] == ["dependencies.pytest.version"] or [
        each.field for each in caught.value.differences
    ] == ["environment.dependencies.pytest.version"]
    assert 'version: "8" / "9"' in str(caught.value)
    assert "--environment e1" in caught.value.remedy
    assert "--allow-mismatch environment.dependencies" in caught.value.remedy
    assert isinstance(caught.value, TrainingError)


@pytest.mark.parametrize("allowed", ["dependencies", "dependencies.pytest.version", "environment.dependencies.pytest", "environment"])
def test_an_allowed_mismatch_is_written_down(allowed):
    gate = Gate(FIELDS, allowed=[allowed])
    for environment in ("e1", "e2", "e2"):
        gate.admit(environment, "h1")
    (admitted,) = gate.identity.admitted
    assert (admitted.field, admitted.ours, admitted.theirs) == ("environment.dependencies.pytest.version", '"8"', '"9"')
    assert (admitted.identity, admitted.rows) == ("e2", 2)


@pytest.mark.parametrize("allowed", ["dependencies.attrs", "dependencies.py", "os", "harness"])
def test_another_allowed_field_does_not_help(allowed):
    gate = Gate(FIELDS, allowed=[allowed])
    gate.admit("e1", "h1")
    with pytest.raises(MixedIdentities):
        gate.admit("e2", "h1")


def test_all_fields_that_differ_must_be_allowed():
    gate = Gate(FIELDS, allowed=["budgets"])
    gate.admit("e1", "h1")
    with pytest.raises(MixedIdentities, match=r"harness\.thinking: false / true"):
        gate.admit("e1", "h2")


def test_identities_whose_fields_are_not_known_cannot_be_compared():
    gate = Gate({})
    gate.admit("e1", "h1")
    with pytest.raises(MixedIdentities, match="environment"):
        gate.admit("e2", "h1")
    gate = Gate({}, allowed=["environment"])
    gate.admit("e1", "h1")
    gate.admit("e2", "h1")
    assert gate.identity.admitted[0].theirs == '"e2"'


def test_a_mismatch_that_no_row_has_is_not_told():
    gate = Gate(FIELDS, allowed=["budgets", "thinking"], own={"environment": "e1", "harness": "h1"})
    gate.compare("harness", "h2")
    gate.admit("e1", "h1")
    assert gate.identity.admitted == ()


def test_without_a_row_there_is_no_identity():
    with pytest.raises(TrainingError):
        _ = Gate(FIELDS, own={"environment": "e1", "harness": "h1"}).identity
