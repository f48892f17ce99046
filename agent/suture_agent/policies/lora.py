"""A LoRA adapter on a server that runs: vLLM is told to load it, llama.cpp has it since it was started.

vLLM: `POST /v1/load_lora_adapter` with a name and a folder on the server's own disk; a request then names the adapter as its model. The
server must allow it (VLLM_ALLOW_RUNTIME_LORA_UPDATING, `suture model serve --runtime-lora`), and see the folder. The name is made of the
digest, so that whatever has that name is that adapter, whoever loaded it; nobody unloads what another client may be using.

llama.cpp: its server loads adapters when it starts and at no other time. A request picks one of them by its number, so one that was
started with the adapter's file (`--lora adapter.gguf`, in the folder that has the digest's name) serves it beside the bare model. Its
prompt cache hands what was computed without an adapter to a request with one (seen with xllamacpp 2026.10), so such requests go without
that cache; the embedded engine, where every request has the same adapter, keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.policies import Policy, PolicyIdentity

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from suture_agent.policies.discovery import ServerFacts


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter's files, verified by whoever hands them over."""

    digest: str
    label: str
    """What people call it."""
    folder: Path
    """Holds PEFT's two files, for vLLM."""
    gguf: Path | None = None
    """The same weights for llama.cpp, where there are any."""
    gguf_sha256: str = ""

    @property
    def served(self) -> str:
        """Its name on a server."""
        return f"suture-{self.digest[:16]}"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How a request reaches the adapter."""

    model: str
    body: Mapping[str, Any] = {}
    """Added to the body of the request."""


@runtime_checkable
class Adaptable(Protocol):
    """A policy that can answer with an adapter."""

    async def introduce(self) -> PolicyIdentity:
        """Who it is, as `start` says it, with no more done than that needs: no weights loaded. Raises PolicyUnavailable."""
        ...

    def adapted(self, lora: Lora) -> Policy:
        """The same model with an adapter, as a policy of its own with its own connections. Raises PolicyUnavailable."""
        ...


async def route(client: AsyncOpenAI, facts: ServerFacts, lora: Lora) -> Route:
    """Make a server answer with the adapter. Raises PolicyUnavailable, or what the client raises."""
    if facts.dialect == "vllm":
        if lora.served not in facts.models:
            await _load(client, lora)
        return Route(model=lora.served)
    if facts.dialect == "llama.cpp":
        number = await _number(client, lora)
        return Route(model=facts.identity.name, body={"lora": [{"id": number, "scale": 1.0}], "cache_prompt": False})
    raise PolicyUnavailable(f"{client.base_url} serves no adapters that suture knows how to ask for", remedy="use vLLM or llama.cpp")


async def unload(client: AsyncOpenAI, lora: Lora) -> bool:
    """Have vLLM forget an adapter; false where it does not know it, or cannot."""
    from openai import APIStatusError

    try:
        await client.post("/unload_lora_adapter", body={"lora_name": lora.served}, cast_to=str)
    except APIStatusError:
        return False
    return True


async def _load(client: AsyncOpenAI, lora: Lora) -> None:
    from openai import APIStatusError, NotFoundError

    body = {"lora_name": lora.served, "lora_path": str(lora.folder)}
    try:
        await client.with_options(max_retries=0).post("/load_lora_adapter", body=body, cast_to=str)
    except NotFoundError as error:
        if "No adapter found" in str(error):
            raise PolicyUnavailable(
                f"{client.base_url} does not see {lora.folder}, where {lora.label} lies",
                remedy=f"copy that folder to the server and load it there under the name {lora.served}",
            ) from error
        raise PolicyUnavailable(
            f"{client.base_url} loads no adapters while it runs", remedy="start it with: suture model serve --runtime-lora"
        ) from error
    except APIStatusError as error:
        if "already been loaded" in str(error):
            return  # by another client, since the models were listed
        raise PolicyUnavailable(
            f"{client.base_url} does not load {lora.label}: {error.message[:300]}", remedy="see the server's log and its --max-lora-rank"
        ) from error


class _Loaded(msgspec.Struct):
    id: int
    path: str


async def _number(client: AsyncOpenAI, lora: Lora) -> int:
    from suture_agent.policies.discovery import beside

    loaded = msgspec.convert(await client.get(beside(client, "lora-adapters"), cast_to=object), list[_Loaded])
    for each in loaded:
        if lora.digest in each.path:
            return each.id
    raise PolicyUnavailable(
        f"{client.base_url} was started without {lora.label}, and llama.cpp loads adapters only then",
        remedy=f"start it with --lora {lora.gguf or lora.folder}",
    )


def gguf_of(lora: Lora) -> tuple[str, str]:
    """Path and digest of the adapter's file for llama.cpp. Raises PolicyUnavailable where it has none."""
    if lora.gguf is None:
        raise PolicyUnavailable(
            f"{lora.label} has no form for llama.cpp", remedy="serve its model with vLLM, or register it again from its folder"
        )
    return str(lora.gguf), lora.gguf_sha256
