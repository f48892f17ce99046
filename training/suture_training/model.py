"""Loading what is trained: base weights with their tokenizer and chat template, whole or under a LoRA adapter."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from suture_training.errors import TrainingError
from suture_training.libraries import library


class LoraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [model.lora]."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [model]."""

    path: str
    """A folder, or the name of a model on a hub that transformers can reach."""
    name: str = ""
    """What servers call it, where an adapter is registered: an adapter serves a model of that name. Empty for the path; of a folder, its
    last part."""
    forms: tuple[str, ...] = ()
    """Quantised forms of the same weights that an adapter may serve on: GGUF files, their SHA-256, or names of embedded models."""
    dtype: str = "float32"
    """`bfloat16` on a GPU."""
    lora: LoraSettings | None = None
    """Train an adapter instead of all weights."""
    start: str = ""
    """Folder of an adapter, or of whole weights, to go on from; empty for the base."""
    chat_template: str = ""
    """File with the template that serves; empty for the tokenizer's own."""
    attention: str = "sdpa"


def load_model(settings: ModelSettings) -> tuple[Any, Any]:
    """Model and tokenizer, ready to be trained. Raises TrainingError with what to do next."""
    transformers = library("transformers")
    transformers.utils.logging.disable_progress_bar()
    source = settings.start if settings.start and settings.lora is None else settings.path
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(settings.path)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source, dtype=getattr(library("torch"), settings.dtype), attn_implementation=settings.attention
        )
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{source} cannot be loaded: {error}", remedy="set model.path to a folder with config.json and safetensors"
        ) from error
    if settings.chat_template:
        tokenizer.chat_template = Path(settings.chat_template).read_text(encoding="utf-8")
    if "generation" not in str(tokenizer.chat_template):
        tokenizer.chat_template = training_template(tokenizer)
    if settings.lora is not None:
        model = _adapted(model, settings)
    return model, tokenizer


def training_template(tokenizer: Any) -> str:  # noqa: ANN401  # a transformers tokenizer
    """TRL's variant of a known family's template, in which the assistant's turns are marked. Serve with the same one.

    Raises TrainingError for a family that TRL does not know.
    """
    try:
        return str(library("trl.chat_template_utils").get_training_chat_template(tokenizer))
    except (ValueError, AttributeError) as error:
        raise TrainingError(
            f"the chat template does not mark what the assistant writes: {error}",
            remedy="name a file with {% generation %} around the assistant's turns: model.chat_template",
        ) from error


def base_digest(path: str) -> str:
    """SHA-256 over the weights in a folder, file by file in order; empty for a model that is not in a folder."""
    files = sorted(Path(path).glob("*.safetensors")) if Path(path).is_dir() else []
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            while part := content.read(1 << 22):
                whole.update(part)
    return whole.hexdigest() if files else ""


def _adapted(model: Any, settings: ModelSettings) -> Any:  # noqa: ANN401  # transformers' and peft's
    peft, lora = library("peft"), settings.lora
    assert lora is not None
    if settings.start:
        return peft.PeftModel.from_pretrained(model, settings.start, is_trainable=True)
    return peft.get_peft_model(
        model,
        peft.LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.targets),
            task_type="CAUSAL_LM",
        ),
    )
