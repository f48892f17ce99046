"""Bytes on one GPU, part by part. Every number is a formula over the model's shape; what is assumed stands beside it and is printed.

Training keeps weights, gradients and optimiser states in shards over the GPUs (FSDP2, ZeRO-3; Rajbhandari et al., 2020) and gathers one
block at a time. Blocks are recomputed in the backward pass (activation checkpointing; Chen et al., 2016), so only their inputs are kept.
Not modelled: fragmentation beyond `RESERVE`, padding of shards, vision towers, mixture of experts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_training.plan.machines import GIB
from suture_training.plan.shapes import Shape

Where = Literal["gpu", "host"]
"""Where the optimiser's states lie."""

HALF, SINGLE = 2, 4
"""Bytes of a number in bfloat16 and float32."""
ADAM = SINGLE + SINGLE
"""AdamW: two moments in float32."""
PREFETCHED = 2
"""Blocks that are gathered at once: the one that runs and the next."""
LOGITS = 1024
"""Tokens whose logits exist at once: TRL's fused head computes them in tiles and never holds all."""
RESERVE = 3 * GIB // 2
"""CUDA context, NCCL buffers, cuBLAS workspace."""
USABLE_PERCENT = 94
"""Of a GPU's memory; the rest is lost to fragmentation."""

VLLM_PERCENT = 90
"""Of a GPU's memory that vLLM takes."""
VLLM_OVERHEAD = 3 * GIB
"""Its activations, CUDA graphs and LoRA buffers."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on one GPU that trains, at the highest point of a step."""

    weights: int
    gradients: int
    optimiser: int
    lora: int = 0
    """Weights, gradients and optimiser states of the adapter."""
    gathered: int = 0
    """Blocks and embedding that are whole for a moment."""
    activations: int = 0
    logits: int = 0
    reserve: int = RESERVE
    host: int = 0
    """Bytes in the memory of the machine, of all its GPUs together; not part of the total."""

    @property
    def total(self) -> int:
        """Bytes on the GPU."""
        return self.weights + self.gradients + self.optimiser + self.lora + self.gathered + self.activations + self.logits + self.reserve


def full(shape: Shape, *, gpus: int, tokens: int, optimiser: Where) -> Memory:
    """All weights are trained, states over `gpus` GPUs, `tokens` tokens on each at once.

    `gpu`: master weights, gradients and moments in float32, 16 bytes a parameter. `host` (ZeRO-Offload; Ren et al., 2021): weights and
    gradients in bfloat16 on the GPUs, master weights, a float32 copy of the gradients and the moments in the machine's memory.
    """
    parameters = shape.parameters
    on_gpu = optimiser == "gpu"
    return Memory(
        weights=_shard(parameters * (SINGLE if on_gpu else HALF), gpus),
        gradients=_shard(parameters * (SINGLE if on_gpu else HALF), gpus),
        optimiser=_shard(parameters * ADAM, gpus) if on_gpu else 0,
        gathered=_gathered(shape, gpus, trained=True),
        activations=activations(shape, tokens),
        logits=logits(shape, tokens),
        host=0 if on_gpu else parameters * (SINGLE + SINGLE + ADAM),
    )


def lora(shape: Shape, *, gpus: int, tokens: int, rank: int) -> Memory:
    """Frozen weights in bfloat16, over `gpus` GPUs; a LoRA of that rank in float32 with its gradients and moments."""
    return Memory(
        weights=_shard(shape.parameters * HALF, gpus),
        gradients=0,
        optimiser=0,
        lora=_shard(shape.lora(rank) * (SINGLE + SINGLE + ADAM), gpus),
        gathered=_gathered(shape, gpus, trained=False),
        activations=activations(shape, tokens),
        logits=logits(shape, tokens),
    )


def activations(shape: Shape, tokens: int) -> int:
    """The inputs of all blocks, and everything inside the one block that is being recomputed, with the gradients of its widest part.

    Inside a block, bfloat16 unless said: two norms (input, float32 copy, output: 8 bytes a channel each), the residual stream; queries,
    keys and values before and after norm and rotation, the output of FlashAttention (no scores are stored; Dao et al., 2022); gate, up,
    their activation and product. In the backward pass gate and up have gradients at the same time.
    """
    kept = shape.layers * shape.hidden * HALF
    queries, cache = shape.heads * shape.head, shape.kv_heads * shape.head
    stream = 2 * 8 * shape.hidden + 2 * HALF * shape.hidden
    attention = HALF * (queries + 2 * cache) + 2 * HALF * (queries + cache) + HALF * queries
    mlp = 4 * HALF * shape.intermediate
    backward = 2 * HALF * shape.intermediate + HALF * shape.hidden
    return tokens * (kept + stream + attention + mlp + backward)


def logits(shape: Shape, tokens: int) -> int:
    """Logits and their gradients in float32, for `LOGITS` tokens at a time."""
    return min(tokens, LOGITS) * shape.vocabulary * 2 * SINGLE


def served(shape: Shape, *, memory: int, parallel: int) -> int:
    """Tokens of cache that a vLLM server over `parallel` GPUs has room for, weights in bfloat16; negative where the weights do not fit."""
    room = (memory * VLLM_PERCENT // 100 - VLLM_OVERHEAD) * parallel - shape.parameters * HALF
    return room // shape.kv_bytes


def usable(memory: int) -> int:
    """What of a GPU's memory a plan may fill."""
    return memory * USABLE_PERCENT // 100


def _gathered(shape: Shape, gpus: int, *, trained: bool) -> int:
    """Whole blocks and the embedding, in bfloat16, with as much again for gradients where the weights are trained; nothing on one GPU."""
    if gpus == 1:
        return 0
    return (PREFETCHED * shape.block + shape.embedding) * HALF * (2 if trained else 1)


def _shard(size: int, gpus: int) -> int:
    return -(-size // gpus)
