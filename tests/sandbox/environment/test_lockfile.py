"""suture.lock: readable, stable, written whole, and refused clearly when it is not what we wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.checks import Check
from suture_sandbox.environment import Dependency, Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import LockError, SandboxFloorError
from suture_sandbox.identity import identity_of
from suture_sandbox.lockfile import NAME, parse, read_lock, render, write_lock

FIELDS = EnvironmentFields(
    os={"version": "12", "id": "debian"},
    platform={"machine": "x86_64", "features": ("avx2", "fma")},
    toolchain={"version": "3.11.7"},
    dependencies={"zeta": Dependency(version="1", content="aa"), "pytest": Dependency(version="8.1", content="bb")},
    variables={"TZ": "UTC"},
    isolation={"backend": "local", "limit_seconds": 300},
    checks={
        "types": Check(name="types", kind="types", command=("mypy", "."), report="mypy"),
        "build": Check(name="build", kind="build", command=("python", "-m", "compileall"), report="traceback"),
    },
    policy_updates={"pip": "off"},
    filters={"initial_build_seconds_below": 100},
)
ENVIRONMENT = Environment(fields=FIELDS, runtime=Runtime(python="/p/bin/python", search_path=(), readonly=("/p",)), limits=Limits())


@pytest.fixture
def locked(tmp_path):
    write_lock(tmp_path, ENVIRONMENT)
    return tmp_path


def _change(root, old, new):
    path = root / NAME
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


def test_it_reads_back_what_it_wrote(locked):
    fields = read_lock(locked)
    assert fields == FIELDS
    assert identity_of(fields) == ENVIRONMENT.identity
    assert list(fields.checks) == ["types", "build"], "checks keep the order in which they run"


def test_it_is_readable_sorted_and_free_of_places(locked):
    lines = (locked / NAME).read_text().splitlines()
    assert f'identity = "{ENVIRONMENT.identity}"' in lines[:6]
    assert "version = 1" in lines[:6]
    assert lines.index("[dependencies.pytest]") < lines.index("[dependencies.zeta]")
    assert lines[lines.index("[dependencies.pytest]") + 1 :][:2] == ['content = "bb"', 'version = "8.1"']
    assert "/p" not in (locked / NAME).read_text()


def test_the_same_fields_give_the_same_text_whatever_their_order():
    shuffled = EnvironmentFields(
        **{name: dict(reversed(value.items())) if isinstance(value, dict) and name != "checks" else value for name, value in _items(FIELDS)}
    )
    assert render(shuffled) == render(FIELDS)


def _items(fields):
    return [(name, getattr(fields, name)) for name in fields.__struct_fields__]


def test_one_changed_version_is_a_diff_of_two_lines():
    newer = EnvironmentFields(
        **{**dict(_items(FIELDS)), "dependencies": {**FIELDS.dependencies, "pytest": Dependency(version="8.2", content="bb")}}
    )
    before, after = render(FIELDS).splitlines(), render(newer).splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new][1:] == [('version = "8.1"', 'version = "8.2"')]


def test_writing_again_keeps_the_mode_and_leaves_nothing_else(locked):
    (locked / NAME).chmod(0o640)
    write_lock(locked, ENVIRONMENT)
    assert (locked / NAME).stat().st_mode & 0o777 == 0o640
    assert [path.name for path in locked.iterdir()] == [NAME]


def test_a_link_is_not_written_through(tmp_path):
    target = tmp_path / "precious"
    target.write_text("keep")
    (tmp_path / NAME).symlink_to(target)
    with pytest.raises(LockError, match="symbolic link"):
        write_lock(tmp_path, ENVIRONMENT)
    assert target.read_text() == "keep"


def test_a_full_disk_keeps_the_old_lock_and_leaves_nothing(locked):
    before = (locked / NAME).read_text()
    code = f"""
        import resource, signal
        from pathlib import Path
        from suture_sandbox.environment import *
        from suture_sandbox.errors import ConfigurationError
        from suture_sandbox.lockfile import write_lock
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        runtime = Runtime(python="p", search_path=(), readonly=())
        try:
            write_lock(Path({str(locked)!r}), Environment(fields=EnvironmentFields(), runtime=runtime))
        except ConfigurationError as error:
            print(error, "|", error.remedy)
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True).stdout
    assert "cannot write" in said
    assert "free space" in said
    assert (locked / NAME).read_text() == before
    assert [path.name for path in locked.iterdir()] == [NAME]


def test_a_workspace_that_cannot_be_written(tmp_path):
    with pytest.raises(SandboxFloorError, match="cannot write") as caught:
        write_lock(tmp_path / "nowhere", ENVIRONMENT)
    assert caught.value.remedy


def test_no_lock_says_how_to_make_one(tmp_path):
    with pytest.raises(LockError, match="does not exist") as caught:
        read_lock(tmp_path)
    assert "suture env lock" in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('version = "8.1"', 'version = "8.2"', r"suture.lock:\d+: the fields give the identity .* edited by hand"),
        ('version = "8.1"', "version = 8", r"suture.lock:\d+: dependencies.*: Expected `str`, got `int`"),
        ('content = "bb"\n', "", r"suture.lock:\d+: dependencies.*required field `content`"),
        ('content = "bb"', 'content = "bb"\ncolour = "red"', r"suture.lock:\d+: dependencies.pytest.colour is not a field"),
        ('TZ = "UTC"', 'TZ = "UTC', r"suture.lock:\d+: not valid TOML"),
        ('TZ = "UTC"', '<<<<<<< HEAD\nTZ = "UTC"', r"suture.lock:\d+: there is an unresolved merge conflict"),
        ("version = 1\n", "version = 2\n", r"suture.lock:\d+: lock format 2; this suture reads 1"),
        ("version = 1\n", "", r"suture.lock:\d+: lock format None"),
        ("[policy_updates]", "[policy_updatez]", r"suture.lock:\d+: policy_updatez.* is not a field"),
        ("identity", "identitee", r"suture.lock:\d+: identitee is not a field"),
        ("limit_seconds = 300", "limit_seconds = 300.5", r"suture.lock:\d+: isolation.*: Expected `int \| str`, got `float`"),
        ('kind = "types"', 'kind = "typos"', r"suture.lock:\d+: checks.*Invalid enum value 'typos'"),
    ],
)
def test_a_file_that_was_edited_is_refused_with_the_place(locked, old, new, said):
    _change(locked, old, new)
    with pytest.raises(LockError, match=said) as caught:
        read_lock(locked)
    assert caught.value.remedy


def test_the_line_is_the_right_one(locked):
    _change(locked, 'TZ = "UTC"', "TZ = 3")
    lines = (locked / NAME).read_text().splitlines()
    with pytest.raises(LockError) as caught:
        read_lock(locked)
    named = int(str(caught.value).split(f"{NAME}:")[1].split(":")[0])
    assert lines[named - 1] in ("[variables]", "TZ = 3")


def test_a_newer_format_asks_for_a_newer_suture(locked):
    _change(locked, "version = 1\n", "version = 9\n")
    with pytest.raises(LockError) as caught:
        read_lock(locked)
    assert caught.value.remedy == "upgrade suture"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00" * 50, b"version = 1", b"[", b"version = 1\nidentity = 3\n"])
def test_damaged_files_are_refused(locked, content):
    (locked / NAME).write_bytes(content)
    with pytest.raises(LockError) as caught:
        read_lock(locked)
    assert NAME in str(caught.value)


def test_a_cut_off_file_is_refused_wherever_it_is_cut(locked):
    text = (locked / NAME).read_text()
    for length in range(0, len(text) - 1, 37):
        with pytest.raises(LockError):
            parse(text[:length])


def test_a_folder_in_its_place(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(LockError, match="is not a plain file"):
        read_lock(tmp_path)


def test_an_empty_environment_reads_back():
    assert parse(render(EnvironmentFields())) == EnvironmentFields()


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    variables=st.dictionaries(_WORDS, _WORDS, max_size=4),
    isolation=st.dictionaries(_WORDS, _WORDS | st.integers(-(2**63), 2**63 - 1), max_size=4),
    versions=st.dictionaries(_WORDS, _WORDS, max_size=3),
)
def test_any_text_survives(variables, isolation, versions):
    dependencies = {name: Dependency(version=version, content="x") for name, version in versions.items()}
    fields = EnvironmentFields(variables=variables, isolation=isolation, dependencies=dependencies)
    assert parse(render(fields)) == fields


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=200))
def test_any_other_text_is_a_lock_error(text):
    with pytest.raises(LockError):
        parse(text)


def test_reading_needs_no_home_and_no_writable_workspace(locked):
    code = f"from pathlib import Path; from suture_sandbox.lockfile import read_lock; print(len(read_lock(Path({str(locked)!r})).checks))"
    locked.chmod(0o555)
    try:
        variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=variables).stdout
    finally:
        locked.chmod(0o755)
    assert said == "2\n"
