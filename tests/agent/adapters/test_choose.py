"""Who serves a workspace: the matched one, none, the named one, or a refusal that names the fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.adapters import Adapter, Base, Data, Identified
from suture_agent.adapters.choose import choose, fit, rivals
from suture_agent.errors import PolicyUnavailable
from suture_agent.policies import PolicyIdentity

WHO = PolicyIdentity(name="qwen", base="b" * 64)
BASE = Base(name="qwen", digest="b" * 64)
ENVIRONMENT = {"toolchain": {"python": "3.11"}, "dependencies": {"a": "1", "b": "1"}}
HARNESS = {"budgets": {"steps": 24}, "prompts": {"system": "p"}}


def adapter(name="one", *, base=BASE, environment=ENVIRONMENT, harness=HARNESS, varied=(), created=1.0):
    return Adapter(
        name=name,
        base=base,
        data=Data(digest="d"),
        environment=Identified.of(environment),
        harness=Identified.of(harness),
        varied=varied,
        digest=(name * 64)[:64],
        files={},
        created=created,
    )


def chosen(*used, wanted="matched", named=None, who=WHO, environment=ENVIRONMENT, harness=HARNESS, require=False):
    return choose(wanted, named, used, who, Identified.of(environment), Identified.of(harness), require=require)


def test_the_one_that_matches_in_every_field_serves():
    other = adapter("two", harness={**HARNESS, "thinking": True})
    found = chosen(other, adapter("one"))
    assert found.adapter is not None
    assert found.adapter.name == "one"
    assert "one" in found.note


def test_none_serves_where_a_field_differs_and_the_field_is_named():
    found = chosen(adapter(), environment={**ENVIRONMENT, "dependencies": {"a": "2", "b": "1"}}, harness={**HARNESS, "judge": "off"})
    assert found.adapter is None
    assert "environment.dependencies.a" in found.note
    assert "harness.judge" in found.note


def test_many_fields_are_counted():
    fields = {"dependencies": {str(number): "2" for number in range(20)}}
    assert "and 17 more" in chosen(adapter(), environment={**fields, "toolchain": {"python": "3.11"}}).note


def test_nothing_in_use_is_no_news():
    assert chosen().note == ""
    assert chosen(adapter(), wanted="off") == chosen()


def test_what_varied_in_training_is_not_compared_and_the_strictest_match_wins():
    loose = adapter("loose", varied=("environment.dependencies",), created=9.0)
    moved = {**ENVIRONMENT, "dependencies": {"a": "2"}}
    assert chosen(loose, adapter("one"), environment=moved).adapter == loose
    assert chosen(loose, adapter("one")).adapter == adapter("one")
    assert chosen(adapter("x", varied=("environment.dep",)), environment=moved).adapter is None


def test_the_base_model_must_be_right_whatever_is_named():
    wrong = adapter(base=Base(name="qwen", digest="c" * 64))
    assert "was trained on qwen" in chosen(wrong).note
    with pytest.raises(PolicyUnavailable, match="was trained on"):
        chosen(wanted="one", named=wrong)
    quantised = adapter(base=Base(name="other", digest="c" * 64, forms=("b" * 64,)))
    assert chosen(quantised).adapter == quantised


def test_a_server_that_does_not_tell_its_weights_is_known_by_name():
    unknown = PolicyIdentity(name="qwen")
    assert chosen(adapter(), who=unknown).adapter is not None
    assert chosen(adapter(), who=PolicyIdentity(name="qwen-2")).adapter is None


def test_no_adapter_on_top_of_another():
    assert chosen(adapter(), who=PolicyIdentity(name="qwen", base="b" * 64, adapter="served:x")).adapter is None


def test_a_named_one_serves_although_it_differs_and_says_so():
    named = adapter(harness={**HARNESS, "thinking": True})
    found = chosen(wanted="one", named=named)
    assert found.adapter == named
    assert "harness.thinking" in found.note


@pytest.mark.parametrize("named", [None, adapter(harness={**HARNESS, "thinking": True})])
def test_without_a_match_nothing_is_repaired_where_one_is_required(named):
    with pytest.raises(PolicyUnavailable) as caught:
        chosen(*(() if named is not None else (adapter(environment={}),)), wanted="one" if named else "matched", named=named, require=True)
    assert "differs in" in str(caught.value)
    assert "policy.require_matched_adapter" in str(caught.value)
    assert caught.value.remedy
    with pytest.raises(PolicyUnavailable, match="none is in use"):
        chosen(require=True)
    assert chosen(adapter(), require=True).adapter is not None


def test_rivals_are_those_that_would_serve_the_same_workspace():
    new = adapter("new")
    assert rivals(new, (adapter("one"), adapter("two", harness={}), adapter("six", base=Base(name="other")), new)) == (adapter("one"),)
    loose = adapter("loose", varied=("harness",))
    assert rivals(loose, (adapter("two", harness={}),)) == (adapter("two", harness={}),)


FIELDS = st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from("xy"), st.integers(0, 2), max_size=2), max_size=3)


@given(FIELDS, FIELDS, FIELDS, FIELDS)
def test_an_adapter_matches_exactly_where_both_identities_do(environment, harness, other_environment, other_harness):
    one = adapter(environment=environment, harness=harness)
    found = fit(one, WHO, Identified.of(other_environment), Identified.of(other_harness))
    assert found.matched == ((environment, harness) == (other_environment, other_harness))
    assert found.matched == (found.reason == "matches")
