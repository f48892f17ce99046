"""Supervised fine-tuning on proven episodes: TRL's SFTTrainer on tokens and labels that the serving template made (`encode`).

The loss is on what the policy wrote, over whole conversations; instructions, tool replies and, where the rows say so, erroneous turns carry
none. Full weights or LoRA, as the model that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_training.encode import Encoded
from suture_training.errors import TrainingError
from suture_training.libraries import library
from suture_training.telling import Tell, callback, last_checkpoint, plain, quiet, silent


class SFTSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [sft] of a run's TOML."""

    steps: int = 0
    """Optimiser steps; 0 for `epochs`."""
    epochs: float = 3.0
    batch: int = 16
    """Examples a step and device."""
    micro_batch: int = 16
    learning_rate: float = 2e-5
    schedule: str = "cosine"
    warmup: int = 5
    """Steps."""
    weight_decay: float = 0.0
    longest: int = 32_768
    """Tokens; longer examples are left out and counted, never cut: an episode without its end teaches to go on for ever."""
    packing: bool = False
    """Needs FlashAttention, which a CPU has not."""
    checkpoint_every: int = 100
    seed: int = 0
    bf16: bool = False
    gradient_checkpointing: bool = True
    """Compute each block once more in the backward pass instead of keeping it: a third slower, and much less memory for long episodes."""


def train_sft(
    model: Any,  # noqa: ANN401  # a transformers or peft model
    tokenizer: Any,  # noqa: ANN401  # its tokenizer
    examples: Iterable[Encoded],
    settings: SFTSettings,
    out: Path,
    *,
    held_out: Sequence[Encoded] = (),
    tell: Tell = silent,
    after: Callable[[int], bool] | None = None,
) -> Any:  # noqa: ANN401  # the trained model
    """Train `model`; goes on where an interrupted run in `out` stopped. Returns the model. Raises TrainingError.

    `after` is called with the step at each checkpoint, with the model in the state of that step: for measuring
    repair rates on the way; true ends the training.
    """
    kept = [example for example in examples if len(example.input_ids) <= settings.longest]
    if not kept:
        raise TrainingError(f"no example has at most {settings.longest} tokens", remedy="raise sft.longest, or look at the dataset's card")

    trainer = quiet(
        library("trl").SFTTrainer(
            model=model,
            args=_arguments(settings, out, evaluates=bool(held_out)),
            train_dataset=_dataset(kept),
            eval_dataset=_dataset(held_out) if held_out else None,
            processing_class=tokenizer,
            callbacks=[callback(tell, after)],
        )
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(out / "checkpoints"))
    return trainer.model


def _dataset(examples: Sequence[Encoded]) -> Any:  # noqa: ANN401  # a datasets.Dataset
    return library("datasets").Dataset.from_list([{"input_ids": list(each.input_ids), "labels": list(each.labels)} for each in examples])


def _arguments(settings: SFTSettings, out: Path, *, evaluates: bool) -> Any:  # noqa: ANN401  # an SFTConfig
    if settings.batch % settings.micro_batch:
        raise TrainingError("sft.batch is no multiple of sft.micro_batch", remedy="choose sft.micro_batch so that it divides sft.batch")
    length: dict[str, Any] = {"max_steps": settings.steps} if settings.steps else {"num_train_epochs": settings.epochs}
    return library("trl").SFTConfig(
        output_dir=str(out / "checkpoints"),
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=settings.batch // settings.micro_batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_length=None,
        packing=settings.packing,
        packing_strategy="bfd",
        bf16=settings.bf16,
        gradient_checkpointing=settings.gradient_checkpointing,
        seed=settings.seed,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=settings.checkpoint_every,
        save_steps=settings.checkpoint_every,
        save_total_limit=2,
        logging_steps=5,
        logging_first_step=True,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        **length,
        **plain(),
    )
