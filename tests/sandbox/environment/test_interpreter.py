"""Finding what stands behind a python, without starting what belongs to the workspace."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from suture_sandbox.capture.interpreter import folders, inspect, toolchain_fields
from suture_sandbox.errors import ConfigurationError

BASE = Path(os.path.realpath(sys.executable))


def test_a_virtual_environment_of_this_interpreter(tmp_path, make_venv, cache):
    site = make_venv(tmp_path / "work" / ".venv")
    found = inspect(site.parents[2] / "bin/python", root=tmp_path / "work", cache=cache)
    assert found.virtual
    assert found.base == BASE
    assert found.sites == (site,)
    assert found.facts.version == sys.version.split()[0].rstrip("+")
    assert found.facts.abi in str(sys.implementation.cache_tag) or sys.implementation.cache_tag in found.facts.abi
    assert str(tmp_path / "work" / ".venv") in found.readonly()


def test_what_is_bound_lets_the_interpreter_run_and_does_not_bind_home(tmp_path, make_venv, cache):
    site = make_venv(tmp_path / "work" / ".venv")
    bound = inspect(site.parents[2] / "bin/python", root=tmp_path / "work", cache=cache).readonly()
    assert any(BASE.is_relative_to(folder) for folder in (*bound, "/usr"))
    assert str(Path.home()) not in bound
    assert "/" not in bound


def test_the_environments_own_python_is_never_started(tmp_path, make_venv, cache):
    site = make_venv(tmp_path / ".venv")
    mark = tmp_path / "ran"
    (site / "sitecustomize.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (site / "evil.pth").write_text(f"import os; open({str(mark)!r}, 'w')\n")
    inspect(tmp_path / ".venv/bin/python", root=tmp_path, cache=cache)
    assert not mark.exists()
    subprocess.run([tmp_path / ".venv/bin/python", "-c", ""], check=True)
    assert mark.exists(), "the trap would have worked"


def test_a_program_of_the_workspace_is_refused_and_not_started(tmp_path, cache):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python3"
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    python.chmod(0o755)
    with pytest.raises(ConfigurationError, match="lies inside the workspace") as caught:
        inspect(python, root=tmp_path, cache=cache)
    assert "outside the workspace" in caught.value.remedy
    assert not (tmp_path / "ran").exists()


def test_copies_are_traced_to_their_base(tmp_path, cache):
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path / ".venv"], check=True)
    found = inspect(tmp_path / ".venv/bin/python", root=tmp_path, cache=cache)
    assert found.base == BASE
    assert found.virtual


def test_a_pyvenv_cfg_cannot_name_another_program(tmp_path, cache):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    shutil.copy("/bin/true", python)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /bin\nexecutable = /bin/ls\n")
    with contextlib.suppress(ConfigurationError):
        assert inspect(python, root=tmp_path, cache=cache).base.name.startswith("python")
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"home = {tmp_path}\nexecutable = /bin/ls\n")
    with pytest.raises(ConfigurationError) as caught:
        inspect(python, root=tmp_path, cache=cache)
    assert caught.value.remedy


@pytest.mark.parametrize("how", ["missing", "broken", "folder", "plain", "looping"])
def test_what_is_no_interpreter_gets_a_clear_error(tmp_path, cache, how):
    python = tmp_path / "python"
    if how == "broken":
        python.symlink_to(tmp_path / "gone" / "python3.11")
    elif how == "folder":
        python.mkdir()
    elif how == "plain":
        python.write_text("")
    elif how == "looping":
        python.symlink_to(python)
    with pytest.raises(ConfigurationError) as caught:
        inspect(python, root=tmp_path / "work", cache=cache)
    assert str(python) in str(caught.value)
    assert caught.value.remedy
    if how == "broken":
        assert "the interpreter that it was made with is gone" in str(caught.value)
        assert "venv --clear" in caught.value.remedy


@pytest.mark.parametrize("script", ["echo hello", "exit 3", "echo '{}'", "kill -9 $$"])
def test_a_program_that_is_no_python_gets_a_clear_error(tmp_path, cache, script):
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(ConfigurationError) as caught:
        inspect(python, root=tmp_path / "work", cache=cache)
    assert str(python) in str(caught.value)


def test_the_toolchain_is_the_same_at_another_path_and_follows_the_standard_library(tmp_path, cache):
    """A copy of this interpreter's installation, as small as it can be."""
    here = inspect(BASE, root=tmp_path / "work", cache=cache)
    (stdlib,) = here.facts.stdlib
    copy = tmp_path / "another place"
    lib = copy / Path(stdlib).relative_to(here.facts.prefix)
    ignore = shutil.ignore_patterns("site-packages", "dist-packages", "test", "tests", "__pycache__", "config-*", "idlelib", "turtledemo")
    shutil.copytree(stdlib, lib, ignore=ignore, symlinks=True)
    if (Path(stdlib) / "idlelib").is_dir():  # Debian has it in a package of its own
        shutil.copytree(Path(stdlib) / "idlelib", lib / "idlelib", ignore=ignore)
    (copy / "bin").mkdir()
    shutil.copy(BASE, copy / "bin" / BASE.name)
    for library in (Path(here.facts.prefix) / "lib").glob("libpython*.so*"):
        shutil.copy(library, copy / "lib" / library.name, follow_symlinks=False)
    there = inspect(copy / "bin" / BASE.name, root=tmp_path / "work", cache=cache)
    assert there.facts.prefix == str(copy), "the copy found its own standard library"
    before = toolchain_fields(here, cache)
    assert toolchain_fields(there, cache) == before
    assert not any(str(copy) in value or here.facts.prefix in value for value in before.values())
    (lib / "_sysconfigdata__linux_x.py").write_text("prefix = '/here'\n")
    assert toolchain_fields(there, cache) == before
    (lib / "this.py").write_text("s = ''\n")
    assert toolchain_fields(there, cache)["content"] != before["content"]


def test_folders_drops_what_is_there_anyway(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    given = [tmp_path / "a" / "b", tmp_path / "a", Path("/usr/lib"), Path("/lib"), tmp_path / "none", Path("/"), Path.home()]
    assert folders(given) == (str(tmp_path / "a"),)


def test_links_on_the_way_to_the_binary_are_bound_too(tmp_path, make_venv, cache):
    """uv keeps `cpython-3.11` as a link to `cpython-3.11.7`, and environments are made through the link."""
    prefix = BASE.parent.parent
    if str(prefix).startswith("/usr"):
        prefix = Path(sys.base_prefix)
    link = tmp_path / "managed" / "cpython-3"
    link.parent.mkdir()
    link.symlink_to(prefix)
    site = make_venv(tmp_path / "work" / ".venv", base=link / "bin" / BASE.name)
    bound = inspect(site.parents[2] / "bin/python", root=tmp_path / "work", cache=cache).readonly()
    assert str(link) in bound


def test_a_copied_python_that_is_not_its_base_counts(tmp_path, cache):
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", tmp_path / ".venv"], check=True)
    python = tmp_path / ".venv" / "bin" / "python"
    honest = toolchain_fields(inspect(python, root=tmp_path, cache=cache), cache)
    assert honest == toolchain_fields(inspect(BASE, root=tmp_path, cache=cache), cache)
    with python.open("ab") as file:
        file.write(b"more")
    assert toolchain_fields(inspect(python, root=tmp_path, cache=cache), cache)["content"] != honest["content"]
