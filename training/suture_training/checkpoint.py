"""`checkpoint:DIR`: what was trained, answering from this process, so that it can be measured before any server serves it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from suture_training.errors import TrainingError
from suture_training.model import LoraSettings, ModelSettings, base_digest, load_model
from suture_training.policy import LocalPolicy
from suture_training.runs import Trained

PREFIX = "checkpoint:"


def open_checkpoint(spec: str) -> LocalPolicy:
    """The policy of `checkpoint:DIR`: the folder of a finished run, of an adapter that PEFT wrote, or of a model's whole weights.

    Raises TrainingError where the folder holds none of them.
    """
    folder = Path(spec.removeprefix(PREFIX)).expanduser()
    if not folder.is_dir():
        raise TrainingError(f"{folder} is no folder", remedy="name the folder of a finished run, of an adapter or of a model")
    try:
        settings = _settings(folder)
    except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
        raise TrainingError(f"{folder} cannot be read: {error}", remedy="train it anew, or name the folder of its weights") from error
    model, tokenizer = load_model(settings)
    adapted = settings.lora is not None
    return LocalPolicy(
        model.eval(),
        tokenizer,
        name=folder.name,
        base=base_digest(settings.path if adapted else settings.start or settings.path),
        adapter=base_digest(settings.start) if adapted else "",
    )


def _settings(folder: Path) -> ModelSettings:
    """How the model is loaded that lies in the folder."""
    if (folder / "run.toml").exists():
        if not (folder / "done.json").exists():
            raise TrainingError(f"the run in {folder} is not finished", remedy="go on with it: the command that began it, again")
        trained = msgspec.json.decode((folder / "done.json").read_bytes(), type=Trained)
        model: dict[str, Any] = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))["model"]
        return msgspec.structs.replace(msgspec.convert(model, ModelSettings), start=str(folder / trained.kind))
    if (folder / "adapter_config.json").exists():
        base = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        return ModelSettings(path=str(base), lora=LoraSettings(), start=str(folder))
    if (folder / "config.json").exists():
        return ModelSettings(path=str(folder))
    raise TrainingError(
        f"{folder} holds neither a run nor weights", remedy="name a folder with run.toml, adapter_config.json or config.json"
    )
