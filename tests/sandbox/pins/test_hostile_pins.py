"""Manifests that are hostile, damaged or no files: every one of them ends soon, in findings or a note, never in an error."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_sandbox.pins import MOST_FINDINGS, find_floating

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)
ENTITIES = '<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><project><version>&b;</version></project>'

HOSTILE = {
    "billion laughs": {"environment.yml": LAUGHS + "dependencies: *j\n"},
    "objects in YAML": {".pre-commit-config.yaml": "repos: !!python/object/apply:os.system ['touch /tmp/suture-was-here']\n"},
    "deep YAML": {"compose.yaml": "[" * 20_000},
    "many keys": {"compose.yaml": "services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(9_000))},
    "XML entities": {"pom.xml": ENTITIES},
    "deep XML": {"pom.xml": "<a>" * 20_000},
    "deep JSON": {"package.json": "[" * 200_000},
    "JSON of another shape": {"package.json": '{"dependencies": [1], "devDependencies": {"a": {"b": 1}}}', "package-lock.json": "[1]"},
    "TOML of another shape": {"Cargo.toml": 'dependencies = "x"\n[package]\nname = 3\n', "Cargo.lock": 'package = ["a", 1]\n'},
    "pyproject of another shape": {
        "pyproject.toml": "dependency-groups = 1\n[project]\nname = 1\ndependencies = [1, {}]\n[tool]\npoetry = []\n"
    },
    "deep Python": {"setup.py": "setup(install_requires=" + "(" * 100_000},
    "long lines": {"build.gradle": '"a:' * 300_000, "requirements.txt": "a" * 900_000, "Dockerfile": "FROM ${" * 140_000},
    "endless continuation": {"Dockerfile": "RUN apt-get install \\\n" * 40_000, "x.sh": "apt-get install " + "x " * 400_000},
    "nulls": {"requirements.txt": "a\0b\n", "go.mod": "require \0 v1\n", "Pipfile": "\0"},
    "stars in a version": {"Cargo.toml": f'[dependencies]\na = "{"*" * 100_000}"\n'},
    "numbers": {"requirements.txt": f"a=={'1' * 100_000}\nb=={'1.' * 100_000}1\nc>={'1!' * 5_000}\n"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_manifests_take_no_time(pins_of, name):
    began = time.process_time()
    pins = pins_of(HOSTILE[name])
    assert time.process_time() - began < 5
    assert len(pins.floating) <= 2 * MOST_FINDINGS
    assert all(len(item.what) < 200 and "\n" not in item.what for item in pins.floating)
    assert not Path("/tmp/suture-was-here").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("package.json", "{", "not valid JSON"),
        ("Cargo.toml", "= 1", "not valid TOML"),
        ("pom.xml", ENTITIES, "document type"),
        ("pom.xml", "<a", "not looked at"),
        ("compose.yaml", "a: [", "not looked at"),
        ("environment.yml", "a" * (1 << 19), "larger than"),
        ("setup.cfg", "= x", "setup.cfg"),
    ],
)
def test_damaged_manifests_are_noted(pins_of, name, text, said):
    (note,) = pins_of({name: text}).notes
    assert name in note
    assert said in note


def test_pipes_links_and_loops(tmp_path):
    os.mkfifo(tmp_path / "requirements.txt")
    (tmp_path / "package.json").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "Dockerfile").mkdir()
    pins = find_floating(tmp_path)
    assert pins.floating == ()
    assert [note for note in pins.notes if "plain file" in note]


NAMES = [
    "requirements.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "environment.yml",
    "Dockerfile",
    "compose.yaml",
    "a.sh",
    "package.json",
]
NAMES += [
    "package-lock.json",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "go.sum",
    "pom.xml",
    "build.gradle",
    "a.versions.toml",
    ".github/workflows/a.yml",
]
NAMES += [".pre-commit-config.yaml", "uv.lock", "rust-toolchain"]
WORDS = [
    "[",
    "]",
    "{",
    "}",
    "=",
    '"',
    "'",
    "\n",
    ":",
    "- ",
    "a",
    "1.2",
    "*",
    ">=",
    "dependencies",
    "[project]",
    "<project>",
    "<version>",
    "require (",
    "FROM ",
    "\\\n",
    "${",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=40).map("".join)))
def test_any_text_ends_in_findings_or_notes(tmp_path, name, text):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", "replace")
    try:
        find_floating(tmp_path)
    finally:
        path.unlink()
