"""What a trainer tells while it runs, for any of TRL's trainers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from suture_training.libraries import library

Tell = Callable[[int, Mapping[str, float]], None]
"""Step and named values."""


def silent(_step: int, _values: Mapping[str, float]) -> None:
    """Nobody listens."""


def callback(tell: Tell, saved: Callable[[int], bool] | None = None) -> Any:  # noqa: ANN401  # a transformers.TrainerCallback
    """A callback that hands on what the trainer logs, and calls `saved` with the step at each checkpoint; true ends the training."""

    def on_log(_self: Any, _args: Any, state: Any, _control: Any, logs: Mapping[str, Any] | None = None, **_more: Any) -> None:  # noqa: ANN401  # transformers'
        tell(state.global_step, {name: float(value) for name, value in (logs or {}).items() if isinstance(value, int | float)})

    def on_save(_self: Any, _args: Any, state: Any, control: Any, **_more: Any) -> None:  # noqa: ANN401  # transformers'
        if saved is not None and saved(state.global_step):
            control.should_training_stop = True

    return type("Tells", (library("transformers").TrainerCallback,), {"on_log": on_log, "on_save": on_save})()


def plain() -> dict[str, Any]:
    """Arguments of every trainer: no bars, no service that is reported to, and no pinned memory where there is no accelerator."""
    return {"report_to": [], "disable_tqdm": True, "dataloader_pin_memory": library("torch").cuda.is_available()}


def quiet(trainer: Any) -> Any:  # noqa: ANN401  # one of TRL's trainers
    """The trainer without its habit of printing every log to standard output, which belongs to whoever called."""
    trainer.remove_callback(library("transformers.trainer_callback").PrinterCallback)
    return trainer


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint in a trainer's folder, None where there is none."""
    if not folder.is_dir():
        return None
    found = library("transformers.trainer_utils").get_last_checkpoint(str(folder))
    return None if found is None else str(found)
