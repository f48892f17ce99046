"""Layouts that fit are found in order of preference, none is promised that does not, and a refusal says what would."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_training.plan import memory
from suture_training.plan.command import planned
from suture_training.plan.machines import GIB, GPUS, gpus_of
from suture_training.plan.planning import DoesNotFit, Wanted, plan
from suture_training.plan.rates import operations, rollout_hours, training_hours
from suture_training.plan.shapes import SHAPES

QWEN = SHAPES["Qwen/Qwen3-32B"]


def wanted(gpus="8xH200", **more):
    return Wanted(shape=QWEN, gpus=gpus_of(gpus), **more)


def refused(given):
    with pytest.raises(DoesNotFit) as caught:
        plan(given)
    return caught.value


def test_what_fits_on_the_gpus_stays_there_and_what_does_not_goes_to_the_host():
    assert plan(wanted("8xH200")).layout.optimiser == "gpu"
    found = plan(wanted("8xH100"))
    assert (found.layout.optimiser, found.config) == ("host", "zero3_offload_8x80.yaml")
    assert found.layout.memory.host == 16 * QWEN.parameters
    assert plan(wanted("16xH100")).layout.optimiser == "gpu"


def test_a_lora_fits_one_card_of_80_gb_and_is_told_how_long_it_may_be():
    found = plan(wanted("1xH100", rank=16, context=7168))
    assert found.config == "lora_1x80.yaml"
    assert found.longest == 7168
    error = refused(wanted("1xH100", rank=16, context=8192))
    assert "--context 7168 fits" in error.remedy
    assert "--gpus 2xH100 fits" in error.remedy
    assert "74.4 GiB are needed" in str(error)


def test_a_refusal_offers_more_gpus_or_a_lora():
    error = refused(wanted("2xH100"))
    assert "--lora 16 fits" in error.remedy
    count = int(error.remedy.partition("--gpus ")[2].partition("x")[0])
    plan(wanted(f"{count}xH100"))
    refused(wanted(f"{count - 1}xH100"))


def test_too_little_memory_in_the_machine_is_a_reason_too():
    assert "489 GiB of memory in the machine fit" in refused(wanted("8xH100", host_gib=256)).remedy
    assert plan(wanted("8xH100", host_gib=512)).layout.optimiser == "host"


def test_reinforcement_splits_the_gpus_and_leaves_most_of_them_to_rollouts():
    found = plan(wanted(method="rl", rank=32, context=32_768))
    layout = found.layout
    assert (layout.trainers, layout.servers, layout.parallel) == (1, 7, 1)
    assert layout.cache_tokens == 7 * memory.served(QWEN, memory=GPUS["H200"].memory, parallel=1)
    assert found.sandboxes == layout.cache_tokens // 32_768
    everything = plan(wanted(method="rl", context=8192)).layout
    assert everything.trainers + everything.servers == 8
    assert everything.trainers > 1


def test_one_gpu_takes_turns_and_needs_room_for_both():
    assert plan(wanted("1xH200", method="rl", rank=16, context=4096)).layout.takes_turns
    assert "fits" in refused(wanted("1xH100", method="rl", rank=16, context=4096)).remedy


def test_sandboxes_are_bounded_by_the_step_by_the_cache_and_by_the_cores():
    asked = wanted(method="rl", rank=32, context=4096, prompts=4, generations=4)
    assert plan(asked).sandboxes == 16
    few = plan(msgspec.structs.replace(asked, cores=8))
    assert few.sandboxes == 4
    assert few.hours.high > plan(asked).hours.high


def test_hours_are_operations_over_speed():
    """6 N for frozen weights, 8 N for all of them, recomputation included; attention on top."""
    assert operations(QWEN, "sft", context=0, full=True) == 8 * QWEN.parameters
    assert operations(QWEN, "sft", context=0, full=False) == 6 * QWEN.parameters
    assert operations(QWEN, "prefer", context=0, full=True) == 12 * QWEN.parameters
    assert operations(QWEN, "sft", context=8192, full=True) > 8 * QWEN.parameters
    hours = training_hours(QWEN, gpus_of("8xH100"), "sft", tokens=10**9, context=0, full=True, utilisation=50)
    assert hours.low < 8 * QWEN.parameters * 10**9 / (8 * 989e12 * 0.5) / 3600 < hours.high


def test_rollout_hours_are_the_published_rate_on_the_published_machines():
    found = rollout_hours(QWEN, gpus_of("40xH100"), trajectories=3600, sandboxes=256)
    assert found.low == pytest.approx(1 / 0.32)
    assert found.high == pytest.approx(1 / 0.107)
    assert rollout_hours(QWEN, gpus_of("40xH100"), trajectories=3600, sandboxes=128).low == pytest.approx(2 / 0.32)
    assert rollout_hours(QWEN, gpus_of("40xH100"), trajectories=3600, sandboxes=999).low == pytest.approx(1 / 0.32)


@given(
    st.sampled_from([*GPUS]),
    st.integers(1, 32),
    st.sampled_from(["sft", "rl", "prefer"]),
    st.sampled_from([0, 8, 64]),
    st.integers(1024, 65_536),
    st.sampled_from([*SHAPES.values()]),
)
def test_no_plan_promises_more_than_there_is_and_every_way_out_leads_out(kind, count, method, rank, context, shape):
    asked = Wanted(shape=shape, gpus=gpus_of(f"{count}x{kind}"), method=method, rank=rank, context=context)
    try:
        found = plan(asked)
    except DoesNotFit as error:
        shorter = error.remedy.partition("--context ")[2].partition(" ")[0]
        if shorter:
            assert int(shorter) < context
            plan(msgspec.structs.replace(asked, context=int(shorter)))
        return
    layout = found.layout
    assert layout.memory.total <= found.usable < GPUS[kind].memory
    assert layout.takes_turns or layout.trainers + layout.servers == count
    if method == "rl":
        assert layout.cache_tokens >= context
        assert found.sandboxes >= 1
    assert 0 < found.hours.low <= found.hours.high
    assert found.longest >= context


def test_lines_and_data_say_the_same():
    options = {"model": "Qwen/Qwen3-32B", "gpus": "8xH200", "method": "rl", "rank": 32, "context": 32_768, "cores": None}
    lines, data = planned(options)
    text = "\n".join(lines)
    for word in ("32,762,123,264 parameters", "LoRA of rank 32", "Sandboxes at once", "Hours:", "Assumed:", "SkyRL"):
        assert word in text
    assert data["layout"]["memory"]["total"] == sum(
        size for name, size in data["layout"]["memory"].items() if name not in ("total", "host")
    )
    assert f"{data['layout']['memory']['total'] / GIB:.1f}" in text
    assert data["assumptions"]


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from suture_training.plan.command import planned; planned({'model': 'Qwen/Qwen3-32B', 'gpus': '8xH200'})\n"
        "print([name for name in ('torch', 'transformers', 'numpy', 'peft', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
