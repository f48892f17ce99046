"""The bridge to the training floor: named as text, imported when a command is called, so that the floors do not know each other."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from suture_sandbox.errors import ConfigurationError


def training(name: str) -> Any:  # noqa: ANN401  # the server's floor knows no type of the training floor
    """A function or class of the training floor by `module:name`, below `suture_training`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(f"suture_training.{module}"), attribute)


@contextmanager
def extras() -> Generator[None, None, None]:
    """Say what to install where a library of the training floor is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is not installed", remedy="pip install 'suture[train]'") from error
