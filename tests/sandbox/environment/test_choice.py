"""Which interpreter a lock file is built with, and what a hostile or odd workspace can do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from suture_sandbox.build import find_uv
from suture_sandbox.capture.interpreter import inspect
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.resolve import find_runtime

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def locked(root, make_wheel, own_uv_cache, monkeypatch, tmp_path):
    """A workspace whose uv.lock pins one package, with wheels beside it and no index."""
    make_wheel(tmp_path / "wheels", "alpha", "1.0", {"alpha.py": ""})
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    _project(root, "dependencies = ['alpha']\n")
    return root


def _project(root, more=""):
    (root / "pyproject.toml").write_text(f"[project]\nname = 'mine'\nversion = '1'\nrequires-python = '>=3.9'\n{more}")
    subprocess.run([find_uv(root), "lock", "-q", "--project", root, "--no-python-downloads"], check=True)


def _others() -> list[str]:
    """Interpreters of another minor version that this machine has: on PATH, from pyenv or from uv."""
    found = [path for minor in (10, 12, 13) if (path := shutil.which(f"python3.{minor}"))]
    for place in (".pyenv/versions", ".local/share/uv/python"):
        found += [str(path) for minor in (10, 12, 13) for path in sorted((Path.home() / place).glob(f"*/bin/python3.{minor}"))]
    return [path for path in found if subprocess.run([path, "-c", "import ssl, venv"], capture_output=True).returncode == 0]


async def test_without_a_wish_it_is_the_one_behind_suture(locked, cache):
    runtime = await find_runtime(locked, cache=cache)
    found = await asyncio.to_thread(inspect, Path(runtime.python), root=locked, cache=cache)
    assert found.facts.feature_version == HERE


async def test_the_workspaces_own_environment_says_which_interpreter(locked, cache, make_venv):
    others = _others()
    if not others:
        pytest.skip("this machine has one version of Python only")
    await asyncio.to_thread(subprocess.run, [others[0], "-m", "venv", "--without-pip", locked / ".venv"], check=True)
    runtime = await find_runtime(locked, cache=cache)
    found = await asyncio.to_thread(inspect, Path(runtime.python), root=locked, cache=cache)
    assert found.facts.feature_version != HERE
    assert Path(runtime.python).is_relative_to(cache)


async def test_python_version_is_heeded(locked, cache):
    others = _others()
    if not others:
        pytest.skip("this machine has one version of Python only")
    wanted = (await asyncio.to_thread(inspect, Path(others[0]), root=locked, cache=cache)).facts.feature_version
    (locked / ".python-version").write_text(f"{wanted}\n")
    runtime = await find_runtime(locked, cache=cache)
    assert (await asyncio.to_thread(inspect, Path(runtime.python), root=locked, cache=cache)).facts.feature_version == wanted


@pytest.mark.parametrize("text", ["", "\n", "system\n", "\xff\n", "pypy3.9-7.3\n"])
async def test_a_python_version_that_names_none_is_passed_over(locked, cache, text):
    (locked / ".python-version").write_text(text, "latin-1")
    assert (await find_runtime(locked, cache=cache)).python


async def test_a_lock_that_is_older_than_pyproject_is_refused_before_anything_is_built(locked, cache):
    text = (locked / "pyproject.toml").read_text()
    (locked / "pyproject.toml").write_text(text.replace("'alpha'", "'alpha>=2'"))
    with pytest.raises(ConfigurationError, match=r"asks for alpha>=2, uv.lock pins alpha 1.0"):
        await find_runtime(locked, cache=cache)
    assert not (cache / "environments").exists()


async def test_the_members_of_a_uv_workspace_are_imported_from_their_sources(locked, cache):
    member = locked / "packages" / "part"
    (member / "src" / "part").mkdir(parents=True)
    (member / "src" / "part" / "__init__.py").write_text("X = 9\n")
    build_system = "[build-system]\nrequires = []\nbuild-backend = 'hostile'\n"
    (member / "pyproject.toml").write_text(f"[project]\nname = 'part'\nversion = '2'\nrequires-python = '>=3.9'\n{build_system}")
    _project(
        locked,
        f"dependencies = ['alpha', 'part']\n{build_system}[tool.uv.workspace]\nmembers = ['packages/*']\n"
        "[tool.uv.sources]\npart = {workspace = true}\n",
    )
    runtime = await find_runtime(locked, cache=cache)
    code = "import part, importlib.metadata as m; print(part.X, m.version('part'), m.version('mine'), m.version('alpha'))"
    variables = {"PATH": os.environ["PATH"], **runtime.variables}
    answer = await asyncio.to_thread(subprocess.run, [runtime.python, "-c", code], capture_output=True, text=True, env=variables, cwd="/")
    assert (answer.stdout, answer.stderr) == ("9 2 1 1.0\n", "")


async def test_a_python_of_the_workspace_on_path_is_not_started(locked, cache, monkeypatch):
    (locked / "bin").mkdir()
    for name in ("python3.13", "python3.9", "setpriv", "uv"):
        (locked / "bin" / name).write_text(f"#!/bin/sh\ntouch {locked}/ran\n")
        (locked / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{locked}/bin:{os.environ['PATH']}")
    (locked / ".python-version").write_text("3.9\n")
    try:
        await find_runtime(locked, cache=cache)
    except ConfigurationError as error:
        message = str(error)
        assert "wants Python" in message  # whether this machine has a 3.9 is not the question
    assert not (locked / "ran").exists()


async def test_settings_of_the_workspace_do_not_make_uv_build_anything(locked, cache, tmp_path):
    text = (locked / "pyproject.toml").read_text()
    (locked / "pyproject.toml").write_text(text + "[tool.uv]\nno-build = false\nno-binary = true\n[tool.uv.pip]\nno-binary = ['alpha']\n")
    (locked / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    try:
        await find_runtime(locked, cache=cache)
    except ConfigurationError as error:
        assert error.remedy  # noqa: PT017  # refusing is as good as installing the wheel
    assert not (tmp_path / "ran").exists()
    assert list((cache / "environments").glob(".*")) == []


def test_conda_environments_outside_the_workspace_are_interpreters_like_any_other(tmp_path, cache):
    """A prefix with conda-meta and no pyvenv.cfg: the base and its site-packages are one."""
    base = Path(os.path.realpath(sys.executable))
    found = inspect(base, root=tmp_path, cache=cache)
    assert not found.virtual
    assert found.prefix == Path(found.facts.prefix)
    assert all(site.is_relative_to(found.prefix) or "dist-packages" in site.name for site in found.sites)


async def test_a_damaged_pyproject_beside_a_lock_is_named_with_the_file(locked, cache):
    (locked / "pyproject.toml").write_text("[project\n")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml") as caught:
        await find_runtime(locked, cache=cache)
    assert caught.value.remedy


async def test_a_workspace_reached_through_a_link_is_the_same(locked, cache, tmp_path):
    (tmp_path / "link").symlink_to(locked)
    assert await find_runtime(tmp_path / "link", cache=cache) == await find_runtime(locked, cache=cache)
