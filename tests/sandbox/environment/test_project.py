"""The stand-in for an editable installation of the workspace."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from suture_sandbox.errors import InfrastructureError
from suture_sandbox.project import UNKNOWN_VERSION, install

BUILD = "[build-system]\nrequires = []\nbuild-backend = 'hostile'\n"


def _python(search, code):
    variables = {**os.environ, "PYTHONPATH": ":".join(map(str, search))}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=variables, cwd="/").stdout.strip()


def test_name_version_entry_points_and_code_are_found(tmp_path, cache):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine_x.py").write_text("def main(): return 7\n")
    (tmp_path / "pyproject.toml").write_text(
        BUILD
        + "[project]\nname = 'Mine.X'\nversion = '1.2'\ndependencies = ['click>=8']\nrequires-python = '>=3.9'\n"
        + "[project.scripts]\nmine = 'mine_x:main'\n[project.entry-points.'some.group']\nplug = 'mine_x'\n"
    )
    made = install((tmp_path,), cache=cache)
    assert made.search == (made.metadata, tmp_path / "src")
    code = (
        "import importlib.metadata as m, mine_x; d = m.distribution('mine-x');"
        "print(d.version, d.requires, mine_x.main(), sorted((e.group, e.name) for e in d.entry_points))"
    )
    assert _python(made.search, code) == "1.2 ['click>=8'] 7 [('console_scripts', 'mine'), ('some.group', 'plug')]"
    assert (
        _python(made.search, "import importlib.metadata as m; print([e.value for e in m.entry_points(group='some.group')])") == "['mine_x']"
    )


def test_the_build_backend_is_not_run_and_a_computed_version_is_told(tmp_path, cache):
    (tmp_path / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "pyproject.toml").write_text(BUILD + "backend-path = ['.']\n[project]\nname = 'mine'\ndynamic = ['version']\n")
    made = install((tmp_path,), cache=cache)
    assert not (tmp_path / "ran").exists()
    assert f"reads {UNKNOWN_VERSION}" in " ".join(made.notes)
    assert _python(made.search, "import importlib.metadata as m; print(m.version('mine'))") == UNKNOWN_VERSION


def test_poetry_tables(tmp_path, cache):
    (tmp_path / "lib").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        BUILD + "[tool.poetry]\nname = 'old'\nversion = '3'\npackages = [{include = 'old', from = 'lib'}]\n"
        "[tool.poetry.scripts]\nold = 'old:main'\nodd = {reference = 'x', type = 'file'}\n[tool.poetry.plugins.group]\na = 'b'\n"
    )
    made = install((tmp_path,), cache=cache)
    assert made.search[1:] == (tmp_path / "lib",)
    code = "import importlib.metadata as m; print([(e.name, e.value) for e in m.distribution('old').entry_points])"
    assert _python(made.search, code) == "[('old', 'old:main'), ('a', 'b')]"


@pytest.mark.parametrize(
    ("tables", "folders", "expected"),
    [
        ("", ["src"], ["src"]),
        ("", [], ["."]),
        ("[tool.setuptools]\npackage-dir = {'' = 'lib'}\n", ["lib", "src"], ["lib"]),
        ("[tool.setuptools.packages.find]\nwhere = ['a', 'b']\n", ["a", "b"], ["a", "b"]),
        ("[tool.setuptools]\npackages = ['mine']\n", ["mine"], ["."]),
        ("[tool.hatch.build.targets.wheel]\npackages = ['x/one', 'y/two']\n", ["x", "y"], ["x", "y"]),
        ("[tool.pdm.build]\npackage-dir = 'code'\n", ["code"], ["code"]),
        ("[tool.uv.build-backend]\nmodule-root = 'py'\n", ["py"], ["py"]),
        ("[tool.setuptools]\npackage-dir = {'' = '../outside'}\n", [], ["."]),
        ("[tool.setuptools]\npackage-dir = {'' = 'gone'}\n", ["src"], ["src"]),
    ],
)
def test_where_the_packages_lie(tmp_path, cache, tables, folders, expected):
    for folder in folders:
        (tmp_path / folder).mkdir()
    (tmp_path / "pyproject.toml").write_text(BUILD + tables)
    assert install((tmp_path,), cache=cache).search[1:] == tuple(tmp_path / folder for folder in expected)


@pytest.mark.parametrize(
    "text", ["", "[project]\nname = 'x'\n", BUILD + "[tool.uv]\npackage = false\n", BUILD + "[tool.poetry]\npackage-mode = false\n"]
)
def test_a_folder_that_is_no_distribution_gets_nothing(tmp_path, cache, text):
    (tmp_path / "pyproject.toml").write_text(text)
    made = install((tmp_path,), cache=cache)
    assert (made.search, made.metadata, made.notes) == ((), None, ())


def test_setup_py_alone_makes_a_distribution_and_is_not_run(tmp_path, cache):
    (tmp_path / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert tmp_path in install((tmp_path,), cache=cache).search
    assert not (tmp_path / "ran").exists()


def test_the_same_project_gives_the_same_folder_and_a_changed_one_another(tmp_path, cache):
    (tmp_path / "pyproject.toml").write_text(BUILD + "[project]\nname = 'mine'\nversion = '1'\n")
    first = install((tmp_path,), cache=cache).metadata
    assert install((tmp_path,), cache=cache).metadata == first
    (tmp_path / "pyproject.toml").write_text(BUILD + "[project]\nname = 'mine'\nversion = '2'\n")
    assert install((tmp_path,), cache=cache).metadata != first


def test_a_cache_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f"{BUILD}[project]\nname = 'x'\nversion = '1'\n")
    (tmp_path / "cache").write_text("a file in its place")
    with pytest.raises(InfrastructureError, match=r"cannot write to .*cache: Not a directory") as caught:
        install((tmp_path,), cache=tmp_path / "cache")
    assert "with free space" in caught.value.remedy
