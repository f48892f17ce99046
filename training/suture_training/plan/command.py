"""`suture train plan`: from what a person writes to a plan as lines and as data. Called by the command line, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from suture_agent.errors import SettingsError
from suture_training.plan.machines import GIB, gpus_of
from suture_training.plan.memory import Memory
from suture_training.plan.planning import Plan, Wanted, plan
from suture_training.plan.rates import SANDBOX_CORES, SANDBOX_GIB
from suture_training.plan.shapes import shape_of


def planned(options: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The plan for these options (those of the command, by name), for people and for programs. Raises SettingsError, DoesNotFit."""
    shape, gpus = shape_of(options["model"]), gpus_of(options["gpus"])
    fields = {name: value for name, value in options.items() if name not in ("model", "gpus") and value is not None}
    try:
        wanted = msgspec.convert({"shape": shape, "gpus": gpus, **fields}, Wanted, from_attributes=True)
    except msgspec.ValidationError as error:
        raise SettingsError(f"this cannot be planned: {error}", remedy="suture train plan --help") from error
    found = plan(wanted)
    return _lines(found), _data(found)


def _lines(found: Plan) -> list[str]:
    wanted, layout = found.wanted, found.layout
    kind = f"LoRA of rank {wanted.rank} ({wanted.shape.lora(wanted.rank):,} parameters)" if wanted.rank else "all weights"
    head = f"{wanted.method} of {wanted.shape.name} ({wanted.shape.parameters:,} parameters), {kind}"
    most = f"of {found.usable / GIB:.1f} that can be used; up to {found.longest:,} tokens fit"
    lines = [
        f"{head}, {wanted.context:,} tokens, on {wanted.gpus.text}",
        "",
        f"Memory of a GPU that trains ({layout.trainers} of {wanted.gpus.count}), GiB",
        *(f"  {name:<12}{size / GIB:7.1f}" for name, size in _parts(layout.memory)),
        f"  {'total':<12}{layout.memory.total / GIB:7.1f}  {most}",
    ]
    if layout.memory.host:
        lines.append(f"Memory of the machine for the optimiser: {-(-layout.memory.host // GIB)} GiB")
    if wanted.method == "rl":
        lines += ["", *_rollouts(found)]
    lines += ["", f"Hours: {_hours(found)}"]
    if found.config:
        lines.append(f"Configuration to begin with: suture train config {found.config}")
    return [*lines, "", "Assumed:", *(f"- {each}" for each in found.assumptions)]


def _rollouts(found: Plan) -> list[str]:
    layout, cores = found.layout, found.sandboxes * SANDBOX_CORES
    copies = layout.servers // layout.parallel
    each = f" over {layout.parallel} GPUs each" if layout.parallel > 1 else ""
    how = "the same GPU in turns" if layout.takes_turns else f"{copies} copies of the model{each}"
    return [
        f"Rollouts: {how}, {layout.cache_tokens:,} tokens of cache",
        f"Sandboxes at once: {found.sandboxes}, which take {cores} cores and {found.sandboxes * SANDBOX_GIB} GiB",
    ]


def _parts(memory: Memory) -> list[tuple[str, int]]:
    names = ("weights", "gradients", "optimiser", "lora", "gathered", "activations", "logits", "reserve")
    return [(name, size) for name in names if (size := getattr(memory, name))]


def _hours(found: Plan) -> str:
    low, high = found.hours.low, found.hours.high
    digits = 1 if high < 10 else 0
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _data(found: Plan) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(found)
    wanted, shape = found.wanted, found.wanted.shape
    data["wanted"] |= {"tokens": wanted.tokens}
    data["wanted"]["shape"] |= {"parameters": shape.parameters, "lora": shape.lora(wanted.rank), "kv_bytes": shape.kv_bytes}
    data["layout"]["memory"] |= {"total": found.layout.memory.total}
    return data
