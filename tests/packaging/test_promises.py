"""tests/conftest.py: where weights were promised, a test of the real model that skips itself has failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.model
def test_model():
    pytest.skip("no weights")

def test_other():
    pytest.skip("not here")

@pytest.mark.model
def test_runs():
    pass
"""


@pytest.mark.parametrize(("promise", "outcome", "code"), [("", "1 passed, 2 skipped", 0), ("required", "1 failed, 1 passed, 1 skipped", 1)])
def test_a_skip_of_what_was_promised_is_a_failure(root, tmp_path, promise, outcome, code):
    shutil.copy(root / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = model: real\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "SUTURE_TEST_MODEL": promise, "PYTHONPATH": str(Path(sys.prefix, "apart"))}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert outcome in done.stdout
    assert ("were promised to it: no weights" in done.stdout) is bool(code)
