"""Looking for a layout that fits, and for what would where none does.

Layouts in order of preference: everything on the GPUs; optimiser states in the machine's memory. For reinforcement learning the GPUs are
split: the fewest that the trainer needs train, the others serve rollouts, because rollouts are what takes the time; one GPU alone takes
turns (vLLM sleeps while it trains).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from suture_agent.errors import SettingsError
from suture_training.plan import memory
from suture_training.plan.machines import GIB, Gpus
from suture_training.plan.memory import Memory, Where
from suture_training.plan.rates import (
    SANDBOX_CORES,
    SANDBOX_GIB,
    SPREAD_PERCENT,
    UTILISATION_PERCENT,
    Hours,
    Method,
    rollout_hours,
    training_hours,
)
from suture_training.plan.shapes import Shape

COUNTS = (*range(1, 65), 128, 256, 512, 1024)
"""Of GPUs that a refusal tries."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be trained, and on what."""

    shape: Shape
    gpus: Gpus
    method: Method = "sft"
    rank: int = 0
    """Of the LoRA; 0 to train all weights."""
    context: int = 8192
    """Longest sequence, in tokens; each GPU has one at a time."""
    rows: int = 10_000
    """Supervised and preferences: conversations, each counted as `average` tokens."""
    average: int = 0
    """Tokens of a conversation; half of the context where 0."""
    epochs: int = 1
    steps: int = 200
    """Reinforcement: steps of `prompts` times `generations` trajectories."""
    prompts: int = 64
    generations: int = 8
    cores: int = 0
    """Of the machines that run sandboxes; 0 for as many as are wanted."""
    host_gib: int = 0
    """Memory of the machine that trains; 0 for as much as is wanted."""
    utilisation: int = UTILISATION_PERCENT

    @property
    def tokens(self) -> int:
        """Tokens of the whole supervised run."""
        return self.rows * (self.average or self.context // 2) * self.epochs


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which GPUs do what."""

    trainers: int
    optimiser: Where
    memory: Memory
    """Of one GPU that trains."""
    servers: int = 0
    parallel: int = 0
    """GPUs of one copy of the served model."""
    cache_tokens: int = 0
    """That all copies of the served model have room for."""
    takes_turns: bool = False
    """Whether the one GPU serves and trains in turns."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run that fits."""

    wanted: Wanted
    layout: Layout
    usable: int
    """Bytes of a GPU that a plan may fill."""
    longest: int
    """Longest context that would fit this layout."""
    sandboxes: int
    hours: Hours
    config: str
    """The shipped configuration that comes nearest; empty where none is near."""
    assumptions: tuple[str, ...]


class DoesNotFit(SettingsError):
    """No layout fits; the remedy says what would."""


def plan(wanted: Wanted) -> Plan:
    """The plan. Raises DoesNotFit."""
    layout = next(_fitting(wanted), None)
    if layout is None:
        raise _refusal(wanted)
    sandboxes = _sandboxes(wanted, layout)
    return Plan(
        wanted=wanted,
        layout=layout,
        usable=memory.usable(wanted.gpus.kind.memory),
        longest=_longest(wanted, layout),
        sandboxes=sandboxes,
        hours=_hours(wanted, sandboxes),
        config=_config(wanted, layout),
        assumptions=_assumptions(wanted, layout),
    )


def _fitting(wanted: Wanted) -> Iterator[Layout]:
    """Every layout that fits, best first."""
    places: tuple[Where, ...] = ("gpu",) if wanted.rank else ("gpu", "host")
    for optimiser in places:
        for layout in _layouts(wanted, optimiser):
            if _fits(wanted, layout):
                yield layout


def _layouts(wanted: Wanted, optimiser: Where) -> Iterator[Layout]:
    count = wanted.gpus.count
    if wanted.method != "rl":
        yield Layout(trainers=count, optimiser=optimiser, memory=_trained(wanted, count, optimiser))
    elif count == 1:
        yield _turns(wanted, optimiser)
    else:
        for trainers in range(1, count):
            yield from _split(wanted, trainers, optimiser)


def _split(wanted: Wanted, trainers: int, optimiser: Where) -> Iterator[Layout]:
    """The smallest copies of the served model that fit, as many as there is room for."""
    servers = wanted.gpus.count - trainers
    for parallel in (1, 2, 4, 8):
        if servers % parallel == 0 and wanted.shape.kv_heads % parallel == 0:
            tokens = memory.served(wanted.shape, memory=wanted.gpus.kind.memory, parallel=parallel)
            if tokens >= wanted.context:
                yield Layout(
                    trainers=trainers,
                    optimiser=optimiser,
                    memory=_trained(wanted, trainers, optimiser),
                    servers=servers,
                    parallel=parallel,
                    cache_tokens=tokens * (servers // parallel),
                )
                return


def _turns(wanted: Wanted, optimiser: Where) -> Layout:
    """One GPU: its trainer's weights and states stay while vLLM answers, activations and vLLM are never there together."""
    trained = _trained(wanted, 1, optimiser)
    standing = trained.total - trained.activations - trained.logits
    room = memory.usable(wanted.gpus.kind.memory) - standing - memory.VLLM_OVERHEAD - 2 * wanted.shape.parameters
    tokens = room // wanted.shape.kv_bytes
    return Layout(trainers=1, optimiser=optimiser, memory=trained, servers=1, parallel=1, cache_tokens=tokens, takes_turns=True)


def _trained(wanted: Wanted, trainers: int, optimiser: Where) -> Memory:
    if wanted.rank:
        return memory.lora(wanted.shape, gpus=trainers, tokens=wanted.context, rank=wanted.rank)
    return memory.full(wanted.shape, gpus=trainers, tokens=wanted.context, optimiser=optimiser)


def _fits(wanted: Wanted, layout: Layout) -> bool:
    trains = layout.memory.total <= memory.usable(wanted.gpus.kind.memory)
    serves = wanted.method != "rl" or layout.cache_tokens >= wanted.context
    hosted = not wanted.host_gib or layout.memory.host <= wanted.host_gib * GIB
    return trains and serves and hosted


def _longest(wanted: Wanted, layout: Layout) -> int:
    """The longest context, in steps of 1,024 tokens, that fits the layout."""
    free = memory.usable(wanted.gpus.kind.memory) - layout.memory.total
    more = free // memory.activations(wanted.shape, 1)
    trained = (wanted.context + max(0, more)) // 1024 * 1024
    return max(wanted.context, min(trained, layout.cache_tokens) if wanted.method == "rl" else trained)


def _sandboxes(wanted: Wanted, layout: Layout) -> int:
    """Rollouts in flight, each in a sandbox: what a step asks for, what the cache holds, what the cores run."""
    if wanted.method != "rl":
        return 0
    wide = min(wanted.prompts * wanted.generations, layout.cache_tokens // wanted.context)
    return min(wide, max(1, wanted.cores // SANDBOX_CORES)) if wanted.cores else wide


def _hours(wanted: Wanted, sandboxes: int) -> Hours:
    if wanted.method == "rl":
        trajectories = wanted.steps * wanted.prompts * wanted.generations
        return rollout_hours(wanted.shape, wanted.gpus, trajectories=trajectories, sandboxes=sandboxes)
    average = wanted.average or wanted.context // 2
    return training_hours(
        wanted.shape,
        wanted.gpus,
        wanted.method,
        tokens=wanted.tokens,
        context=average,
        full=not wanted.rank,
        utilisation=wanted.utilisation,
    )


def _config(wanted: Wanted, layout: Layout) -> str:
    if wanted.rank:
        return "lora_1x80.yaml" if layout.trainers == 1 else "fsdp2_lora.yaml"
    if layout.trainers == 1:
        return ""
    return "fsdp2_full.yaml" if layout.optimiser == "gpu" else "zero3_offload_8x80.yaml"


def _assumptions(wanted: Wanted, layout: Layout) -> tuple[str, ...]:
    found = [
        "one sequence of the whole context on each GPU at a time; blocks are recomputed (activation checkpointing); FlashAttention",
        f"logits exist for {memory.LOGITS} tokens at a time, as TRL's fused head has them; without it they take all tokens",
        f"{memory.USABLE_PERCENT} % of a GPU's memory can be filled, {memory.RESERVE / GIB:.1f} GiB of it by CUDA and NCCL",
    ]
    if not wanted.rank:
        found.append("AdamW with float32 master weights and moments: in pure bfloat16 steps of 1e-6 are rounded off")
    if layout.optimiser == "host":
        found.append("the optimiser runs on the machine's processors; its time is not in the hours")
    if wanted.method != "rl":
        average = wanted.average or wanted.context // 2
        found.append(f"{wanted.tokens:,} tokens: {wanted.rows:,} rows of {average:,}, {wanted.epochs} times, no padding")
        found.append(f"{wanted.utilisation} % of the GPUs' peak is reached, give or take {SPREAD_PERCENT} %: assumed, not measured")
        return tuple(found)
    found += [
        f"{wanted.steps} steps of {wanted.prompts} x {wanted.generations} trajectories; every one may fill the context",
        f"a sandbox has {SANDBOX_CORES} cores and {SANDBOX_GIB} GiB (SkyRL); ours take what their checks take",
        "hours: SkyRL's 0.107 to 0.32 trajectories a second on 40 H100 with 256 sandboxes, scaled by GPUs, parameters and memory bandwidth",
    ]
    return tuple(found)


def _refusal(wanted: Wanted) -> DoesNotFit:
    shape, gpus = wanted.shape, wanted.gpus
    kind = f"a LoRA of rank {wanted.rank}" if wanted.rank else "all weights"
    nearest = min((layout.memory.total for layout in _layouts(wanted, "gpu")), default=0)
    usable = memory.usable(gpus.kind.memory) / GIB
    least = f": {nearest / GIB:.1f} GiB are needed on a GPU that trains, {usable:.1f} can be used" if nearest else ""
    return DoesNotFit(
        f"{wanted.method} of {kind} of {shape.name} with {wanted.context:,} tokens does not fit {gpus.text}{least}",
        remedy="; ".join(_ways_out(wanted)) or "take a smaller model (--model) or larger GPUs",
    )


def _ways_out(wanted: Wanted) -> Iterator[str]:
    """What would fit, nearest first."""

    def fits(**changed: object) -> bool:
        return next(_fitting(msgspec.structs.replace(wanted, **changed)), None) is not None

    shorter = next(
        (tokens for tokens in range(wanted.context // 1024 * 1024, 0, -1024) if tokens < wanted.context and fits(context=tokens)), 0
    )
    if shorter:
        yield f"--context {shorter} fits"
    more = next((count for count in COUNTS if count > wanted.gpus.count and fits(gpus=Gpus(count=count, kind=wanted.gpus.kind))), 0)
    if more:
        yield f"--gpus {more}x{wanted.gpus.kind.name} fits"
    if not wanted.rank and fits(rank=16):
        yield "--lora 16 fits"
    if wanted.host_gib and fits(host_gib=0):
        need = next(_fitting(msgspec.structs.replace(wanted, host_gib=0))).memory.host
        yield f"{-(-need // GIB)} GiB of memory in the machine fit"
