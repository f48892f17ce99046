"""The shipped configurations: accelerate takes them, DeepSpeed's says what its comments say, and the plan's words about them hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from suture_agent.errors import SettingsError
from suture_training.configs import names, text
from suture_training.plan.machines import gpus_of
from suture_training.plan.memory import GIB
from suture_training.plan.planning import Wanted, plan
from suture_training.plan.shapes import SHAPES
from suture_training.runs import read_run

RUNS = [name for name in names() if name.endswith(".toml")]
QWEN = SHAPES["Qwen/Qwen3-32B"]
YAML = [name for name in names() if name.endswith(".yaml")]


@pytest.mark.parametrize("name", RUNS)
def test_a_runs_file_is_one_that_a_run_takes(name, tmp_path):
    (tmp_path / name).write_text(text(name))
    settings = read_run(tmp_path / name)
    assert settings.model.lora is not None
    assert settings.model.path == "Qwen/Qwen3-32B"


def test_there_is_one_for_each_of_these_machines():
    machines = {"fsdp2_full.yaml", "fsdp2_lora.yaml", "lora_1x80.yaml", "zero3_offload_8x80.json", "zero3_offload_8x80.yaml"}
    assert set(names()) == machines | {"sft.toml", "rl.toml", "prefer.toml"}
    with pytest.raises(SettingsError, match="no configuration") as caught:
        text("../plan/memory.py")
    assert "lora_1x80.yaml" in caught.value.remedy


@pytest.mark.parametrize("name", YAML)
def test_accelerate_takes_it(tmp_path, name):
    """accelerate refuses unknown keys."""
    pytest.importorskip("accelerate", reason="the training libraries are not installed: pip install 'suture[train]'")
    from accelerate.commands.config.config_args import ClusterConfig

    path = tmp_path / name
    path.write_text(text(name))
    config = ClusterConfig.from_yaml_file(path)
    kinds = {"lora_1x80.yaml": "NO", "fsdp2_lora.yaml": "FSDP", "fsdp2_full.yaml": "FSDP", "zero3_offload_8x80.yaml": "DEEPSPEED"}
    assert str(config.distributed_type).rpartition(".")[2] == kinds[name]
    assert config.num_processes == (1 if name == "lora_1x80.yaml" else 8)
    path.write_text(text(name) + "unheard_of: true\n")
    with pytest.raises(ValueError, match="unheard_of"):
        ClusterConfig.from_yaml_file(path)


@pytest.mark.parametrize("name", [name for name in YAML if name.startswith("fsdp2")])
def test_every_key_of_fsdp_is_one_that_the_launcher_reads(name):
    pytest.importorskip("accelerate")
    yaml = pytest.importorskip("yaml")
    from accelerate.commands.launch import launch_command_parser

    known = {action.dest for action in launch_command_parser()._actions}
    found = yaml.safe_load(text(name))["fsdp_config"]
    assert set(found) <= known
    assert found["fsdp_version"] == 2
    assert found["fsdp_offload_params"] is False


def test_deepspeeds_file_is_stage_3_with_the_optimiser_on_the_host():
    config = json.loads(text("zero3_offload_8x80.json"))
    zero = config["zero_optimization"]
    assert (zero["stage"], zero["offload_optimizer"]["device"], zero["offload_param"]["device"]) == (3, "cpu", "none")
    assert config["bf16"]["enabled"] is True
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(text("zero3_offload_8x80.yaml"))["deepspeed_config"]["deepspeed_config_file"] == "zero3_offload_8x80.json"
    pytest.importorskip("accelerate")
    from accelerate.utils.deepspeed import HfDeepSpeedConfig

    parsed = HfDeepSpeedConfig(config)
    assert parsed.is_zero3()
    assert parsed.is_offload()


@pytest.mark.parametrize(
    ("name", "gpus", "more"),
    [
        ("lora_1x80.yaml", "1xH100", {"rank": 16, "context": 7168}),
        ("fsdp2_lora.yaml", "8xH100", {"rank": 16, "context": 32_768}),
        ("fsdp2_full.yaml", "8xH200", {"context": 32_768}),
        ("zero3_offload_8x80.yaml", "8xH100", {"context": 32_768}),
    ],
)
def test_what_a_file_says_it_is_for_fits_and_leads_to_it(name, gpus, more):
    found = plan(Wanted(shape=QWEN, gpus=gpus_of(gpus), **more))
    assert found.config == name
    flags = f"--gpus {gpus}{' --lora 16' if more.get('rank') else ''} --context {more['context']}"
    assert f"suture train plan {flags}" in text(name)
    words = {
        "lora_1x80.yaml": f"{found.layout.memory.weights / GIB:.0f} GiB",
        "fsdp2_lora.yaml": f"{found.layout.memory.weights / GIB:.1f} GiB each",
        "fsdp2_full.yaml": f"{16 * QWEN.parameters / GIB:.0f} GiB in all",
        "zero3_offload_8x80.yaml": f"{(found.layout.memory.weights + found.layout.memory.gradients) / GIB:.1f} GiB each",
    }
    assert words[name] in text(name)


@pytest.mark.parametrize(
    ("row", "gpus", "more"),
    [
        ("LoRA 16, 7,168 tokens", "1xH100", {"rank": 16, "context": 7168}),
        ("all weights, 8,192 tokens, optimiser in the machine's memory (489)", "8xH100", {}),
        ("all weights, 32,768 tokens, the same", "8xH100", {"context": 32_768}),
        ("all weights, 8,192 tokens, everything on the GPUs", "8xH200", {}),
    ],
)
def test_the_page_says_what_the_plan_says(row, gpus, more):
    found = plan(Wanted(shape=QWEN, gpus=gpus_of(gpus), **more))
    page = (Path(__file__).parents[2] / "docs" / "training-32b.md").read_text()
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {row} |")]
    numbers = f"{found.layout.memory.total / GIB:.1f} | {found.usable / GIB:.1f} | {found.longest:,} |"
    assert line.endswith(numbers)
    if "(489)" in row:
        assert -(-found.layout.memory.host // GIB) == 489
