"""The program inside the sandbox, on real pytest: what it sees, and that nothing comes of a run that breaks down."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from importlib import resources

import msgspec
import pytest

from suture_agent.impact.making import make
from suture_agent.impact.map import ImpactMap, Kept
from suture_sandbox.checks import CheckResult

from .conftest import FILES, PRICES, TESTS

RESULT = CheckResult(check="tests", status="failed", seconds=3.0)


def line_of(path: str, text: str) -> int:
    return 1 + next(number for number, line in enumerate(FILES[path].splitlines()) if text in line)


async def test_what_every_kind_of_test_runs(shop, sandbox, ran_by):
    kept = await make(sandbox, TESTS, shop, RESULT)
    assert isinstance(kept, Kept)
    found = kept.map
    totals = {f"test_total[{number}]" for number in (1, 2, 3)}
    old = {"Old::test_one", "Old::test_two"}
    assert len(found.tests) == 18
    assert ran_by(found, PRICES, line_of(PRICES, "def total")) == totals | old | {"test_thread", "test_fails"}
    assert ran_by(found, PRICES, line_of(PRICES, "def __init__")) == {
        "TestCart::test_made",
        "TestCart::test_asked",
    }  # by a fixture
    assert ran_by(found, PRICES, line_of(PRICES, "def wrapper") - 1) == {"TestCart::test_made", "TestCart::test_asked"}
    assert ran_by(found, PRICES, line_of(PRICES, "def first") - 1) == {"TestCart::test_asked"}
    assert ran_by(found, PRICES, line_of(PRICES, "KEY =")) == {"TestCart::test_asked"}
    assert ran_by(found, PRICES, line_of(PRICES, "def hot")) == {"test_hot", "test_hot_again"}
    assert ran_by(found, PRICES, line_of(PRICES, "def logged")) == set()
    assert ran_by(found, "src/shop/lazy.py", 1) == {"test_late"}
    files = {file.path: file for file in found.files}
    assert files["src/shop/rates.py"].early == (1,)
    assert files[PRICES].early == (line_of(PRICES, "def logged"),)
    assert all(file.hash == hashlib.sha256(FILES[path].encode()).hexdigest() for path, file in files.items())
    imports = {path: {found.files[number].path for number in file.imports} for path, file in files.items()}
    assert imports["tests/test_shop.py"] >= {"src/shop/__init__.py", PRICES, "src/shop/lazy.py", "tests/conftest.py"}
    assert imports["tests/test_alone.py"] == {"tests/conftest.py"}
    assert imports[PRICES] >= {"src/shop/rates.py"}
    assert {found.files[home].path for home in found.homes} == {"tests/test_shop.py", "tests/test_alone.py"}


async def test_a_run_that_breaks_down_tells_nothing(shop, sandbox):
    broken = shop.with_edits({"tests/test_shop.py": None, "tests/test_alone.py": b"import os\nos._exit(0)\n"})
    assert await make(sandbox, TESTS, broken, RESULT) == "silent"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the interpreter tells of every call here")
def test_a_function_that_was_silenced_in_one_test_is_heard_in_the_next(shop, tmp_path, ran_by):
    program = resources.files("suture_agent").joinpath("impact", "program.py").read_text(encoding="utf-8")
    output = tmp_path / "map.json"
    argv = [sys.executable, "-c", program, str(shop.root), str(output), "-q", "-p", "no:cacheprovider", "-k", "hot"]
    subprocess.run(argv, cwd=shop.root, check=False, capture_output=True, timeout=60)
    found = msgspec.convert(json.loads(output.read_text()), ImpactMap, strict=False)
    assert ran_by(found, PRICES, line_of(PRICES, "def hot")) == {"test_hot", "test_hot_again"}
