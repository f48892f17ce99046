"""Drawing answers from a causal model in this process, with the log-probability of every token as it was drawn.

transformers' own `generate` draws from one random state for a whole batch, so that an answer would depend on which requests happened to
run beside it. Here every row has a seed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from suture_training.libraries import library


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that is wanted."""

    prompt: tuple[int, ...]
    temperature: float
    most: int
    """Longest answer in tokens."""
    seed: int
    top_p: float = 1.0
    top_k: int = 0


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    tokens: tuple[int, ...]
    """The end mark included where the model wrote one."""
    logprobs: tuple[float, ...]
    """Of each token under the whole distribution at the row's temperature (at 1 for a row that is not drawn but takes the likeliest)."""
    ended: bool
    """Whether the model ended its answer itself."""


def draw(model: Any, rows: Sequence[Row], *, end: frozenset[int], pad: int, stopped: Callable[[], bool] = lambda: False) -> list[Drawn]:  # noqa: ANN401  # a transformers model
    """Answer all rows side by side. `stopped` is asked before every token and ends all of them.

    Left-padded prompts, one key-value cache; a prompt that several rows share is read once, and a row that ended is left out.
    """
    torch = library("torch")
    if not rows:
        return []
    prompts = list(dict.fromkeys(row.prompt for row in rows))
    ids, mask = _padded(prompts, pad, model.device)
    generators = [torch.Generator().manual_seed(row.seed % (1 << 63)) for row in rows]
    tokens: list[list[int]] = [[] for _ in rows]
    logprobs: list[list[float]] = [[] for _ in rows]
    going: list[int] = [number for number, row in enumerate(rows) if row.most > 0]
    lanes = [prompts.index(rows[number].prompt) for number in going]
    cache: dict[str, Any] = {}
    with torch.inference_mode():
        while going and not stopped():
            position = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            out = model(input_ids=ids, attention_mask=mask, position_ids=position, use_cache=True, logits_to_keep=1, **cache)
            name = "cache" if out.get("cache") is not None else "past_key_values"  # renamed in transformers 5.24
            cache = {name: out[name]}
            for number, logits in zip(going, out.logits[lanes, -1].float().cpu(), strict=True):
                token, logprob = _one(logits, rows[number], generators[number])
                tokens[number].append(token)
                logprobs[number].append(logprob)
            left = [at for at, number in enumerate(going) if tokens[number][-1] not in end and len(tokens[number]) < rows[number].most]
            going, lanes = [going[at] for at in left], [lanes[at] for at in left]
            if lanes != list(range(len(mask))):
                mask = mask[lanes]
                cache[name].batch_select_indices(torch.tensor(lanes, dtype=torch.long, device=model.device))
            ids = torch.tensor([tokens[number][-1:] for number in going], dtype=torch.long, device=model.device).reshape(-1, 1)
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            lanes = list(range(len(going)))
    return [
        Drawn(tokens=tuple(row), logprobs=tuple(each), ended=bool(row) and row[-1] in end)
        for row, each in zip(tokens, logprobs, strict=True)
    ]


def _padded(prompts: Sequence[tuple[int, ...]], pad: int, device: Any) -> tuple[Any, Any]:  # noqa: ANN401  # torch's
    """Ids and attention mask of prompts, padded on the left."""
    torch = library("torch")
    length = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[pad] * (length - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    return ids, mask


def _one(logits: Any, row: Row, generator: Any) -> tuple[int, float]:  # noqa: ANN401  # torch's
    """One token and its log-probability."""
    torch = library("torch")
    if row.temperature <= 0:
        token = int(logits.argmax())
        return token, float(torch.log_softmax(logits, -1)[token])
    scores = torch.log_softmax(logits / row.temperature, -1)
    kept = scores
    if row.top_k:
        least = kept.topk(min(row.top_k, kept.numel())).values[-1]
        kept = kept.masked_fill(kept < least, float("-inf"))
    if row.top_p < 1:
        ordered, places = kept.sort(descending=True)
        before = ordered.exp().cumsum(-1) - ordered.exp()
        kept = kept.masked_fill(torch.zeros_like(kept, dtype=torch.bool).scatter(0, places, before > row.top_p), float("-inf"))
    token = int(torch.multinomial(torch.softmax(kept, -1), 1, generator=generator))
    return token, float(scores[token])
