"""Stages: each is done once, an interrupted one goes on, another recipe begins anew."""

from __future__ import annotations

import pytest

from suture_training.errors import TrainingError
from suture_training.learn.settings import read
from suture_training.learn.stages import Stage


def test_a_stage_is_done_once(tmp_path):
    made = []
    for _ in range(2):
        Stage(tmp_path, "one", [1]).run(lambda folder: made.append(folder))
    assert made == [tmp_path / "one"]


def test_an_interrupted_stage_goes_on_and_another_recipe_begins_anew(tmp_path):
    def dies(folder):
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stage(tmp_path, "one", [1]).run(dies)
    seen = []
    Stage(tmp_path, "one", [1]).run(lambda folder: seen.append((folder / "half").exists()))
    Stage(tmp_path, "one", [2]).run(lambda folder: seen.append((folder / "half").exists()))
    assert seen == [True, False]


def test_the_shipped_settings_are_read_and_wrong_ones_are_told(tmp_path):
    settings = read(None)
    assert settings.rl.groups * settings.rl.group_size % settings.rl.micro_batch == 0
    harness = settings.harness("t")
    assert (harness.preset, harness.reruns, harness.template) == ("line", 1, "t")
    wrong = tmp_path / "learn.toml"
    wrong.write_text("[rl]\nstep = 3\n")
    with pytest.raises(TrainingError, match="step"):
        read(wrong)
    with pytest.raises(TrainingError, match="cannot be read"):
        read(tmp_path / "nothing.toml")
