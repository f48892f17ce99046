"""Answers drawn from a transformers model of this process: requests that come in together are answered together.

The drawing is done in a thread, so that the event loop never waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from suture_agent.errors import PolicyError
from suture_training.sampling import Drawn, Row, draw

TOGETHER = 0.004
"""Seconds that the first request of a batch waits for others."""


class _Asked(msgspec.Struct, kw_only=True, eq=False):
    """A request that waits for its answers."""

    rows: tuple[Row, ...]
    future: asyncio.Future[tuple[Drawn, ...]]


class Batches:
    """Draws batch by batch. Use from one event loop; the weights may change between steps of training, when nothing is drawn."""

    def __init__(self, model: Any, *, end: int, pad: int, most: int) -> None:  # noqa: ANN401  # a transformers model
        """`most`: rows side by side."""
        self._model = model
        self._end = frozenset({end})
        self._pad = pad
        self._most = most
        self._waiting: list[_Asked] = []
        self._worker: asyncio.Task[None] | None = None

    async def draw(self, rows: tuple[Row, ...]) -> tuple[Drawn, ...]:
        """An answer for each row. Raises PolicyError."""
        asked = _Asked(rows=rows, future=asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await asked.future

    async def close(self) -> None:
        """End what is being drawn; whoever waits for it is told."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        """Answer what waits, batch by batch, until nothing does."""
        await asyncio.sleep(TOGETHER)
        while self._waiting:
            taken = self._take()
            ended = threading.Event()

            def nobody_waits(taken: list[_Asked] = taken, ended: threading.Event = ended) -> bool:
                return ended.is_set() or all(asked.future.done() for asked in taken)

            try:
                drawn = await asyncio.to_thread(self._draw, [row for asked in taken for row in asked.rows], nobody_waits)
            except asyncio.CancelledError:
                ended.set()
                _fail([*taken, *self._waiting], PolicyError("the policy was closed", remedy="start it again"))
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must not wait for ever
                _fail(taken, failure_of(error))
                continue
            at = 0
            for asked in taken:
                if not asked.future.done():
                    asked.future.set_result(tuple(drawn[at : at + len(asked.rows)]))
                at += len(asked.rows)

    def _take(self) -> list[_Asked]:
        """As many requests as fit into a batch, at least one; those that nobody waits for any more are left out."""
        taken: list[_Asked] = []
        waiting = [asked for asked in self._waiting if not asked.future.done()]
        while waiting and (not taken or sum(len(asked.rows) for asked in (*taken, waiting[0])) <= self._most):
            taken.append(waiting.pop(0))
        self._waiting = waiting
        return taken

    def _draw(self, rows: list[Row], stopped: Callable[[], bool]) -> list[Drawn]:
        was = self._model.training
        self._model.eval()
        try:
            return draw(self._model, rows, end=self._end, pad=self._pad, stopped=stopped)
        finally:
            self._model.train(was)


def failure_of(error: Exception) -> PolicyError:
    """What an error of a model is to whoever asked it."""
    failure = PolicyError(f"the model failed: {type(error).__name__}: {error}", remedy="lower the batch, or the context")
    failure.__cause__ = error
    return failure


def _fail(asked: Sequence[_Asked], error: PolicyError) -> None:
    for each in asked:
        if not each.future.done():
            each.future.set_exception(error)
