"""What the tests of the package and of the tree share: where things are, and one build of both archives."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pyproject(root):
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def tracked(root):
    """Paths of all tracked files that are there, relative to the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (root / name).is_file()]


@pytest.fixture(scope="session")
def packages(root):
    """Import name -> folder, of the four packages."""
    return {path.name: path for path in sorted(root.glob("*/suture_*")) if (path / "__init__.py").is_file()}


@pytest.fixture(scope="session")
def modules(packages):
    """The dotted names of all modules."""
    found = []
    for name, folder in packages.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (name, *path.relative_to(folder).with_suffix("").parts)
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


@pytest.fixture(scope="session")
def archives(root, tracked, tmp_path_factory):
    """Wheel and sdist, built offline from the tracked files alone."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in tracked:
        if name.startswith(("server/", "agent/", "sandbox/", "training/", ".gitignore")) or "/" not in name:
            copy = source / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((root / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture
def bare(tmp_path):
    """Runs a program in an empty folder with an empty HOME; gives the finished process and checks that nothing was left there."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()

    def run(*command, left=()):
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
        done = subprocess.run([*map(str, command)], cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert sorted(path.name for folder in (home, here) for path in folder.rglob("*")) == sorted(left)
        return done

    return run
