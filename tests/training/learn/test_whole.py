"""`make learn` from its first stage to its page, as small as it can be: real tasks in the real sandbox, TRL's SFT and GRPO, the matrix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suture_training.evaluation.attribution import Attribution
from suture_training.evaluation.matrix import Matrix
from suture_training.learn.overview import Figures
from suture_training.ledger import read_json

TRAIN = Path(sys.prefix, "train")
SMALL = """
seeds = [0]
full_seeds = [0]
steps = 2
[tiny]
vocabulary = 300
width = 16
layers = 1
heads = 2
steps = 2
batch = 2
length = 64
[tasks]
train = 1
validation = 1
test = 2
each = 2
[teacher]
episodes = 2
[sft]
steps = 2
batch = 2
micro_batch = 2
checkpoint_every = 1
[rl]
steps = 2
groups = 1
group_size = 2
micro_batch = 2
refills = 0
checkpoint_every = 1
parallel = 4
[measure]
runs = 2
validation = 1
[hack]
sft_steps = 1
rl_steps = 2
[hack.tasks]
repositories = 1
each = 6
"""


@pytest.mark.skipif(not TRAIN.is_dir(), reason="the training libraries are not here (scripts/setup.sh train)")
def test_from_nothing_to_a_page_and_on_from_there(tmp_path: Path):
    settings = tmp_path / "small.toml"
    settings.write_text(SMALL)
    command = [sys.executable, "-m", "suture_training.learn", str(tmp_path / "out"), str(settings)]
    environ = {**os.environ, "PYTHONPATH": str(TRAIN), "XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, run.stderr
    out = tmp_path / "out"
    figures = read_json(out / "figures.json", Figures)
    assert set(figures.rates) == {"raw", "sft", "more", "rl"}
    assert (figures.rates["rl"].seeds, figures.rates["raw"].seeds) == (1, 1)
    assert 2 <= figures.rates["rl"].tasks <= 4
    found = read_json(out / "matrix" / "matrix.json", Matrix)
    assert len(found.rows) == 5, "raw, SFT, as much more, and RL in either pipeline"
    assert set(found.columns) == {"simplified, test", "full, test"}
    assert all(found.cell(row, column) for row in found.rows for column in found.columns)
    costs = read_json(out / "attribution" / "attribution.json", Attribution).costs
    assert {each.factor for each in costs} == {"budget", "prompt", "sampling", "template"}
    page = (out / "report.html").read_text()
    assert "What each mismatch costs" in page
    assert "paid by the failing check" in page
    assert (out / "rl-0" / "report.html").is_file()
    made = {path: path.stat().st_mtime_ns for path in out.glob("*/done.json")}
    assert len(made) >= 8

    again = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=600)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in made} == made, "no stage is made twice"


def test_settings_that_are_wrong_are_told(tmp_path: Path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[rl]\nstep = 3\n")
    environ = {**os.environ, "PYTHONPATH": str(TRAIN)}
    command = [sys.executable, "-m", "suture_training.learn", str(tmp_path / "out"), str(wrong)]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 3
    assert "step" in run.stderr
