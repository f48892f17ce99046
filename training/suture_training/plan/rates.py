"""From work to hours. What was published is used as it stands and cited; what is assumed is an argument and is printed.

Supervised training and preferences: floating-point operations over the GPUs' peak times a utilisation that is assumed. Reinforcement
learning: trajectories a second, since rollouts and sandboxes decide there, at the rates that SkyRL published for Qwen3-32B with executed
tests: from 0.107 to 0.32 trajectories a second on 40 H100, before and with Thunder.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_training.plan.machines import GPUS, Gpus
from suture_training.plan.shapes import SHAPES, Shape

Method = Literal["sft", "rl", "prefer"]

UTILISATION_PERCENT = 35
"""Of peak, for training with recomputation and sharding. Assumed."""
SPREAD_PERCENT = 30
"""How far the assumed utilisation may be off in either direction; gives the two ends of the hours."""

_GPUS, _SLOW, _FAST, _SANDBOXES = 40, 0.107, 0.32, 256
"""SkyRL: GPUs, trajectories a second before and with Thunder, sandboxes."""
SANDBOX_CORES, SANDBOX_GIB = 2, 4
"""SkyRL's sandboxes."""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Two ends of an estimate."""

    low: float
    high: float


def operations(shape: Shape, method: Method, *, context: int, full: bool) -> int:
    """Floating-point operations for one token of training.

    Forward 2 for each parameter, backward 4 (2 with frozen weights, which need no gradients of their own), 2 more for recomputing;
    attention 2 x 2 for each channel and earlier token, half of the context on average. Preferences run the reference once more, and a
    second time over mismatched pairs for KTO's estimate of the divergence.
    """
    forward = 2 * shape.parameters + 2 * shape.layers * shape.heads * shape.head * context
    passes = (4 if full else 3) + (2 if method == "prefer" else 0)
    return forward * passes


def training_hours(shape: Shape, gpus: Gpus, method: Method, *, tokens: int, context: int, full: bool, utilisation: int) -> Hours:
    """Hours for so many tokens, those of all epochs together, on so many GPUs at `utilisation` per cent of peak."""
    seconds = tokens * operations(shape, method, context=context, full=full) / (gpus.count * gpus.kind.tera * 1e12 * utilisation / 100)
    return Hours(low=seconds / 3600 / (1 + SPREAD_PERCENT / 100), high=seconds / 3600 / (1 - SPREAD_PERCENT / 100))


def rollout_hours(shape: Shape, gpus: Gpus, *, trajectories: int, sandboxes: int) -> Hours:
    """Hours for so many trajectories, training included, at SkyRL's rates for each GPU, scaled by parameters and by memory bandwidth, which
    bounds decoding; fewer sandboxes for each GPU than SkyRL had slow it down in proportion.
    """
    scale = gpus.count / _GPUS * SHAPES["Qwen/Qwen3-32B"].parameters / shape.parameters * gpus.kind.bandwidth / GPUS["H100"].bandwidth
    fed = min(1.0, sandboxes / (_SANDBOXES * scale))
    return Hours(low=trajectories / (_FAST * scale * fed) / 3600, high=trajectories / (_SLOW * scale * fed) / 3600)
