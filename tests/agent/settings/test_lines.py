"""Lines of keys: every way of writing a key in TOML, and texts that are no TOML at all."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_agent.settings.lines import key_lines
from suture_sandbox.toml import longest_key


def lines_of(text: str) -> dict[str, int]:
    tomllib.loads(text)  # the text of a test must be TOML
    return {"/".join(path): line for path, line in key_lines(text).items()}


WRITTEN = {
    "a = 1": {"a": 1},
    "\n\na = 1\n": {"a": 3},
    "a.b.c = 1": {"a/b/c": 1},
    "a . b = 1": {"a/b": 1},
    "[a]\nb = 1": {"a": 1, "a/b": 2},
    "[a.b]\nc = 1\n[a]\nd = 2": {"a/b": 1, "a/b/c": 2, "a": 3, "a/d": 4},
    "[ a . b ]\nc = 1": {"a/b": 1, "a/b/c": 2},
    "[a] # ] = x\nb = 1": {"a": 1, "a/b": 2},
    '"a" = 1': {"a": 1},
    "'a' = 1": {"a": 1},
    '"a.b" = 1': {"a.b": 1},
    '["a.b".c]\nd = 1': {"a.b/c": 1, "a.b/c/d": 2},
    '["a]"]\nb = 1': {"a]": 1, "a]/b": 2},
    '"a = 1" = 2\n"#" = 3': {"a = 1": 1, "#": 2},
    '"\\u0061" = 1': {"a": 1},
    "'\\u0061' = 1": {"\\u0061": 1},
    '"" = 1': {"": 1},
    "1.5 = 1": {"1/5": 1},
    "2020-01-01 = 1": {"2020-01-01": 1},
    "true = true": {"true": 1},
    "a = {b = 1, c = 2}": {"a": 1, "a/b": 1, "a/c": 1},
    "[t]\na = {b.c = 1, d = {e = 2}}\nf = 3": {"t": 1, "t/a": 2, "t/a/b/c": 2, "t/a/d": 2, "t/a/d/e": 2, "t/f": 3},
    "a = {}\nb = 1": {"a": 1, "b": 2},
    "a = [1, 2]\nb = 1": {"a": 1, "b": 2},
    "a = [\n  1,\n  2,\n]\nb = 1": {"a": 1, "b": 5},
    "a = [\n  'x = 1',\n  [\n  ],\n] # ]\nb = 1": {"a": 1, "b": 6},
    "a = [\n # x = 1\n]\nb = 1": {"a": 1, "b": 4},
    "a = [ {b = 1},\n {b = 2, c = [3]} ]\nd = 1": {"a": 1, "a/b": 1, "a/c": 2, "d": 3},
    "a = [\n [1],\n {b = 1}\n]\nc = 1": {"a": 1, "a/b": 3, "c": 5},
    "a = [1, [2], {b = [3, {c = 1}], d = 1}]": {"a": 1, "a/b": 1, "a/b/c": 1, "a/d": 1},
    'a = """\nb = 1\n"""\nc = 1': {"a": 1, "c": 4},
    "a = '''\nb = 1\n'''\nc = 1": {"a": 1, "c": 4},
    'a = """x\\"""\nb = 1"""\nc = 1': {"a": 1, "c": 3},
    'a = """"quoted""""\nc = 1': {"a": 1, "c": 2},
    'a = """""quoted"""""\nc = 1': {"a": 1, "c": 2},
    "a = '''''quoted'''''\nc = 1": {"a": 1, "c": 2},
    'a = """"""\nb = 1': {"a": 1, "b": 2},
    "a = ''\nb = \"\"\nc = 1": {"a": 1, "b": 2, "c": 3},
    "a = \"'''\"\nb = 1": {"a": 1, "b": 2},
    'a = \'"""\'\nb = 1': {"a": 1, "b": 2},
    "# \"\"\"\na = 1 # '''\nb = 1": {"a": 2, "b": 3},
    'a = "\\"" # "\nb = 1': {"a": 1, "b": 2},
    "a = '\\'\nb = 1": {"a": 1, "b": 2},
    "[[a]]\nb = 1\n[[a]]\nb = 2": {"a": 1, "a/b": 2},
    "[[a.b]]\n[a.b.c]\nd = 1": {"a/b": 1, "a/b/c": 2, "a/b/c/d": 3},
    "a = 1\r\nb = 2\r\n[c]\r\nd = 3\r\n": {"a": 1, "b": 2, "c": 3, "c/d": 4},
    "# \u2028 \x85\na = '\u2029'\nb = 1": {"a": 2, "b": 3},
    "a = 1979-05-27T07:32:00Z\nb = -1.5e+3\nc = 0xff\nd = inf": {"a": 1, "b": 2, "c": 3, "d": 4},
    "a = 1979-05-27 07:32:00.5\nb = 1": {"a": 1, "b": 2},
    "\t[a]\n\tb\t=\t1": {"a": 1, "a/b": 2},
    "": {},
    "# nothing": {},
}


@pytest.mark.parametrize("text", WRITTEN)
def test_every_way_of_writing_a_key(text):
    assert lines_of(text) == WRITTEN[text]


@pytest.mark.parametrize("parts", [1, 2, 31, 1000])
@pytest.mark.parametrize("shape", ["{} = 1", "[{}]", "[[{}]]", "a = {{{} = 1}}", 'x = "q"\n{} = 2'])
def test_the_longest_key(parts, shape):
    assert longest_key(shape.format(".".join(["k"] * parts))) == parts


@pytest.mark.parametrize("text", ["a = 'b.c.d.e'", 'a = "b.c.d.e"', "# b.c.d.e", 'a = """b.c.d.e\nf.g.h"""', "a = [1, 2, 3]"])
def test_what_looks_like_a_long_key_in_a_string_or_comment_is_none(text):
    assert longest_key(text) <= 1


def test_quoted_parts_count():
    assert longest_key("'a'.\"b\" . c = 1") == 3


NAMES = st.sampled_from(["a", "b", "key", "x-1", "a.b", "'", '"', "#", "[", "=", "\u00e9", " ", ""])
SCALARS = st.sampled_from(
    ["1", "-1.5", "true", "'#'", '"]\\""', "'''\nq = 1\n'''", '"""\n[r]\n\\""""', "[\n1,\n[2]] # [", "[]", "2020-01-01"]
)


def quoted(name: str) -> str:
    if name.replace("-", "").isascii() and name.replace("-", "").isalnum():
        return name
    return f"'{name}'" if "'" not in name else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str, ...], int]]:
    """A TOML text, and the line on which each of its keys stands."""
    text, expected, seen = "", {}, set()
    tables = [(), *draw(st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=4, unique=True))]
    for table in tables:
        if any(table[: len(other)] == other or other[: len(table)] == table for other in seen if other and table):
            continue  # a table inside another could define it twice
        seen.add(table)
        if table:
            expected[table] = text.count("\n") + 1
            text += f"[{'.'.join(map(quoted, table))}] # [no]\n"
        for name in draw(st.lists(NAMES, max_size=4, unique=True)):
            path = (*table, name)
            if any(other[: len(path)] == path for other in map(tuple, tables)) or (not table and any(t and t[0] == name for t in tables)):
                continue
            text += draw(st.sampled_from(["", "\n", "# c = 1\n", "  "]))
            expected[path] = text.count("\n") + 1
            text += f"{quoted(name)} = {draw(SCALARS)}\n"
    return text, expected


@settings(max_examples=200, deadline=None)
@given(documents())
def test_keys_of_any_document_are_found_on_their_lines(drawn):
    text, expected = drawn
    tomllib.loads(text)
    assert key_lines(text) == expected


def paths_of(tree: dict[str, Any], prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = set()
    for key, value in tree.items():
        found.add((*prefix, key))
        if isinstance(value, dict):
            found |= paths_of(value, (*prefix, key))
    return found


PIECES = st.sampled_from(
    [
        "a",
        "b.c",
        "'d'",
        '"e"',
        " = ",
        "1",
        "\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"""',
        "'''",
        "\\",
        '"',
        "'",
        "#",
        ".",
        " ",
        "[f]\n",
        "g = 2\n",
        "\r\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_scanned_and_no_key_of_a_valid_one_is_missed(text):
    found = key_lines(text)
    longest_key(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    missing = {path for path in paths_of(tree) if not any(known[: len(path)] == path for known in found)}
    assert not missing
