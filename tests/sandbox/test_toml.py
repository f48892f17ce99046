"""TOML of a workspace: what `tomllib` takes minutes or too deep a stack for is refused at once."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.errors import ConfigurationError, LockError
from suture_sandbox.lockfile import parse as parse_lock
from suture_sandbox.lockformats.plan import read_toml
from suture_sandbox.toml import LONGEST_KEY, BadToml, parse

COSTLY = {
    "a key": (".".join("a" * 200_000) + " = 1", "a key of more than 32 parts"),
    "a quoted key": ("x = 1\n" + ".".join(["'a'"] * 200_000) + " = 1", "a key of more than 32 parts"),
    "arrays": ("a = " + "[" * 200_000, "nested too deeply"),
    "a number": ("a = " + "1" * 100_000, "a number of too many digits"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_costly_texts_are_refused_at_once_wherever_they_are_read(tmp_path, name):
    text, said = COSTLY[name]
    with pytest.raises(BadToml, match=said):
        parse(text)
    with pytest.raises(LockError, match=f"suture.lock: {said}"):
        parse_lock(text)
    (tmp_path / "uv.lock").write_text(text)
    with pytest.raises(ConfigurationError, match=f"uv.lock: {said}"):
        read_toml(tmp_path / "uv.lock")


def test_a_key_of_the_longest_kind_and_dots_elsewhere_are_taken():
    key = ".".join(["a"] * LONGEST_KEY)
    assert parse(f"{key} = 1\ntext = '{'.' * 100}' # {'a.' * 100}")["text"] == "." * 100
    with pytest.raises(BadToml):
        parse(f"{key}.a = 1")


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb = \n", 2), ("a = 1\na = 2", 2), ("a = '''\n\n", 1), ("[a\n", 1)])
def test_the_line_is_told(text, line):
    with pytest.raises(BadToml) as caught:
        parse(text)
    assert caught.value.line == line
    assert caught.value.within("x.toml").startswith(f"x.toml:{line}: not valid TOML: ")


@given(st.text(alphabet="ab=.'\"[]{}#1\n ", max_size=40))
def test_any_text_gives_what_tomllib_gives(text):
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(BadToml):
            parse(text)
    else:
        assert parse(text) == expected
