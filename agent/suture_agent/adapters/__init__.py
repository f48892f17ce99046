"""Adapters: LoRA weights, each trained in one environment under one harness. The records are here.

An adapter lies in the user's data folder under the digest of its weights and configuration (`registry`), may be put to use once it beats
what it would replace on a matched held-out set (`compare`), and serves the workspaces whose environment and harness are those of its
training (`choose`, `policy`). Making one is training's business; nothing here needs more than the standard library and msgspec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from suture_sandbox.identity import identity_of

WEIGHTS, CONFIG, GGUF = "adapter_model.safetensors", "adapter_config.json", "adapter.gguf"
"""Files of an entry: the first two, as PEFT and vLLM read them, are its content; the third is the same weights for llama.cpp."""

RECORD, CARD = "record.json", "card.md"

FORMAT = 1
"""Of the record; a registry refuses one that is newer than it knows."""


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    """An identity with its named fields, so that two can be compared field by field."""

    digest: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, fields: Any) -> Identified:  # noqa: ANN401  # any tree of builtins and Structs
        """The identity of these fields."""
        return cls(digest=identity_of(fields), fields=msgspec.to_builtins(fields))

    @property
    def is_true(self) -> bool:
        """Whether the digest is that of the fields."""
        return self.digest == identity_of(self.fields)


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The model that an adapter was trained on."""

    name: str
    """As servers list it, such as `Qwen/Qwen3-32B`, or the name of an embedded model."""
    digest: str = ""
    """Of the weights that it was trained on."""
    forms: tuple[str, ...] = ()
    """Digests of other forms of the same weights that it may run on, such as a quantised GGUF file."""

    @property
    def digests(self) -> frozenset[str]:
        """Every digest that is this model."""
        return frozenset((self.digest, *self.forms)) - {""}


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What it was trained on."""

    digest: str
    """Identity of the data set."""
    name: str = ""
    rows: int = 0


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on one held-out set in one environment under one harness."""

    subject: Literal["adapter", "base"]
    """Whose score it is: the adapter's, or that of its base model without any."""
    evaluation: str
    """Identifier of the evaluation."""
    held_out: str
    """Digest of the held-out set."""
    environment: str
    """Identity in which it was measured."""
    harness: str
    passed: int
    of: int
    """Attempts: tasks times runs. Those that the machine or the policy failed are not among them."""
    low: float
    high: float
    """95 % interval of the rate, as the evaluation computed it."""
    tasks: Mapping[str, tuple[int, int]] = {}
    """Task -> passed, of. With them two scores are compared in pairs."""
    created: float = 0.0

    @property
    def rate(self) -> float:
        """Share of the attempts that passed."""
        return self.passed / self.of if self.of else 0.0


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an entry."""

    sha256: str
    size: int
    """Bytes."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of an adapter before it has files."""

    name: str
    """Short, chosen by who trained it; one adapter only has it."""
    base: Base
    data: Data
    environment: Identified
    harness: Identified
    varied: tuple[str, ...] = ()
    """Fields (dotted, such as `environment.dependencies` or `harness.budgets`) that differed within the training data on purpose: the
    adapter is not held to them."""
    training: Mapping[str, Any] = {}
    """Configuration of the training run."""
    scores: tuple[Score, ...] = ()
    note: str = ""
    """Whatever a person should know; Markdown, part of the card."""


class Adapter(Draft, frozen=True, kw_only=True):
    """An entry of the registry."""

    digest: str
    """Over the hashes of weights and configuration; the entry's folder has this name."""
    files: Mapping[str, File]
    created: float
    format: int = FORMAT

    @property
    def short(self) -> str:
        """The beginning of the digest, enough for people."""
        return self.digest[:12]

    @property
    def label(self) -> str:
        """Name and short digest."""
        return f"{self.name} ({self.short})"


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter was put to use, or taken out of it."""

    adapter: str
    """Digest."""
    at: float
    replaced: tuple[str, ...] = ()
    """Digests of those that served the same workspaces until then."""
    figures: str = ""
    """The comparison that decided."""
    override: str = ""
    """Why it was put to use against the figures; empty where they allowed it."""
    off: bool = False
    """Whether it was taken out of use."""
