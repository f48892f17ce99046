"""`suture train` as a program: plans and configurations without any training library, refusals with a way out."""

from __future__ import annotations

import subprocess
import sys


def test_a_plan_is_printed_and_given_as_data(suture):
    run = suture("train", "plan", "--gpus", "8xH200", "--method", "rl", "--lora", "32")
    assert run.code == 0, run.err
    assert "Memory of a GPU that trains" in run.out
    assert "Sandboxes at once" in run.out
    summary = suture("train", "plan", "--gpus", "8xH100", "--json").summary
    assert summary["layout"]["optimiser"] == "host"
    assert summary["assumptions"]


def test_what_does_not_fit_is_refused_with_what_would(suture):
    run = suture("train", "plan", "--gpus", "1xH100", "--lora", "16")
    assert (run.code, run.out) == (2, "")
    assert "does not fit 1xH100" in run.err
    assert "try: --context 7168 fits" in run.err
    assert suture("train", "plan", "--gpus", "8xTPU").code == 2


def test_configurations_are_printed_as_they_are(suture):
    from suture_training.configs import text

    assert "lora_1x80.yaml" in suture("train", "config").out
    assert suture("train", "config", "zero3_offload_8x80.json").out == text("zero3_offload_8x80.json")
    assert suture("train", "config", "lora_1x80.yaml", "--json").summary["text"] == text("lora_1x80.yaml")
    assert suture("train", "config", "nothing").code == 2


def test_what_cannot_be_learnt_from_is_said_before_anything_is_made(suture, tmp_path):
    run = tmp_path / "run.toml"
    run.write_text('[model]\npath = "model"\n')
    refusals = {
        ("--from-journal", "--data", "lessons"): "exclude each other",
        ("--since", "30d"): "needs --from-journal",
        ("--from-journal",): "nothing is recorded yet",
    }
    for arguments, told in refusals.items():
        done = suture("train", "sft", run, "--out", tmp_path / "out", *arguments, XDG_DATA_HOME=str(tmp_path / "share"))
        assert (done.code, done.out) == (2, ""), done.err
        assert told in done.err
    assert {path.name for path in tmp_path.iterdir()} == {"run.toml"}


def test_a_missing_training_library_is_named_with_its_remedy(monkeypatch):
    import click
    import pytest

    from suture_server.cli.train import imported

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(click.UsageError, match=r"suture\[train\]"):
        imported("torch:tensor")
    with pytest.raises(ModuleNotFoundError):
        imported("suture_training.nothing:at_all")


def test_the_command_line_does_not_import_the_training_floor():
    look = "print([name for name in sys.modules if name.startswith(('suture_training', 'torch'))])"
    code = f"import sys, suture_server.cli.train, suture_server.cli.adapter; {look}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
