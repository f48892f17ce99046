"""`LocalPolicy`: a model of this process as a policy like any other. Rollouts and evaluation on a CPU, and tests, use it.

Answers carry their tokens and log-probabilities. What draws them is a part of its own: the trainer's own model, in batches (`batches.py`),
or a vLLM engine beside the trainer (`colocated.py`).
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from suture_agent.errors import ContextOverflow
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Finish, Message, OnText, PolicyIdentity
from suture_training.batches import Batches
from suture_training.calls import called
from suture_training.rendering import Renderer, template_of
from suture_training.sampling import Drawn, Row


class Draws(Protocol):
    """What draws answers, for one event loop."""

    async def draw(self, rows: tuple[Row, ...]) -> tuple[Drawn, ...]:
        """An answer for each row. Raises PolicyError. Cancelling it ends the drawing."""
        ...

    async def close(self) -> None:
        """End what is being drawn; whoever waits for it is told."""
        ...


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
        draws: Draws | None = None,
    ) -> None:
        """`draws`: what draws the answers, the model itself unless told otherwise, at most `batch` side by side."""
        self._tokenizer = tokenizer
        self._renderer = Renderer(tokenizer, thinking=thinking)
        server = _server("transformers" if draws is None else "vllm")
        self._identity = PolicyIdentity(name=name, base=base, adapter=adapter, server=server, template=template_of(tokenizer))
        self._context = context or int(model.config.max_position_embeddings)
        self._batch = batch
        self._draws = draws or Batches(model, end=tokenizer.eos_token_id, pad=tokenizer.pad_token_id, most=batch)

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
        drawn = await self._draws.draw(rows)
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
        await self._draws.close()

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


def _server(engine: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{engine} {version(engine)}"
    except PackageNotFoundError:
        return engine
