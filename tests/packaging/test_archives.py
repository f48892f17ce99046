"""The wheel and the sdist hold what belongs in them and nothing else, and the wheel works where it is installed."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest

PACKAGES = {"suture_agent", "suture_sandbox", "suture_server", "suture_training"}


@pytest.fixture(scope="module")
def in_wheel(archives):
    with zipfile.ZipFile(archives[0]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def in_sdist(archives):
    with tarfile.open(archives[1]) as archive:
        return {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}


@pytest.fixture(scope="module")
def installed(archives, tmp_path_factory):
    """A fresh environment that holds the wheel; its dependencies are borrowed from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", archives[0]]
    subprocess.run(pip, check=True)
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_wheel_has_the_four_packages_and_its_metadata(in_wheel):
    tops = {PurePosixPath(name).parts[0] for name in in_wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert len(tops) == len(PACKAGES) + 1


def test_wheel_has_every_source_file(in_wheel, tracked):
    sources = {name.partition("/")[2] for name in tracked if name.split("/")[1:2] and name.split("/")[1] in PACKAGES}
    assert {name for name in in_wheel if ".dist-info/" not in name} == sources


def test_wheel_is_typed_and_has_its_prompts_and_licence(in_wheel, root):
    assert {f"{name}/py.typed" for name in PACKAGES} <= set(in_wheel)
    prompts = {name for name in in_wheel if name.startswith("suture_agent/prompts/")}
    assert prompts
    assert prompts == {f"suture_agent/prompts/{path.name}" for path in (root / "agent/suture_agent/prompts").glob("*.md")}
    (licence,) = [text for name, text in in_wheel.items() if name.endswith(".dist-info/licenses/LICENSE")]
    assert licence == (root / "LICENSE").read_bytes()


def test_wheel_holds_only_kinds_of_files_that_are_meant_to_ship(in_wheel):
    kinds = {PurePosixPath(name).suffix for name in in_wheel if ".dist-info/" not in name}
    assert kinds == {".py", ".typed", ".md", ".css", ".yaml", ".json", ".toml", ".jinja"}
    configs = {PurePosixPath(name).parent.as_posix() for name in in_wheel if name.endswith((".yaml", ".json"))}
    assert configs == {"suture_training/configs"}


def test_metadata_says_what_pyproject_says(in_wheel, pyproject):
    (text,) = [text for name, text in in_wheel.items() if name.endswith(".dist-info/METADATA")]
    metadata = message_from_bytes(text)
    project = pyproject["project"]
    assert (metadata["Name"], metadata["Version"]) == (project["name"], project["version"])
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == project["requires-python"]
    assert set(metadata.get_all("Provides-Extra")) == set(project["optional-dependencies"])
    assert not [line for line in metadata.get_all("Requires-Dist") if "@" in line], "a dependency by address"


def test_sdist_has_the_sources_and_the_papers_only(in_sdist, tracked):
    papers = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    rest = in_sdist - papers
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO"} <= in_sdist
    assert rest == {name for name in tracked if name.split("/")[1:2] and name.split("/")[1] in PACKAGES}


def test_installed_wheel_imports_from_where_it_is_installed(installed, bare):
    done = bare(installed / "bin" / "python", "-c", "import suture_server.cli as c; print(c.__file__, callable(c.main))")
    assert done.returncode == 0, done.stderr
    file, is_callable = done.stdout.split()
    assert file.startswith(str(installed))
    assert is_callable == "True"


def test_installed_program_shows_its_help_and_version(installed, bare, pyproject):
    shown = bare(installed / "bin" / "suture", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "doctor" in shown.stdout
    version = bare(installed / "bin" / "suture", "--version")
    assert version.stdout.split() == ["suture", pyproject["project"]["version"]]


@pytest.mark.parametrize("command", ["check", "fix", "env", "model", "journal", "doctor"])
def test_installed_program_has_help_for_each_command(installed, bare, command):
    done = bare(installed / "bin" / "suture", command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: suture")
