"""Answers drawn by a vLLM engine of this process, on the accelerator that trains: TRL's `colocate`, which hands the weights over.

TRL makes the engine and gives it the weights of each step before rollouts are asked for (`GRPOTrainer`, `vllm_mode="colocate"`). Its own
`generate` answers one batch and returns; an episode asks again and again. So the engine is stepped here, in a thread: requests join the
batch that is running, and one that nobody waits for any more is aborted.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from suture_agent.errors import PolicyError
from suture_training.batches import failure_of
from suture_training.libraries import library
from suture_training.sampling import Drawn, Row


class _Asked(msgspec.Struct, kw_only=True, eq=False):
    """A row that waits for its answer."""

    name: str
    row: Row
    future: asyncio.Future[Drawn]


class Colocated:
    """Draws from a `vllm.LLM`, which is given with `attach` once the trainer has made it. Use from one event loop."""

    def __init__(self, *, end: int) -> None:
        """`end`: the token that ends an answer."""
        self._end = end
        self._engine: Any = None
        self._lock = threading.Lock()
        """Held by the thread that uses the engine: a step cannot be interrupted."""
        self._numbers = itertools.count()
        self._new: list[_Asked] = []
        self._running: dict[str, _Asked] = {}
        self._worker: asyncio.Task[None] | None = None

    def attach(self, llm: Any) -> None:  # noqa: ANN401  # a vllm.LLM
        """Draw from this engine."""
        self._engine = llm.llm_engine

    async def draw(self, rows: tuple[Row, ...]) -> tuple[Drawn, ...]:
        """An answer for each row. Raises PolicyError; cancelling it aborts the requests."""
        if self._engine is None:
            raise PolicyError("the engine is not there yet", remedy="ask when the trainer has begun")
        asked = [self._ask(row) for row in rows]
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            return tuple(await asyncio.gather(*(each.future for each in asked)))
        finally:
            for each in asked:
                each.future.cancel()

    async def close(self) -> None:
        """End what is being drawn; whoever waits for it is told."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._fail(PolicyError("the policy was closed", remedy="start it again"))
        if self._running:
            await asyncio.to_thread(self._abort, list(self._running))
        self._running.clear()

    def _ask(self, row: Row) -> _Asked:
        asked = _Asked(name=f"suture-{next(self._numbers)}", row=row, future=asyncio.get_running_loop().create_future())
        self._new.append(asked)
        return asked

    async def _work(self) -> None:
        """Step the engine until nobody waits."""
        while self._new or self._running:
            new, self._new = [each for each in self._new if not each.future.done()], []
            gone = [name for name, each in self._running.items() if each.future.done()]
            self._running = {name: each for name, each in self._running.items() if name not in gone} | {each.name: each for each in new}
            try:
                ended = await asyncio.to_thread(self._step, new, gone)
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must not wait for ever
                left = list(self._running)
                self._fail(failure_of(error))
                self._running.clear()
                with contextlib.suppress(Exception):  # an engine that is broken may not be able to
                    await asyncio.to_thread(self._abort, left)
                return
            for name, drawn in ended:
                asked = self._running.pop(name, None)
                if asked is not None and not asked.future.done():
                    asked.future.set_result(drawn)

    def _step(self, new: Sequence[_Asked], gone: Sequence[str]) -> list[tuple[str, Drawn]]:
        """One step, in a thread; the answers that it completed."""
        if gone:
            self._abort(gone)
        with self._lock:
            for each in new:
                self._engine.add_request(each.name, {"prompt_token_ids": list(each.row.prompt)}, self._parameters(each.row))
            done: list[Any] = self._engine.step() if self._engine.has_unfinished_requests() else []
        return [(out.request_id, self._drawn(out.outputs[0])) for out in done if out.finished]

    def _abort(self, names: Sequence[str]) -> None:
        with self._lock:
            self._engine.abort_request(list(names))

    def _parameters(self, row: Row) -> Any:  # noqa: ANN401  # vllm.SamplingParams
        return library("vllm").SamplingParams(
            temperature=row.temperature,
            top_p=row.top_p,
            top_k=row.top_k,
            max_tokens=row.most,
            seed=row.seed % (1 << 31),
            stop_token_ids=[self._end],
            logprobs=0,
            detokenize=False,
        )

    def _drawn(self, answer: Any) -> Drawn:  # noqa: ANN401  # vllm.CompletionOutput
        tokens = tuple(int(token) for token in answer.token_ids)
        logprobs = tuple(float(step[token].logprob) for token, step in zip(tokens, answer.logprobs, strict=True))
        return Drawn(tokens=tokens, logprobs=logprobs, ended=bool(tokens) and tokens[-1] == self._end)

    def _fail(self, error: PolicyError) -> None:
        for each in (*self._new, *self._running.values()):
            if not each.future.done():
                each.future.set_exception(error)
        self._new.clear()
