"""`EmbeddedPolicy`: a small model on this machine's CPU, run by llama.cpp in a process of its own.

The conversation is rendered here (`chatml`), so the model continues a started answer exactly. One prompt is read once, whatever the number
of candidates, and stays cached for the next request. The engine is shared and outlives a run by a minute; see `engine`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suture_agent.errors import ContextOverflow, PolicyError, PolicyRefused, PolicyUnavailable
from suture_agent.models import CATALOGUE, DEFAULT_MODEL, Model, default_cache, local_sources, model_named, status_of, weights_in
from suture_agent.models.digest import verify
from suture_agent.policies import Capability, ChatRequest, Completion, OnText, PolicyIdentity, chatml
from suture_agent.policies.connection import Patience, answer, open_client
from suture_agent.policies.engine import EngineSettings
from suture_agent.policies.engines import Lease, attach
from suture_agent.policies.failures import translated
from suture_agent.policies.lora import Lora, gguf_of
from suture_agent.policies.wire import Assembly, sampling_body, together

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONTEXT = 8192
SLOTS = 4
# An engine that died is found out at once and started anew here, so the client need not try for long.
_PATIENCE = Patience(connect=5, read=600, total=1200, retries=1, restarts=0)


class EmbeddedPolicy:
    """One model of the catalogue. Safe to use from many tasks of one event loop; they are answered one after the other."""

    def __init__(
        self,
        name: str = DEFAULT_MODEL,
        *,
        models: Path | None = None,
        cache: Path | None = None,
        folder: Path | None = None,
        threads: int = 0,
        idle: float = 600.0,
        orphaned: float = 60.0,
        timeout: float = 1200.0,
        catalogue: tuple[Model, ...] = CATALOGUE,
        lora: Lora | None = None,
    ) -> None:
        """`models`: a folder of the user's with weights, looked into before the cache; `folder`: where engines are recorded; `threads`:
        0 for the physical cores; `timeout`: seconds for one request; `lora`: answer with it.
        """
        self.model = model_named(name, catalogue)
        self._models = models
        self._cache = cache
        self._patience = msgspec.structs.replace(_PATIENCE, total=timeout)
        self._folder = folder
        self._threads = threads
        self._idle = idle
        self._orphaned = orphaned
        self._catalogue = catalogue
        self._lora = lora
        self._lease: Lease | None = None
        self._client: AsyncOpenAI | None = None
        self._starting = asyncio.Lock()
        self._turn = asyncio.Lock()

    @property
    def capability(self) -> Capability:
        """A small model: no tools, but it continues what was begun for it."""
        return Capability(context=CONTEXT, tools=False, prefill=True, thinking=False, parallel=1)

    async def start(self) -> PolicyIdentity:
        """Check the weights and hold an engine. Raises PolicyUnavailable with what to do."""
        lease, _ = await self._held()
        return msgspec.structs.replace(await self.introduce(), server=lease.record.server)

    async def introduce(self) -> PolicyIdentity:
        """Who it is, but for the engine's version; starts nothing."""
        return PolicyIdentity(
            name=self.model.name,
            base=self.model.sha256,
            adapter=self._lora.digest if self._lora is not None else "",
            quantisation=self.model.quantisation,
            template=chatml.TEMPLATE,
        )

    def adapted(self, lora: Lora) -> EmbeddedPolicy:
        """The same model with an adapter, in an engine of its own: llama.cpp loads adapters when it starts. Raises PolicyUnavailable."""
        gguf_of(lora)
        return EmbeddedPolicy(
            self.model.name,
            models=self._models,
            cache=self._cache,
            folder=self._folder,
            threads=self._threads,
            idle=self._idle,
            orphaned=self._orphaned,
            timeout=self._patience.total,
            catalogue=self._catalogue,
            lora=lora,
        )

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Answer a request. An engine that died is started anew once; dying again over the same request is a PolicyError."""
        if request.tools:
            raise PolicyRefused(f"{self.model.name} does not call tools", remedy="use the direct harness")
        started = time.monotonic()
        async with self._turn:
            done = await self._answered(request, on_text)
        return msgspec.structs.replace(done, seconds=time.monotonic() - started)

    async def close(self) -> None:
        """Let the engine go. It ends by itself when nobody holds it for a while."""
        async with self._starting:
            await self._let_go()

    async def _answered(self, request: ChatRequest, on_text: OnText | None) -> Completion:
        lease, client = await self._held()
        try:
            return await self._all(request, on_text, lease, client)
        except PolicyError as error:
            if lease.alive or isinstance(error, ContextOverflow):
                raise
        lease, client = await self._held()
        return await self._all(request, on_text, lease, client)

    async def _all(self, request: ChatRequest, on_text: OnText | None, lease: Lease, client: AsyncOpenAI) -> Completion:
        """All candidates, as many at once as the engine has slots. At temperature 0 they are equal, so one is asked for."""
        if request.temperature == 0:
            one = await self._batch(msgspec.structs.replace(request, candidates=1), on_text, lease, client)
            return msgspec.structs.replace(one, choices=one.choices * request.candidates)
        parts: list[Completion] = []
        for first in range(0, request.candidates, SLOTS):
            count = min(SLOTS, request.candidates - first)
            batch = msgspec.structs.replace(request, candidates=count, seed=request.seed + first)
            parts.append(await self._batch(batch, None if first else on_text, lease, client))
        return together(parts)

    async def _batch(self, request: ChatRequest, on_text: OnText | None, lease: Lease, client: AsyncOpenAI) -> Completion:
        prompt = chatml.render(request.messages, request.prefill)
        body = {
            **sampling_body(request),
            "top_k": request.top_k,
            "min_p": request.min_p,
            "cache_prompt": True,
            "model": self.model.name,
            "prompt": prompt,
        }

        def grown(text: str) -> None:
            lease.touch()
            if on_text is not None:
                on_text(text)

        lease.touch()
        try:
            return await answer(client, "/completions", body, lambda: Assembly(request.candidates), self._patience, grown)
        except PolicyError:
            raise
        except Exception as error:  # the boundary: the client's own errors and its HTTP library's become this floor's
            raise translated(error, "the embedded engine", self.model.name) from error
        finally:
            lease.touch()

    async def _held(self) -> tuple[Lease, AsyncOpenAI]:
        async with self._starting:
            if self._lease is not None and self._client is not None and self._lease.alive:
                return self._lease, self._client
            await self._let_go()
            path = await self.weights()
            self._lease = await attach(await asyncio.to_thread(self._settings, path), self._folder)
            record = self._lease.record
            self._client = await asyncio.to_thread(open_client, f"{record.url}/v1", record.key, self._patience)
            return self._lease, self._client

    async def _let_go(self) -> None:
        lease, self._lease = self._lease, None
        client, self._client = self._client, None
        if lease is not None:
            lease.release()
        if client is not None:
            await client.close()

    async def weights(self) -> Path:
        """The model's file, checked, with the engine installed to run it. Raises PolicyUnavailable with what to do."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise PolicyUnavailable("the embedded engine is not installed", remedy="pip install 'suture[local]'")
        own = weights_in(self.model, (self._models,) if self._models else local_sources())
        if own is not None:
            await asyncio.to_thread(verify, own, self.model, remember=False)
            return own
        found = status_of(self.model, self._cache or default_cache())
        if found.state in {"absent", "partial"}:
            raise PolicyUnavailable(f"the weights of {self.model.name} are not here", remedy=f"suture model pull {self.model.name}")
        await asyncio.to_thread(verify, found.path, self.model)
        return found.path

    def _settings(self, path: Path) -> EngineSettings:
        lora, lora_sha256 = gguf_of(self._lora) if self._lora is not None else ("", "")
        return EngineSettings(
            model=str(path),
            sha256=self.model.sha256,
            context=2 * CONTEXT,
            parallel=SLOTS,
            threads=self._threads or _cores(),
            lora=lora,
            lora_sha256=lora_sha256,
            idle=self._idle,
            orphaned=self._orphaned,
        )


def _cores() -> int:
    """Physical cores that this process may use: a second thread on a core makes generation slower."""
    import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
