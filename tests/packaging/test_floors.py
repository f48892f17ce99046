"""import-linter holds the floors, and notices when one is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT = Path(sys.executable).parent / "lint-imports"


def lint(folder, search=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, search))}
    return subprocess.run([LINT, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def house(root, packages, tmp_path):
    """A copy of the house, to break."""
    shutil.copy(root / "pyproject.toml", tmp_path)
    for name, folder in packages.items():
        shutil.copytree(folder, tmp_path / folder.parent.name / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_floors_hold(root):
    done = lint(root)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sandbox/suture_sandbox/text.py", "import suture_agent.errors"),
        ("agent/suture_agent/errors.py", "import suture_server.projects"),
        ("server/suture_server/__init__.py", "import suture_training"),
        ("agent/suture_agent/errors.py", "import torch"),
        ("sandbox/suture_sandbox/text.py", "import pygls"),
    ],
)
def test_a_broken_floor_is_noticed(house, module, line):
    with (house / module).open("a") as file:
        file.write(f"\n\ndef later():\n    {line}\n")
    done = lint(house, [house / floor for floor in ("server", "agent", "sandbox", "training")])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout
