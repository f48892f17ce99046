"""Canonical JSON and the comparison of named fields; `environment/test_identity_hash.py` has what environments make of them."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.checks import Check
from suture_sandbox.identity import Difference, canonical, differences, identity_of

KEYS = st.text(st.sampled_from('ab."é\\'), max_size=3)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEYS, TREES, max_size=3)


@given(tree=TREES)
def test_canonical_json_is_what_any_writer_can_make(tree):
    assert canonical(tree) == json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert identity_of(tree) == hashlib.sha256(canonical(tree)).hexdigest()


@given(tree=TREES)
def test_canonical_json_reads_back_as_the_tree(tree):
    assert json.loads(canonical(tree)) == tree
    assert canonical(json.loads(canonical(tree))) == canonical(tree)


def test_keys_are_sorted_by_code_points_at_every_depth():
    assert canonical({"b": {"z": 1, "é": 2, "Z": 3}, "a": []}) == '{"a":[],"b":{"Z":3,"z":1,"é":2}}'.encode()


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        (1.0, r"\$"),
        ({"a": {"b": [1, 2.5]}}, r"\$\.a\.b\[1\]"),
        ({"a": math.nan}, r"\$\.a"),
        ({"a": (math.inf,)}, r"\$\.a\[0\]"),
        ({1.5: "a"}, r"\$"),
    ],
)
def test_a_float_is_refused_where_it_stands(tree, place):
    with pytest.raises(TypeError, match=f"^{place}: a float cannot be part of an identity$"):
        canonical(tree)
    with pytest.raises(TypeError):
        identity_of(tree)


def test_a_record_with_a_float_is_refused():
    class Sampling(msgspec.Struct):
        temperature: float

    with pytest.raises(TypeError, match=r"\$\.temperature"):
        canonical(Sampling(0.8))


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}, "b": object()}, lambda: None])
def test_what_has_no_json_form_is_refused(value):
    with pytest.raises(TypeError):
        canonical(value)


def test_records_tuples_and_bytes_have_one_form():
    check = Check(name="lint", kind="lint", command=("ruff", "check"), report="ruff")
    assert json.loads(canonical(check))["command"] == ["ruff", "check"]
    assert canonical((1, "a")) == canonical([1, "a"])
    assert canonical(b"\x00\xff") == b'"AP8="'


@given(one=MAPPINGS, two=MAPPINGS)
def test_a_difference_is_named_exactly_when_the_identities_differ(one, two):
    assert bool(differences(one, two)) == (canonical(one) != canonical(two))


@given(one=MAPPINGS, two=MAPPINGS)
def test_each_field_is_named_once_sorted_and_with_both_values(one, two):
    found = differences(one, two)
    names = [each.field for each in found]
    assert names == sorted(set(names))
    assert all(each.before != each.after for each in found)
    assert [(each.field, each.after, each.before) for each in differences(two, one)] == [
        (each.field, each.before, each.after) for each in found
    ]


@pytest.mark.parametrize(
    ("one", "two", "field"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b"),
        ({"checks": {"a.b": 1}}, {"checks": {"a.b": 2}}, 'checks."a.b"'),
        ({"a": {"": 1}}, {"a": {"": 2}}, 'a.""'),
        ({'q"': 1}, {'q"': 2}, '"q\\""'),
        (1, 2, ""),
    ],
)
def test_paths_are_dotted_and_names_with_dots_quoted(one, two, field):
    assert [each.field for each in differences(one, two)] == [field]


def test_a_dotted_name_is_not_a_path():
    assert [each.field for each in differences({"a.b": 1}, {"a": {"b": 1}})] == ['"a.b"', "a.b"]


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ({}, {}, ()),
        ({"a": {}}, {}, (Difference("a", "{}", None),)),
        ({"a": {}}, {"a": {"b": {"c": 1}}}, (Difference("a.b.c", None, "1"),)),
        ({"a": {"b": 1}}, {"a": [1]}, (Difference("a", None, "[1]"), Difference("a.b", "1", None))),
        ({"a": None}, {}, (Difference("a", "null", None),)),
        ({"a": 1}, {"a": "1"}, (Difference("a", "1", '"1"'),)),
        ({"a": [1, 2]}, {"a": [2, 1]}, (Difference("a", "[1,2]", "[2,1]"),)),
        ({"a": True}, {"a": 1}, (Difference("a", "true", "1"),)),
    ],
)
def test_known_differences(one, two, found):
    assert differences(one, two) == found


def test_the_order_of_keys_and_the_kind_of_mapping_say_nothing():
    class Fields(msgspec.Struct):
        b: int = 1
        a: dict[str, int] = msgspec.field(default_factory=lambda: {"y": 2, "x": 3})

    assert identity_of(Fields()) == identity_of({"a": {"x": 3, "y": 2}, "b": 1})
    assert differences(Fields(), {"a": {"x": 3, "y": 2}, "b": 1}) == ()


def test_a_path_has_no_place_in_an_identity():
    with pytest.raises(TypeError):
        canonical({"root": Path("/somewhere")})
