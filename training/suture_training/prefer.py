"""Learning from people's decisions: TRL's KTO on accepted and rejected fixes, DPO on rejected fixes with the person's own correction.

One assistant message a row: TRL's completion mask is all ones, so that a tool reply in a completion would be trained. KTO compares each
row with its neighbour's prompt, so rows come shuffled with equal prompts kept apart, and in that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_agent.policies import Message
from suture_training.data.rows import Pair, Preference
from suture_training.errors import TrainingError
from suture_training.libraries import library
from suture_training.rendering import as_chat, as_tool
from suture_training.telling import Tell, callback, last_checkpoint, plain, quiet, silent

Method = Literal["kto", "dpo"]
_ANSWERS = ("completion", "chosen", "rejected")


class PreferSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [prefer] of a run's TOML."""

    method: Method = "kto"
    epochs: float = 1.0
    steps: int = 0
    """Optimiser steps; 0 for `epochs`."""
    batch: int = 8
    micro_batch: int = 8
    learning_rate: float = 5e-6
    beta: float = 0.1
    loss: str = "kto"
    """`kto` or `apo_zero_unpaired`; for dpo TRL's names."""
    longest: int = 16_384
    """Tokens of prompt and answer together; longer ones are left out, never cut."""
    checkpoint_every: int = 50
    seed: int = 0
    bf16: bool = False
    gradient_checkpointing: bool = True
    """Compute each block once more in the backward pass instead of keeping it: a third slower, and much less memory for long episodes."""


def weights_of(desirable: int, undesirable: int) -> tuple[float, float]:
    """Weights that bring the effective ratio of good to bad rows into [1, 4/3], where KTO's authors want it (Ethayarajh et al., 2024)."""
    if not desirable or not undesirable:
        raise TrainingError(
            f"{desirable} accepted and {undesirable} rejected fixes: both kinds are needed",
            remedy="collect more decisions; suture journal stats counts them",
        )
    ratio = desirable / undesirable
    if ratio < 1:
        return 1 / ratio, 1.0
    return (1.0, 1.0) if ratio <= 4 / 3 else (1.0, ratio / (4 / 3))


def weighted(rows: Sequence[Preference]) -> list[Preference]:
    """KTO rows by weight: TRL knows no weight of a row, so one of weight 1 comes four times, one of weight 0.2 once.

    The copies lie as far apart as the rows allow: KTO compares neighbours, which must not have one prompt.
    """
    copies = [max(1, round(4 * row.weight)) for row in rows]
    return [row for turn in range(4) for row, count in zip(rows, copies, strict=True) if turn < count]


def as_row(row: Preference | Pair) -> dict[str, Any]:
    """A row in TRL's shape. Marks of the chat template inside its texts are broken, as where it is served."""
    if isinstance(row, Preference):
        answers: dict[str, Any] = {"completion": [_chat(row.completion)], "label": row.label}
    else:
        answers = {"chosen": [_chat(row.chosen)], "rejected": [_chat(row.rejected)]}
    return {
        "prompt": [_chat(message) for message in row.prompt],
        **answers,
        "tools": [as_tool(schema) for schema in row.tools],
        "chat_template_kwargs": {"enable_thinking": row.thinking},
    }


def _chat(message: Message) -> dict[str, Any]:
    return {**as_chat(message), **({"reasoning_content": message.reasoning} if message.reasoning else {})}


def fitting(tokenizer: Any, rows: Sequence[Mapping[str, Any]], longest: int) -> list[Mapping[str, Any]]:  # noqa: ANN401  # a transformers tokenizer
    """The rows (`as_row`) of at most that many tokens. Raises TrainingError where there is none."""
    found = [row for row in rows if all(_tokens(tokenizer, row, name) <= longest for name in _ANSWERS if name in row)]
    if not found:
        raise TrainingError(f"no row has at most {longest} tokens", remedy="raise prefer.longest, or look at the dataset's card")
    return found


def _tokens(tokenizer: Any, row: Mapping[str, Any], answer: str) -> int:  # noqa: ANN401  # a transformers tokenizer
    options = {"tools": row["tools"] or None, "tokenize": True, "return_dict": True, **row["chat_template_kwargs"]}
    return len(tokenizer.apply_chat_template([*row["prompt"], *row[answer]], **options)["input_ids"])


def train_prefer(
    model: Any,  # noqa: ANN401  # a transformers or peft model
    tokenizer: Any,  # noqa: ANN401  # its tokenizer
    rows: Sequence[Mapping[str, Any]],
    settings: PreferSettings,
    out: Path,
    *,
    tell: Tell = silent,
) -> Any:  # noqa: ANN401  # the trained model
    """Train on rows (`as_row`) with completion and label (kto) or chosen and rejected (dpo). Returns the model. Raises TrainingError."""
    trainer = trainer_of(model, tokenizer, rows, settings, out, tell=tell)
    trainer.train(resume_from_checkpoint=last_checkpoint(out / "checkpoints"))
    return trainer.model


def trainer_of(
    model: Any,  # noqa: ANN401  # a transformers or peft model
    tokenizer: Any,  # noqa: ANN401  # its tokenizer
    rows: Sequence[Mapping[str, Any]],
    settings: PreferSettings,
    out: Path,
    *,
    tell: Tell = silent,
) -> Any:  # noqa: ANN401  # TRL's trainer
    """What trains, with the rows tokenised."""
    if settings.micro_batch < 2 and settings.method == "kto":
        raise TrainingError("KTO needs two rows in a batch", remedy="set prefer.micro_batch to 2 or more")
    make = _kto if settings.method == "kto" else _dpo
    return quiet(make(model, tokenizer, _dataset(rows), settings, out, [callback(tell)]))


def _dataset(rows: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401  # a datasets.Dataset
    """The rows, messages and tools as JSON: as Arrow structs each would get the keys of all others, and templates print those as nulls."""
    datasets = library("datasets")
    json = datasets.Json()
    shapes = {bool: datasets.Value("bool"), list: datasets.List(json), dict: json}
    features = datasets.Features({name: shapes[type(value)] for name, value in rows[0].items()})
    return datasets.Dataset.from_list([dict(row) for row in rows], features=features)


def _kto(model: Any, tokenizer: Any, rows: Any, settings: PreferSettings, out: Path, callbacks: list[Any]) -> Any:  # noqa: ANN401  # TRL's
    trl = library("trl")
    good = sum(rows["label"])
    desirable, undesirable = weights_of(good, len(rows) - good)
    arguments = trl.KTOConfig(
        **_common(settings, out),
        loss_type=settings.loss,
        desirable_weight=desirable,
        undesirable_weight=undesirable,
        train_sampling_strategy="sequential",
        precompute_ref_log_probs=True,
    )
    return trl.KTOTrainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer, callbacks=callbacks)


def _dpo(model: Any, tokenizer: Any, rows: Any, settings: PreferSettings, out: Path, callbacks: list[Any]) -> Any:  # noqa: ANN401  # TRL's
    trl = library("trl")
    arguments = trl.DPOConfig(
        **_common(settings, out),
        loss_type=["sigmoid" if settings.loss == "kto" else settings.loss],
        precompute_ref_log_probs=True,
    )
    return trl.DPOTrainer(model=model, args=arguments, train_dataset=rows, processing_class=tokenizer, callbacks=callbacks)


def _common(settings: PreferSettings, out: Path) -> dict[str, Any]:
    length: dict[str, Any] = {"max_steps": settings.steps} if settings.steps else {"num_train_epochs": settings.epochs}
    return {
        "output_dir": str(out / "checkpoints"),
        "per_device_train_batch_size": settings.micro_batch,
        "gradient_accumulation_steps": max(1, settings.batch // settings.micro_batch),
        "learning_rate": settings.learning_rate,
        "beta": settings.beta,
        "max_length": settings.longest,
        "bf16": settings.bf16,
        "gradient_checkpointing": settings.gradient_checkpointing,
        "seed": settings.seed,
        "save_steps": settings.checkpoint_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        **length,
        **plain(),
    }
