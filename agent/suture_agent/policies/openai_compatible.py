"""`OpenAIPolicy`: a chat model behind any OpenAI-compatible server (vLLM, llama.cpp, and what else speaks it).

It talks to one server under one address. It starts no server, chooses no model that was not asked for unless the server is asked for its
first, sends no key that was not given to it, and keeps no state but its connections.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec

from suture_agent.errors import PolicyError, PolicyRefused, PolicyUnavailable
from suture_agent.policies import Capability, ChatRequest, Completion, OnText, PolicyIdentity
from suture_agent.policies.connection import Patience, answer, open_client
from suture_agent.policies.discovery import ServerFacts, capability_of, discover
from suture_agent.policies.failures import is_unknown, translated
from suture_agent.policies.lora import Lora, Route, route, unload
from suture_agent.policies.wire import Assembly, chat_body, together

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class OpenAIPolicy:
    """One model of one server. Safe to use from many tasks of one event loop."""

    def __init__(
        self,
        base_url: str,
        model: str = "",
        *,
        api_key: str = "",
        patience: Patience | None = None,
        capability: Capability | None = None,
        tokens: bool = False,
        lora: Lora | None = None,
    ) -> None:
        """`model` empty: the server's first one. `capability` overrides what server and name say. `lora`: answer with this adapter.

        `tokens`: ask a vLLM server for the tokens that were drawn and their log-probabilities, which training learns from.
        """
        self.base_url = base_url.rstrip("/")
        self._model = model
        self._key = api_key
        self._patience = patience or Patience()
        self._given = capability
        self._tokens = tokens
        self._lora = lora
        self._route: Route | None = None
        self._client: AsyncOpenAI | None = None
        self._facts: ServerFacts | None = None
        self._starting = asyncio.Lock()
        self._many = True

    @property
    def capability(self) -> Capability:
        """What was given, else what the server said, else what the model's name says."""
        if self._given is not None:
            return self._given
        return self._facts.capability if self._facts is not None else capability_of(self._model)

    async def start(self) -> PolicyIdentity:
        """Find out who the server is; asked anew after it did not answer a request. Raises PolicyUnavailable or PolicyRefused."""
        return (await self._known()).identity

    async def introduce(self) -> PolicyIdentity:
        """As `start`: asking a server loads nothing."""
        return await self.start()

    def adapted(self, lora: Lora) -> OpenAIPolicy:
        """The same model of the same server with an adapter."""
        return OpenAIPolicy(
            self.base_url,
            self._model,
            api_key=self._key,
            patience=self._patience,
            capability=self._given,
            tokens=self._tokens,
            lora=lora,
        )

    async def forget(self, lora: Lora) -> bool:
        """Have the server let go of an adapter that it was told to load: whether it had it. Raises PolicyUnavailable where none answers."""
        return lora.served in (await self._known()).models and await unload(await self._connected(), lora)

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Answer a request; several candidates share one prompt where the server can."""
        started = time.monotonic()
        facts = await self._known()
        if request.prefill and not self.capability.prefill:
            raise PolicyRefused(f"{self.base_url} cannot continue a started answer", remedy="use a harness without a prefill")
        try:
            done = await self._all(request, facts, on_text)
        except PolicyRefused:
            if self._lora is None or self._facts is facts:
                raise
            done = await self._all(request, await self._known(), on_text)  # the server was started anew, and is told again
        return msgspec.structs.replace(done, seconds=time.monotonic() - started)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client, self._facts = self._client, None, None
        if client is not None:
            await client.close()

    async def _known(self) -> ServerFacts:
        async with self._starting:
            if self._facts is None:
                client = await self._connected()
                try:
                    self._facts = await self._looked(client)
                except Exception as error:  # the boundary: the client's own errors and its HTTP library's become this floor's
                    raise translated(error, self.base_url, self._model) from error
            return self._facts

    async def _looked(self, client: AsyncOpenAI) -> ServerFacts:
        facts = await discover(client, self._model)
        if self._lora is None:
            return facts
        self._route = await route(client, facts, self._lora)
        return msgspec.structs.replace(facts, identity=msgspec.structs.replace(facts.identity, adapter=self._lora.digest))

    async def _connected(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = await asyncio.to_thread(open_client, self.base_url, self._key, self._patience)
        return self._client

    async def _all(self, request: ChatRequest, facts: ServerFacts, on_text: OnText | None) -> Completion:
        """All candidates. At temperature 0 they are equal, so one is asked for; servers refuse several there."""
        if request.candidates > 1 and request.temperature == 0:
            one = await self._one(msgspec.structs.replace(request, candidates=1), facts, on_text)
            return msgspec.structs.replace(one, choices=one.choices * request.candidates)
        done = await self._one(request if self._many else msgspec.structs.replace(request, candidates=1), facts, on_text)
        missing = request.candidates - len(done.choices)
        if missing <= 0:
            return done
        self._many = False
        return await self._one_by_one(request, facts, done)

    async def _one_by_one(self, request: ChatRequest, facts: ServerFacts, done: Completion) -> Completion:
        """The rest of the candidates from a server that ignores `n`, as many at once as it runs well."""
        gate = asyncio.Semaphore(max(1, self.capability.parallel))

        async def one(number: int) -> Completion:
            async with gate:
                return await self._one(msgspec.structs.replace(request, candidates=1, seed=request.seed + number), facts, None)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number)) for number in range(len(done.choices), request.candidates)]
        except ExceptionGroup as failed:  # not an except with a star: in Python 3.11.2 what it raises comes out as a group
            known = failed.subgroup(PolicyError)
            raise (known.exceptions[0] if known is not None else failed) from None
        return together([done, *(task.result() for task in tasks)])

    async def _one(self, request: ChatRequest, facts: ServerFacts, on_text: OnText | None) -> Completion:
        client = await self._connected()
        way = self._route or Route(model=facts.identity.name)
        body = chat_body(request, way.model, facts.dialect, switch=self.capability.thinking, tokens=self._tokens) | dict(way.body)
        try:
            return await answer(
                client, "/chat/completions", body, lambda: Assembly(request.candidates, request.prefill), self._patience, on_text
            )
        except PolicyUnavailable:
            self._facts = None
            raise
        except PolicyError:
            raise
        except Exception as error:  # the boundary: the client's own errors and its HTTP library's become this floor's
            known = translated(error, self.base_url, way.model, facts.models)
            if isinstance(known, PolicyUnavailable) or is_unknown(error):
                self._facts = None
            raise known from error
