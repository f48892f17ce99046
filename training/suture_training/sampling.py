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

    Left-padded prompts, one key-value cache, rows that have ended are carried along until the last one ends.
    """
    torch = library("torch")
    if not rows:
        return []
    length = max(len(row.prompt) for row in rows)
    device = model.device
    ids = torch.tensor([[pad] * (length - len(row.prompt)) + list(row.prompt) for row in rows], device=device)
    mask = torch.tensor([[0] * (length - len(row.prompt)) + [1] * len(row.prompt) for row in rows], device=device)
    generators = [torch.Generator().manual_seed(row.seed % (1 << 63)) for row in rows]
    tokens: list[list[int]] = [[] for _ in rows]
    logprobs: list[list[float]] = [[] for _ in rows]
    open_rows = {number for number, row in enumerate(rows) if row.most > 0}
    cache: dict[str, Any] = {}
    with torch.inference_mode():
        while open_rows and not stopped():
            position = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            out = model(input_ids=ids, attention_mask=mask, position_ids=position, use_cache=True, logits_to_keep=1, **cache)
            name = "cache" if out.get("cache") is not None else "past_key_values"  # renamed in transformers 5.24
            cache = {name: out[name]}
            logits = out.logits[:, -1].float().cpu()
            chosen = [pad] * len(rows)
            for number in sorted(open_rows):
                row = rows[number]
                token, logprob = _one(logits[number], row, generators[number])
                chosen[number] = token
                tokens[number].append(token)
                logprobs[number].append(logprob)
                if token in end or len(tokens[number]) >= row.most:
                    open_rows.discard(number)
            ids = torch.tensor(chosen, device=device)[:, None]
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
    return [
        Drawn(tokens=tuple(row), logprobs=tuple(each), ended=bool(row) and row[-1] in end)
        for row, each in zip(tokens, logprobs, strict=True)
    ]


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
