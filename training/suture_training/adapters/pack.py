"""`register`: a trained LoRA becomes an entry of the registry."""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path

import msgspec

from suture_agent.adapters import CONFIG, GGUF, WEIGHTS, Adapter, Base, Draft
from suture_agent.adapters.registry import Registry
from suture_agent.errors import AdapterError
from suture_sandbox.identity import identity_of
from suture_training.adapters.gguf import convert
from suture_training.adapters.peft_folder import NotConvertible, config_of, plain_config, tensors_of

logger = logging.getLogger(__name__)


class _Config(msgspec.Struct):
    model_type: str = ""


def register(source: Path, draft: Draft, *, model_type: str, registry: Registry | None = None) -> Adapter:
    """Put the adapter that PEFT saved in `source` into the registry; it is not in use by that.

    `model_type`: that of the base model's transformers configuration, such as `qwen3`. Raises AdapterError, and leaves nothing behind then.
    """
    return (registry or Registry()).add(draft, lambda folder: pack(source, folder, draft.base.name, model_type))


def pack(source: Path, target: Path, base: str, model_type: str) -> None:
    """Write an entry's files: PEFT's two in one form, and the one for llama.cpp where it can express the adapter."""
    config_of(source)
    tensors_of(source)
    shutil.copyfile(source / WEIGHTS, target / WEIGHTS)
    (target / CONFIG).write_bytes(plain_config(source, base))
    try:
        convert(target, target / GGUF, model_type)
    except NotConvertible as reason:
        (target / GGUF).unlink(missing_ok=True)
        logger.warning("the adapter has no form for llama.cpp: %s", reason)


def base_of(folder: Path, name: str, *, forms: tuple[str, ...] = ()) -> tuple[Base, str]:
    """The base model in a folder of transformers, and its `model_type`. Hashes all weights. Raises AdapterError where there are none.

    `forms`: digests of quantised files of the same weights, which the adapter may be served on.
    """
    weights = sorted(folder.glob("*.safetensors"))
    try:
        config = (folder / "config.json").read_bytes()
        found = msgspec.json.decode(config, type=_Config)
    except (OSError, msgspec.MsgspecError) as error:
        raise AdapterError(f"{folder / 'config.json'} cannot be read: {error}", remedy="name the folder of a transformers model") from error
    if not weights:
        raise AdapterError(f"{folder} has no *.safetensors", remedy="name the folder of a transformers model")
    hashes = {"config.json": hashlib.sha256(config).hexdigest(), **{path.name: sha256_of(path) for path in weights}}
    return Base(name=name, digest=identity_of(hashes), forms=forms), found.model_type


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
