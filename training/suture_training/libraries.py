"""The training libraries, loaded when they are needed: suture runs without them, and `suture --help` must not wait for them."""

from __future__ import annotations

import importlib
from typing import Any

from suture_training.errors import TrainingError


def library(name: str) -> Any:  # noqa: ANN401  # these libraries have no annotations that a strict checker could use
    """A module of torch, transformers, trl, peft, datasets or accelerate. Raises TrainingError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise TrainingError(
            f"{error.name} is not installed", remedy="install suture[train]; without a GPU, a CPU build of torch first"
        ) from error
