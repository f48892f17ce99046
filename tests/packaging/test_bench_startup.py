"""tests/bench/bench_startup.py: measures every program in turns, compares them with the first, and ends when one fails."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def script(root):
    return root / "tests" / "bench" / "bench_startup.py"


@pytest.fixture(scope="module")
def bench(script):
    spec = importlib.util.spec_from_file_location("bench_startup", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(script, *options):
    return subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=False, timeout=120)


def test_json_has_a_figure_for_every_program(script, bench):
    done = start(script, "--json", "--runs", "2")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["runs"] == 2
    assert list(said["programs"]) == list(bench.PROGRAMS)
    assert {"python -c pass", "python -c 'import click'", "suture --help"} <= set(said["programs"])
    for figures in said["programs"].values():
        assert 0 < figures["least_ms"] <= figures["median_ms"]


def test_text_has_a_line_for_every_program(script, bench):
    done = start(script, "--runs", "1")
    assert done.returncode == 0, done.stderr
    assert [line.partition("  ")[0] for line in done.stdout.splitlines()] == list(bench.PROGRAMS)


def test_ratios_are_of_medians_to_the_first_program(bench):
    figures = bench.summary({"nothing": [10.0, 20.0, 60.0], "something": [30.0, 50.0, 400.0]})
    assert figures["nothing"] == {"median_ms": 20.0, "least_ms": 10.0, "ratio": 1.0}
    assert figures["something"] == {"median_ms": 50.0, "least_ms": 30.0, "ratio": 2.5}


def test_programs_run_in_turns_after_one_run_that_does_not_count(bench, tmp_path):
    log = tmp_path / "log"
    programs = {name: ["sh", "-c", f"echo {name} >> '{log}'"] for name in ("a", "b")}
    samples = bench.measure(programs, 2)
    assert log.read_text().split() == ["a", "b", "a", "b", "a", "b"]
    assert {name: len(each) for name, each in samples.items()} == {"a": 2, "b": 2}


def test_program_that_fails_ends_the_bench(bench):
    with pytest.raises(SystemExit, match="ended with 3: broken"):
        bench.run(["sh", "-c", "echo broken >&2; exit 3"])


def test_no_runs_are_refused(script):
    done = start(script, "--runs", "0")
    assert done.returncode == 2
    assert "at least 1" in done.stderr
