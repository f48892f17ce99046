"""Folders that hold what an evaluation would have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("numpy")

from evaluations import written  # it needs numpy, which comes with an extra

from suture_training.evaluation.records import Evaluation, load


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[..., Path]:
    """See `evaluations.written`; the first argument is the folder's name."""
    return lambda name, *args, **kwargs: written(tmp_path / name, *args, **kwargs)


@pytest.fixture
def evaluation_of(folder_of: Callable[..., Path]) -> Callable[..., Evaluation]:
    return lambda *args, **kwargs: load(folder_of(*args, **kwargs))
