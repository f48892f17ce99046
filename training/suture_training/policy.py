"""`LocalPolicy`: a causal model of this process as a policy like any other. Rollouts and evaluation on a CPU, and tests, use it.

Requests that come in together are answered together, in a thread of its own, so that the event loop never waits. Answers carry their tokens
and log-probabilities. The weights may be changed between batches (`lock`): that is how a trainer hands over new ones.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from suture_agent.errors import ContextOverflow, PolicyError
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Finish, Message, OnText, PolicyIdentity
from suture_training.calls import called
from suture_training.rendering import Renderer, template_of
from suture_training.sampling import Drawn, Row, draw

TOGETHER = 0.004
"""Seconds that the first request of a batch waits for others."""


class _Asked(msgspec.Struct, kw_only=True, eq=False):
    """A request that waits for its answers."""

    rows: tuple[Row, ...]
    future: asyncio.Future[tuple[Drawn, ...]]


class LocalPolicy:
    """A transformers model with its tokenizer. Use from one event loop."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401  # a transformers model
        tokenizer: Any,  # noqa: ANN401  # its tokenizer, with a chat template
        *,
        name: str,
        base: str = "",
        adapter: str = "",
        context: int = 0,
        batch: int = 64,
        thinking: bool = False,
    ) -> None:
        self.model = model
        self.lock = threading.Lock()
        """Held while the model computes: whoever changes the weights takes it."""
        self._tokenizer = tokenizer
        self._renderer = Renderer(tokenizer, thinking=thinking)
        self._identity = PolicyIdentity(name=name, base=base, adapter=adapter, server=_server(), template=template_of(tokenizer))
        self._context = context or int(model.config.max_position_embeddings)
        self._batch = batch
        self._waiting: list[_Asked] = []
        self._worker: asyncio.Task[None] | None = None
        self.generated = 0
        """Tokens drawn so far."""

    @property
    def capability(self) -> Capability:
        """Tools where the chat template renders them."""
        tools = "tools" in str(self._tokenizer.chat_template)
        return Capability(context=self._context, tools=tools, prefill=True, parallel=self._batch)

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return self._identity

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Answer a request. Raises ContextOverflow for a prompt that leaves no room."""
        started = time.monotonic()
        prompt = self._renderer.prompt(request.messages, request.tools, request.prefill)
        room = self._context - len(prompt)
        if room < 1:
            raise ContextOverflow(f"the prompt has {len(prompt)} tokens, the model takes {self._context}", remedy="show it less")
        rows = tuple(
            Row(
                prompt=prompt,
                temperature=request.temperature,
                most=min(request.max_tokens, room),
                seed=request.seed + number,
                top_p=request.top_p,
                top_k=request.top_k,
            )
            for number in range(request.candidates)
        )
        asked = _Asked(rows=rows, future=asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        drawn = await asked.future
        choices = tuple(self._choice(request, prompt, each) for each in drawn)
        if on_text is not None and choices[0].text:
            on_text(choices[0].text)
        return Completion(
            choices=choices,
            prompt_tokens=len(prompt),
            completion_tokens=sum(len(each.tokens) for each in drawn),
            prompt_ids=prompt,
            seconds=time.monotonic() - started,
        )

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
                self._fail([*taken, *self._waiting], PolicyError("the policy was closed", remedy="start it again"))
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must not wait for ever
                failure = PolicyError(f"the model failed: {type(error).__name__}: {error}", remedy="lower the batch, or the context")
                failure.__cause__ = error
                self._fail(taken, failure)
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
        while waiting and (not taken or sum(len(asked.rows) for asked in (*taken, waiting[0])) <= self._batch):
            taken.append(waiting.pop(0))
        self._waiting = waiting
        return taken

    def _draw(self, rows: list[Row], stopped: Callable[[], bool]) -> list[Drawn]:
        with self.lock:
            was = self.model.training
            self.model.eval()
            try:
                drawn = draw(
                    self.model,
                    rows,
                    end=frozenset({self._tokenizer.eos_token_id}),
                    pad=self._tokenizer.pad_token_id,
                    stopped=stopped,
                )
            finally:
                self.model.train(was)
        self.generated += sum(len(each.tokens) for each in drawn)
        return drawn

    def _choice(self, request: ChatRequest, prompt: tuple[int, ...], drawn: Drawn) -> Choice:
        shown = drawn.tokens[:-1] if drawn.ended else drawn.tokens
        text = str(self._tokenizer.decode(shown, skip_special_tokens=False))
        for stop in request.stop:
            text = text.split(stop, 1)[0]
        content, calls = called(text) if request.tools else (text, ())
        finish: Finish = "tool_calls" if calls else "stop" if drawn.ended else "length"
        answer = Message(role="assistant", content=request.prefill + content, tool_calls=calls)
        self._renderer.answered(request.messages, answer, prompt, drawn.tokens, request.tools)
        return Choice(text=content, tool_calls=calls, finish=finish, token_ids=drawn.tokens, logprobs=drawn.logprobs)

    @staticmethod
    def _fail(asked: list[_Asked], error: PolicyError) -> None:
        for each in asked:
            if not each.future.done():
                each.future.set_exception(error)


def _server() -> str:
    from importlib.metadata import version

    return f"transformers {version('transformers')}"
