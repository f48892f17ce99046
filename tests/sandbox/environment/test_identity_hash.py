"""Canonical JSON and the comparison of two trees of fields."""

from __future__ import annotations

import hashlib
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.identity import Difference, canonical, differences, identity_of

_KEYS = st.text(st.characters(exclude_characters=".", exclude_categories=["Cs"]), min_size=1, max_size=6)
_LEAVES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.integers(-(2**40), 2**40) | st.booleans() | st.none()
_TREES = st.recursive(_LEAVES | st.lists(_LEAVES, max_size=3), lambda inner: st.dictionaries(_KEYS, inner, max_size=3), max_leaves=12)
_FIELDS = st.dictionaries(_KEYS, _TREES, max_size=4)


def _shuffled(tree):
    return {key: _shuffled(value) for key, value in reversed(tree.items())} if isinstance(tree, dict) else tree


def test_canonical_json_is_what_the_design_says():
    assert canonical({"b": 1, "a": {"z": "\u00e9", "y": [True, None]}}) == '{"a":{"y":[true,null],"z":"\u00e9"},"b":1}'.encode()
    assert identity_of({}) == hashlib.sha256(b"{}").hexdigest()


def test_an_identity_can_be_computed_without_this_program():
    tree = {"name": "caf\u00e9", "limits": {"seconds": 3, "list": ["b", "a"]}}
    by_hand = json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert identity_of(tree) == hashlib.sha256(by_hand).hexdigest()


@pytest.mark.parametrize("tree", [1.5, {"a": 0.0}, {"a": [{"b": float("inf")}]}, [[2.0]]])
def test_floats_are_refused_with_their_place(tree):
    with pytest.raises(TypeError, match=r"\$.*a float cannot be part of an identity"):
        canonical(tree)


def test_records_and_mappings_of_the_same_content_are_the_same():
    class Point(msgspec.Struct):
        x: int
        y: str

    assert identity_of(Point(1, "a")) == identity_of({"y": "a", "x": 1})
    assert differences(Point(1, "a"), Point(1, "b")) == (Difference("y", '"a"', '"b"'),)


@settings(max_examples=100, deadline=None)
@given(tree=_FIELDS)
def test_the_order_of_keys_says_nothing(tree):
    assert identity_of(_shuffled(tree)) == identity_of(tree)
    assert differences(_shuffled(tree), tree) == ()


@settings(max_examples=100, deadline=None)
@given(one=_FIELDS, two=_FIELDS)
def test_something_is_named_exactly_when_the_identities_differ(one, two):
    assert bool(differences(one, two)) == (identity_of(one) != identity_of(two))


@settings(max_examples=60, deadline=None)
@given(one=_FIELDS, two=_FIELDS)
def test_turned_round_it_names_the_same_fields(one, two):
    there, back = differences(one, two), differences(two, one)
    assert [(item.field, item.before, item.after) for item in there] == [(item.field, item.after, item.before) for item in back]
    assert [item.field for item in there] == sorted(item.field for item in there)


def test_a_list_is_compared_as_a_whole():
    assert differences({"c": ["a", "b"]}, {"c": ["a", "x"]}) == (Difference("c", '["a","b"]', '["a","x"]'),)
