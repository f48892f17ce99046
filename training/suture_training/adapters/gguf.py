"""An adapter for llama.cpp: PEFT's matrices under the names and in the container that llama.cpp reads.

Names and container come from llama.cpp's own `gguf` package. What is written here follows from its loader (llama.cpp, `llama-adapter.cpp`):
metadata `general.type = adapter`, `adapter.type = lora`, `adapter.lora.alpha`; per tensor of the model `NAME.lora_a` and `NAME.lora_b`,
and the delta is scaled by alpha / rank, the rank being that tensor's own. Only models whose attention is stored as they compute it are
listed: llama.cpp permutes rows of queries and keys for some others, which this does not.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suture_training.adapters.peft_folder import NotConvertible, config_of, pairs_of

ARCHITECTURES: Mapping[str, str] = {"qwen2": "QWEN2", "qwen3": "QWEN3"}
"""`model_type` of a transformers configuration, which is llama.cpp's name too -> its name in the `gguf` package."""

_LAYER = re.compile(r"\.layers\.(\d+)\.")


def convert(source: Path, target: Path, model_type: str) -> int:
    """Write the adapter of a PEFT folder as `target`: how many layers it has. Raises NotConvertible, or AdapterError for a damaged folder.

    Matrices are kept as float32: nothing of what was trained is rounded off.
    """
    if model_type not in ARCHITECTURES:
        raise NotConvertible(f"models of the type {model_type or 'unknown'} are not among {', '.join(ARCHITECTURES)}")
    config = config_of(source)
    if config.unusual:
        raise NotConvertible(f"llama.cpp has nothing for {', '.join(config.unusual)}")
    pairs = pairs_of(source)
    gguf: Any = importlib.import_module("gguf")
    layers = 1 + max((int(found[1]) for pair in pairs if (found := _LAYER.search(pair.module))), default=0)
    names: Any = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, ARCHITECTURES[model_type]), layers)
    writer: Any = gguf.GGUFWriter(str(target), model_type)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config.lora_alpha))
    for pair in pairs:
        name = names.get_name(f"{pair.module}.weight", try_suffixes=(".weight",))
        if name is None or not name.startswith("blk."):
            raise NotConvertible(f"{pair.module} is not a layer of a block")
        # Rank-stabilised LoRA scales by alpha / sqrt(rank) (Kalajdzievski, 2023); llama.cpp by alpha / rank.
        stabilised = math.sqrt(pair.a.shape[0]) if config.use_rslora else 1.0
        writer.add_tensor(f"{name}.lora_a", pair.a)
        writer.add_tensor(f"{name}.lora_b", pair.b * pair.b.dtype.type(stabilised))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(pairs)
