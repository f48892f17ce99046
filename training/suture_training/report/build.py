"""`write_report`: the page of whatever a folder holds."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from suture_training.ledger import LedgerError

FILE = "report.html"

PAGES: Mapping[str, tuple[str, str]] = {
    "matrix.json": ("suture_training.report.matrix", "matrix_page"),
    "attribution.json": ("suture_training.report.attribution", "attribution_page"),
    "evaluation.json": ("suture_training.report.evaluation", "evaluation_page"),
    "run.toml": ("suture_training.report.training", "training_page"),
    "metrics.jsonl": ("suture_training.report.training", "training_page"),
}
"""File that a folder is known by -> module and function that make its page."""


def write_report(folder: Path, target: Path | None = None) -> Path:
    """Write the page of a run, an evaluation, a matrix or an attribution; where it is. Raises LedgerError for any other folder."""
    known = next((place for name, place in PAGES.items() if (folder / name).is_file()), None)
    if known is None:
        raise LedgerError(f"{folder} holds nothing to report on", remedy=f"name a folder with one of {', '.join(PAGES)} in it")
    make: Callable[[Path], str] = getattr(importlib.import_module(known[0]), known[1])
    content = make(folder)
    path = target or folder / FILE
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(content, encoding="utf-8", errors="backslashreplace")
    staged.replace(path)
    return path
