"""Which model an adapter is of: what the run's [model] says, as servers will tell it when the adapter is to serve."""

from __future__ import annotations

from pathlib import Path

from suture_agent.adapters import Base
from suture_agent.adapters.names import is_digest
from suture_agent.errors import AdapterError
from suture_agent.models import CATALOGUE
from suture_training.adapters.pack import base_of, sha256_of
from suture_training.libraries import library
from suture_training.model import ModelSettings


def base_for(settings: ModelSettings) -> tuple[Base, str]:
    """The base model of a run, and its `model_type`. Hashes all weights. Raises AdapterError where they cannot be found."""
    return base_of(folder_of(settings.path), name_of(settings), forms=tuple(map(form_of, settings.forms)))


def name_of(settings: ModelSettings) -> str:
    """What servers call the model: what the settings say, else its name on the hub, else that of its folder."""
    return settings.name or (Path(settings.path).resolve().name if Path(settings.path).is_dir() else settings.path)


def folder_of(path: str) -> Path:
    """Where a model's files lie: its folder, or where the hub's library put what it has fetched. Raises AdapterError."""
    if Path(path).is_dir():
        return Path(path)
    hub = library("huggingface_hub")
    try:
        return Path(hub.snapshot_download(path, local_files_only=True))
    except (OSError, ValueError) as error:
        raise AdapterError(f"the files of {path} are not on this machine: {error}", remedy="set model.path to its folder") from error


def form_of(told: str) -> str:
    """The digest of a quantised form: of an embedded model by its name, of a GGUF file, or as it stands. Raises AdapterError."""
    embedded = {model.name: model.sha256 for model in CATALOGUE}
    if told in embedded or is_digest(told):
        return embedded.get(told, told)
    try:
        return sha256_of(Path(told))
    except OSError as error:
        raise AdapterError(
            f"model.forms names {told}: {error.strerror or error}",
            remedy=f"name a GGUF file, its SHA-256, or one of {', '.join(embedded)}",
        ) from error
