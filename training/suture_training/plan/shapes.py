"""The shape of a dense Qwen model: what decides its parameters, its cache and its activations. Counts are exact, not rounded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from suture_agent.errors import SettingsError


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A decoder with grouped-query attention and a gated MLP, as Qwen2, Qwen2.5 and Qwen3 are."""

    name: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head: int
    """Size of one head."""
    vocabulary: int
    tied: bool = False
    """Whether the output projection is the embedding."""
    bias: bool = False
    """Whether queries, keys and values have a bias (Qwen2)."""
    head_norms: bool = True
    """Whether queries and keys are normalised per head (Qwen3)."""

    @property
    def linear(self) -> tuple[tuple[int, int], ...]:
        """(inputs, outputs) of the seven linear layers of a block: q, k, v, o, gate, up, down. LoRA is put on all of them."""
        attention, cache = self.heads * self.head, self.kv_heads * self.head
        mlp = ((self.hidden, self.intermediate),) * 2 + ((self.intermediate, self.hidden),)
        return ((self.hidden, attention), (self.hidden, cache), (self.hidden, cache), (attention, self.hidden), *mlp)

    @property
    def block(self) -> int:
        """Parameters of one block."""
        biases = (self.heads + 2 * self.kv_heads) * self.head if self.bias else 0
        norms = 2 * self.hidden + (2 * self.head if self.head_norms else 0)
        return sum(inputs * outputs for inputs, outputs in self.linear) + biases + norms

    @property
    def embedding(self) -> int:
        """Parameters of the embedding, and of the output projection where it is another matrix."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        return self.layers * self.block + self.embedding + self.hidden

    def lora(self, rank: int) -> int:
        """Parameters of a LoRA of that rank on every linear layer of every block."""
        return self.layers * rank * sum(inputs + outputs for inputs, outputs in self.linear)

    @property
    def kv_bytes(self) -> int:
        """Bytes of cache for one token at 16 bits: keys and values of all blocks."""
        return 2 * 2 * self.layers * self.kv_heads * self.head


def _qwen3(name: str, layers: int, hidden: int, intermediate: int, heads: int, *, tied: bool = False) -> Shape:
    return Shape(
        name=f"Qwen/{name}",
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        kv_heads=8,
        head=128,
        vocabulary=151_936,
        tied=tied,
    )


def _qwen2(name: str, layers: int, hidden: int, intermediate: int, heads: int, kv_heads: int, vocabulary: int, *, tied: bool) -> Shape:
    return Shape(
        name=f"Qwen/{name}",
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        kv_heads=kv_heads,
        head=hidden // heads,
        vocabulary=vocabulary,
        tied=tied,
        bias=True,
        head_norms=False,
    )


SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        _qwen3("Qwen3-32B", 64, 5120, 25_600, 64),
        _qwen3("Qwen3-14B", 40, 5120, 17_408, 40),
        _qwen3("Qwen3-8B", 36, 4096, 12_288, 32),
        _qwen3("Qwen3-4B", 36, 2560, 9728, 32, tied=True),
        _qwen3("Qwen3-1.7B", 28, 2048, 6144, 16, tied=True),
        _qwen3("Qwen3-0.6B", 28, 1024, 3072, 16, tied=True),
        _qwen2("Qwen2.5-Coder-32B-Instruct", 64, 5120, 27_648, 40, 8, 152_064, tied=False),
        _qwen2("Qwen2.5-Coder-7B-Instruct", 28, 3584, 18_944, 28, 4, 152_064, tied=False),
        _qwen2("Qwen2.5-Coder-1.5B-Instruct", 28, 1536, 8960, 12, 2, 151_936, tied=True),
        _qwen2("Qwen2.5-Coder-0.5B-Instruct", 24, 896, 4864, 14, 2, 151_936, tied=True),
    )
}
"""Models whose numbers are known, as their published configurations have them; others are read from the `config.json` of a local folder."""


class _Config(msgspec.Struct):
    model_type: str
    num_hidden_layers: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    head_dim: int | None = None
    tie_word_embeddings: bool = False


def shape_of(model: str) -> Shape:
    """The shape of a model of the table, or of one in a local folder. Raises SettingsError."""
    known = SHAPES.get(model)
    if known is not None:
        return known
    try:
        config = msgspec.json.decode((Path(model) / "config.json").read_bytes(), type=_Config)
    except (OSError, msgspec.MsgspecError) as error:
        known_names = ", ".join(SHAPES)
        raise SettingsError(
            f"the shape of {model!r} is not known", remedy=f"name a folder with a config.json, or one of {known_names}"
        ) from error
    if config.model_type not in ("qwen2", "qwen3"):
        raise SettingsError(f"{model} is a model of the type {config.model_type}", remedy="plans are for dense models: qwen2 and qwen3")
    return Shape(
        name=model,
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head=config.head_dim or config.hidden_size // config.num_attention_heads,
        vocabulary=config.vocab_size,
        tied=config.tie_word_embeddings,
        bias=config.model_type == "qwen2",
        head_norms=config.model_type == "qwen3",
    )
