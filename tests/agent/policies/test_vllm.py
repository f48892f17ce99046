"""The plan for a vLLM server on GPUs of many sizes, and the life of the process, with a small stand-in for vLLM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import msgspec
import psutil
import pytest

from suture_agent.errors import PolicyUnavailable
from suture_agent.policies.vllm import SHAPES, Gpu, described, gpus, parse_gpus, serve, serve_command, shape_of

SMI = "NVIDIA H100 80GB HBM3, 81559\nNVIDIA RTX 6000, Ada, 49140\n\nFailed to initialise\n"


def cards(count, gib):
    return tuple(Gpu(name="card", memory=gib << 30) for _ in range(count))


def value(plan, flag):
    return plan.argv[plan.argv.index(flag) + 1]


def test_the_drivers_table_is_read():
    assert parse_gpus(SMI) == (
        Gpu(name="NVIDIA H100 80GB HBM3", memory=81559 << 20),
        Gpu(name="NVIDIA RTX 6000, Ada", memory=49140 << 20),
    )
    assert parse_gpus("") == ()


@pytest.mark.parametrize(
    ("count", "gib", "served", "parallel", "context"),
    [
        (1, 80, "Qwen/Qwen3-32B", "1", 32_768),
        (2, 80, "Qwen/Qwen3-32B", "2", 32_768),
        (8, 80, "Qwen/Qwen3-32B", "8", 32_768),
        (3, 80, "Qwen/Qwen3-32B", "2", 32_768),
        (1, 48, "Qwen/Qwen3-32B-FP8", "1", 32_768),
        (2, 48, "Qwen/Qwen3-32B", "2", 32_768),
        (1, 32, "Qwen/Qwen3-32B-AWQ", "1", 32_768),
        (2, 24, "Qwen/Qwen3-32B-FP8", "2", 32_768),
    ],
)
def test_what_fits_on_which_gpus(count, gib, served, parallel, context):
    plan = serve_command(gpus=cards(count, gib))
    assert plan.argv[:3] == ("vllm", "serve", served)
    assert value(plan, "--served-model-name") == "Qwen/Qwen3-32B"
    assert value(plan, "--tensor-parallel-size") == parallel
    assert 8192 <= int(value(plan, "--max-model-len")) <= context
    assert int(value(plan, "--max-model-len")) % 1024 == 0


@pytest.mark.parametrize("gib", [24, 32, 40, 48, 80, 96, 141])
@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_no_plan_takes_more_memory_than_there_is(count, gib):
    shape = SHAPES["Qwen/Qwen3-32B"]
    try:
        plan = serve_command(gpus=cards(count, gib))
    except PolicyUnavailable:
        assert count * gib < 32
        return
    milli = 1050 if "FP8" in plan.argv[2] else 600 if "AWQ" in plan.argv[2] else 2000
    used = int(value(plan, "--tensor-parallel-size"))
    needed = shape.parameters * milli // 1000 + int(value(plan, "--max-model-len")) * shape.kv_bytes
    assert needed < used * gib * (1 << 30)


def test_the_flags_that_repair_needs():
    plan = serve_command(gpus=cards(1, 80))
    assert value(plan, "--tool-call-parser") == "hermes"
    assert value(plan, "--host") == "127.0.0.1"
    for flag in ("--enable-prefix-caching", "--enable-auto-tool-choice", "--enable-lora"):
        assert flag in plan.argv
    assert "--reasoning-parser" not in plan.argv
    assert plan.environment["VLLM_NO_USAGE_STATS"] == "1"
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING" not in plan.environment
    assert "--reasoning-parser" in serve_command(gpus=cards(1, 80), thinking=True).argv


def test_the_key_is_neither_in_the_command_nor_in_the_plan(monkeypatch):
    monkeypatch.setenv("SUTURE_API_KEY", "sk-hidden")
    plan = serve_command(gpus=cards(1, 80), host="0.0.0.0", runtime_lora=True)
    assert "sk-hidden" not in described(plan)
    assert any("SUTURE_API_KEY" in note for note in plan.notes)
    assert any("any local path" in note for note in plan.notes)
    assert plan.environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"


def test_a_wanted_context_decides_the_form_of_the_weights():
    assert serve_command(gpus=cards(1, 80), context=40_000).argv[2].endswith(("32B", "FP8"))
    assert value(serve_command(gpus=cards(1, 80), context=12_345), "--max-model-len") == "12345"
    with pytest.raises(PolicyUnavailable, match="does not fit"):
        serve_command(gpus=cards(1, 80), context=10_000_000)


def test_without_a_gpu_the_ways_out_are_named():
    with pytest.raises(PolicyUnavailable, match="GPU") as caught:
        serve_command(gpus=())
    assert "embedded" in caught.value.remedy
    assert "--device cpu" in caught.value.remedy
    plan = serve_command("tiny", gpus=(), device="cpu")
    assert plan.argv[1:3] == ("-m", "vllm.entrypoints.openai.api_server")
    assert "VLLM_CPU_KVCACHE_SPACE" in plan.environment


def test_a_card_that_is_too_small_names_smaller_models():
    with pytest.raises(PolicyUnavailable, match="does not fit") as caught:
        serve_command(gpus=cards(1, 16))
    assert "Qwen3-8B" in caught.value.remedy
    assert serve_command("Qwen/Qwen3-8B", gpus=cards(1, 24)).argv[2] == "Qwen/Qwen3-8B"


def test_a_local_folder_tells_its_own_numbers(tmp_path):
    config = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "num_key_value_heads": 2}
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config))
    (tmp_path / "model.safetensors").write_bytes(bytes(1000))
    shape = shape_of(str(tmp_path))
    assert shape is not None
    assert (shape.parameters, shape.kv_bytes, shape.head_size) == (500, 2 * 2 * 2 * 16 * 2, 16)
    assert serve_command(str(tmp_path), gpus=cards(1, 24)).argv[2] == str(tmp_path)


def test_an_unknown_model_is_left_to_vllm():
    plan = serve_command("somebody/something", gpus=cards(4, 24))
    assert "--max-model-len" not in plan.argv
    assert any("not known" in note for note in plan.notes)


def test_the_description_can_be_pasted_into_a_shell():
    text = described(serve_command(gpus=cards(2, 80)))
    lines = text.splitlines()
    assert all(line.startswith("# ") for line in lines[:-1])
    assert "VLLM_NO_USAGE_STATS=1" in lines[-1]
    assert "vllm serve Qwen/Qwen3-32B " in lines[-1]


async def test_gpus_come_from_the_driver(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Card A, 81559'\necho 'Card B, 81559'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert [gpu.name for gpu in await gpus()] == ["Card A", "Card B"]
    program.write_text("#!/bin/sh\necho 'no driver' >&2\nexit 9\n")
    assert await gpus() == ()


SERVER = """
import http.server, os, subprocess, sys, threading
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(f"{os.getpid()} {child.pid} {os.environ.get('VLLM_API_KEY')}")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path, unused_port):
    plan = serve_command(gpus=cards(1, 80), port=unused_port)
    argv = (sys.executable, "-c", SERVER, str(tmp_path / "pids"), str(unused_port))
    return msgspec.structs.replace(plan, argv=argv), tmp_path / "pids"


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


async def ended(pids):
    async with asyncio.timeout(30):
        while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.05)


async def test_cancelling_ends_the_whole_tree(stand_in, monkeypatch):
    monkeypatch.setenv("SUTURE_API_KEY", "sk-hidden")
    plan, pids = stand_in
    ready = asyncio.Event()
    task = asyncio.create_task(serve(plan, lambda url: ready.set()))
    async with asyncio.timeout(60):
        await ready.wait()
    *numbers, key = pids.read_text().split()
    assert key == "sk-hidden"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended(map(int, numbers))


async def test_signals_are_passed_on(stand_in):
    plan, pids = stand_in
    ready = asyncio.Event()
    task = asyncio.create_task(serve(plan, lambda url: ready.set()))
    async with asyncio.timeout(60):
        await ready.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await task == -signal.SIGTERM
    await ended(map(int, pids.read_text().split()[:2]))


async def test_the_exit_code_is_the_servers(stand_in):
    plan, _ = stand_in
    assert await serve(msgspec.structs.replace(plan, argv=(sys.executable, "-c", "raise SystemExit(7)"))) == 7


async def test_vllm_that_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(PolicyUnavailable, match="not installed") as caught:
        await serve(serve_command(gpus=cards(1, 80)))
    assert "suture[vllm]" in caught.value.remedy
