"""A folder that PEFT's `save_pretrained` wrote: its configuration, checked and put into one form, and its pairs of matrices."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from suture_agent.adapters import CONFIG, WEIGHTS
from suture_agent.errors import AdapterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_REMEDY = "name the folder that PEFT's save_pretrained wrote"


class NotConvertible(Exception):  # not an error of the floor: an adapter without a form for llama.cpp is whole
    """llama.cpp cannot express the adapter; the message says why."""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The adapter of one linear layer: what is added to its output is `scale * (x @ a.T) @ b.T`."""

    module: str
    """As the model names it: `model.layers.0.self_attn.q_proj`."""
    a: Any
    """float32, shape (rank, inputs)."""
    b: Any
    """float32, shape (outputs, rank)."""


class LoraConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Those parts of PEFT's configuration that decide what the matrices mean."""

    peft_type: str
    r: int
    lora_alpha: float
    use_rslora: bool = False
    bias: str = "none"
    use_dora: bool = False
    lora_bias: bool = False
    fan_in_fan_out: bool = False
    use_qalora: bool = False
    modules_to_save: list[str] | None = None
    alora_invocation_tokens: list[int] | None = None
    trainable_token_indices: Any = None
    layer_replication: Any = None
    target_parameters: Any = None
    alpha_pattern: dict[str, float] = {}

    @property
    def unusual(self) -> tuple[str, ...]:
        """Settings by which an adapter is more than pairs of matrices with one alpha; llama.cpp knows none of them."""
        more = (
            "use_dora",
            "lora_bias",
            "fan_in_fan_out",
            "use_qalora",
            "modules_to_save",
            "alora_invocation_tokens",
            "trainable_token_indices",
            "layer_replication",
            "target_parameters",
            "alpha_pattern",
        )
        return tuple(name for name in more if getattr(self, name)) + (("bias",) if self.bias != "none" else ())


def config_of(folder: Path) -> LoraConfig:
    """The configuration. Raises AdapterError for anything but LoRA."""
    try:
        config = msgspec.json.decode((folder / CONFIG).read_bytes(), type=LoraConfig)
    except (OSError, msgspec.MsgspecError) as error:
        raise AdapterError(f"{folder / CONFIG} cannot be read: {error}", remedy=_REMEDY) from error
    if config.peft_type != "LORA":
        raise AdapterError(f"{folder} holds an adapter of the kind {config.peft_type}, not LORA", remedy="train with peft's LoraConfig")
    return config


def plain_config(folder: Path, base: str) -> bytes:
    """The configuration's text in one form: sorted, with the base model's name in the place of a path of the machine that trained it.

    PEFT writes a set in the order in which it iterates, so that equal adapters had different digests.
    """
    config = msgspec.json.decode((folder / CONFIG).read_bytes(), type=dict[str, Any])
    config |= {"base_model_name_or_path": base, "revision": None}
    for name, value in config.items():
        if name in ("target_modules", "exclude_modules", "modules_to_save") and isinstance(value, list):
            config[name] = sorted(value)  # pyright: ignore[reportUnknownArgumentType]  # texts
    return msgspec.json.format(msgspec.json.encode(config, order="sorted"), indent=2) + b"\n"


def tensors_of(folder: Path) -> dict[str, Any]:
    """All tensors of the adapter. Raises AdapterError for a file that is damaged or empty, and for numbers that are not finite."""
    safetensors: Any = importlib.import_module("safetensors")
    load_file: Any = importlib.import_module("safetensors.torch").load_file  # numpy has no bfloat16
    path = folder / WEIGHTS
    try:
        tensors: dict[str, Any] = load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise AdapterError(f"{path} cannot be read: {error}", remedy=_REMEDY) from error
    if not tensors:
        raise AdapterError(f"{path} holds no matrices", remedy="see target_modules of the training run")
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise AdapterError(f"{key} holds numbers that are not finite", remedy="see the loss of the training run: it diverged")
    return tensors


def pairs_of(folder: Path) -> tuple[Pair, ...]:
    """The adapter's pairs, by module. Raises NotConvertible where it has more than pairs, and what `tensors_of` raises."""
    sides: dict[str, dict[str, Matrix]] = {}
    for key, tensor in tensors_of(folder).items():
        named = _KEY.fullmatch(key)
        if named is None:
            raise NotConvertible(f"{key} is no matrix of a linear layer")
        sides.setdefault(named["module"], {})[named["side"]] = tensor.float().numpy()
    for module, matrices in sides.items():
        if len(matrices) != 2 or matrices["A"].shape[0] != matrices["B"].shape[1]:
            raise AdapterError(f"{folder / WEIGHTS} has no fitting pair of matrices for {module}", remedy=_REMEDY)
    return tuple(Pair(module=module, a=matrices["A"], b=matrices["B"]) for module, matrices in sorted(sides.items()))
