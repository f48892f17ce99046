"""`AdaptedPolicy`: a policy that answers with the adapter that fits the workspace, looked up anew for every episode.

The registry's pointer is read before an episode begins, so `suture adapter use` takes effect in a running language server with the next
one. An episode keeps the weights that it began with: it holds a policy of its own, which is closed when nobody holds it and another one
serves. To whoever knows no adapters this is a policy like any other, which picks once, when it is started.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from suture_agent.adapters import GGUF, Adapter, Identified
from suture_agent.adapters.choose import Choice, choose
from suture_agent.adapters.names import RESERVED
from suture_agent.adapters.registry import Registry
from suture_agent.errors import AdapterError, PolicyUnavailable
from suture_agent.harness import Harness
from suture_agent.policies import Capability, ChatRequest, Completion, OnText, Policy, PolicyIdentity
from suture_agent.policies.lora import Adaptable, Lora

Judged = Callable[[PolicyIdentity], Awaitable[str]]
"""What the harness says of the judge of a policy that introduced itself so (`Harness.judge`). Raises PolicyUnavailable."""


async def unjudged(_identity: PolicyIdentity) -> str:
    """There is no judge."""
    return "off"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say."""

    adapters: str = "matched"
    """`matched`, `off`, or an adapter's name or digest."""
    require: bool = False


class Picker:
    """Picks from a registry for one workspace."""

    def __init__(
        self, registry: Registry, wanted: Wanted, environment: Identified, harness_of: Callable[[Policy, PolicyIdentity], Harness]
    ) -> None:
        self._registry = registry
        self._wanted = wanted
        self._environment = environment
        self._harness_of = harness_of

    def __call__(self, policy: Policy, identity: PolicyIdentity, judge: str) -> Choice:
        """The adapter that serves, and what to say of it. `judge`: what the harness says of the judge."""
        named = self._registry.find(self._wanted.adapters) if self._wanted.adapters not in RESERVED else None
        used = self._registry.used() if self._wanted.adapters == "matched" else ()
        if named is None and not used and not self._wanted.require:
            return Choice()
        harness = Identified.of(msgspec.structs.replace(self._harness_of(policy, identity), judge=judge))
        return choose(self._wanted.adapters, named, used, identity, self._environment, harness, require=self._wanted.require)

    def lora(self, adapter: Adapter) -> Lora:
        """The adapter's files, every one of them hashed. Raises AdapterError."""
        folder = self._registry.verify(adapter)
        file = adapter.files.get(GGUF)
        return Lora(
            digest=adapter.digest,
            label=adapter.label,
            folder=folder,
            gguf=folder / GGUF if file is not None else None,
            gguf_sha256=file.sha256 if file is not None else "",
        )


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What one episode holds."""

    policy: Policy
    identity: PolicyIdentity


class AdaptedPolicy:
    """See the module. Safe to use from many tasks of one event loop."""

    def __init__(
        self, base: Policy, picker: Picker, tell: Callable[[str], None] = lambda _text: None, *, judged: Judged = unjudged
    ) -> None:
        """`tell` is told once whenever another adapter serves, or none does although some are in use, with what does not match."""
        self.base = base
        self._picker = picker
        self._judged = judged
        self._tell = tell
        self._said = ""
        self._serving: Policy | None = None
        self._adapter = ""
        self._holders: dict[int, int] = {}
        """Policy (by identity) -> episodes that hold it."""
        self._picking = asyncio.Lock()

    @property
    def capability(self) -> Capability:
        """The base model's: an adapter changes none of it."""
        return self.base.capability

    async def introduce(self) -> PolicyIdentity:
        """Who answers without an adapter. Raises PolicyUnavailable."""
        return await (self.base.introduce() if isinstance(self.base, Adaptable) else self.base.start())

    async def start(self) -> PolicyIdentity:
        """Pick, where that was not done yet, and start what serves. Raises PolicyUnavailable."""
        async with self._picking:
            serving = self._serving or await self._picked()
        return await serving.start()

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Answer with what was picked last."""
        if self._serving is None:
            await self.start()
        assert self._serving is not None
        return await self._serving.complete(request, on_text)

    async def hold(self) -> Held:
        """Pick anew and start; the policy stays as it is until `release`. Raises PolicyUnavailable."""
        async with self._picking:
            serving = await self._picked()
            identity = await serving.start()
            self._holders[id(serving)] = self._holders.get(id(serving), 0) + 1
        return Held(policy=serving, identity=identity)

    async def release(self, held: Held) -> None:
        """An episode is over."""
        left = self._holders.pop(id(held.policy), 1) - 1
        if left:
            self._holders[id(held.policy)] = left
        elif held.policy is not self._serving and held.policy is not self.base:
            await held.policy.close()

    async def close(self) -> None:
        """Close what serves and the base; what an episode still holds is closed when it lets go."""
        serving, self._serving = self._serving, None
        if serving is not None and serving is not self.base:
            await serving.close()
        await self.base.close()

    async def _picked(self) -> Policy:
        """What serves now. Raises PolicyUnavailable, also for an adapter that was changed: it is not served, nor passed over in silence."""
        if not isinstance(self.base, Adaptable):
            self._serving = self.base
            return self.base
        identity = await self.introduce()
        judge = await self._judged(identity)
        try:
            choice = await asyncio.to_thread(self._picker, self.base, identity, judge)
            lora = await asyncio.to_thread(self._picker.lora, choice.adapter) if choice.adapter is not None else None
        except AdapterError as error:
            raise PolicyUnavailable(str(error), remedy=error.remedy) from error
        await self._switch(self.base, lora)
        if choice.note != self._said:
            self._said = choice.note
            self._tell(choice.note or "repairing without an adapter")
        assert self._serving is not None
        return self._serving

    async def _switch(self, base: Adaptable, lora: Lora | None) -> None:
        digest = lora.digest if lora is not None else ""
        if self._serving is not None and digest == self._adapter:
            return
        before = self._serving
        self._serving, self._adapter = (base.adapted(lora) if lora is not None else self.base), digest
        if before is not None and before is not self.base and id(before) not in self._holders:
            await before.close()
