"""What a server says about itself, and what model names say where the server is silent."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from suture_agent.errors import PolicyRefused, PolicyUnavailable
from suture_agent.policies import Capability, PolicyIdentity
from suture_agent.policies.wire import Dialect

if TYPE_CHECKING:
    from openai import AsyncOpenAI

T = TypeVar("T")

CAPABILITIES: tuple[tuple[str, Capability], ...] = (
    (r"qwen3.*(instruct|coder)", Capability(context=32_768, tools=True, prefill=False, parallel=8)),
    (r"qwen3", Capability(context=32_768, tools=True, prefill=False, thinking=True, parallel=8)),
    (r"qwen2\.?5.*\b(0\.5|1\.5|3)b", Capability(context=8192, tools=False, prefill=False, parallel=4)),
    (r"\b(0\.\d|1(\.\d)?|2|3)b\b", Capability(context=8192, tools=False, prefill=False, parallel=4)),
    (r"qwen2\.?5", Capability(context=32_768, tools=True, prefill=False, parallel=8)),
    (r"", Capability(context=16_384, tools=True, prefill=False, parallel=4)),
)
"""Pattern of a model's name -> what such a model can do; the first that matches counts. The server's own word goes before the context."""

_PROBE = (
    {"role": "system", "content": "system"},
    {"role": "user", "content": "user"},
    {"role": "assistant", "content": "assistant"},
    {"role": "user", "content": "again"},
)
_PROBE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "probe", "description": "probe", "parameters": {"type": "object", "properties": {}}},
}


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a server and the model that is used on it."""

    dialect: Dialect
    identity: PolicyIdentity
    capability: Capability
    models: tuple[str, ...]


class _Model(msgspec.Struct):
    id: str
    owned_by: str = ""
    max_model_len: int | None = None
    parent: str | None = None
    root: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Settings(msgspec.Struct):
    n_ctx: int = 0


class _Props(msgspec.Struct):
    chat_template: str = ""
    total_slots: int = 1
    build_info: str = ""
    model_ftype: str = ""
    default_generation_settings: _Settings | None = None


class _Version(msgspec.Struct):
    version: str = ""


class _Tokens(msgspec.Struct):
    tokens: list[int]


def capability_of(name: str) -> Capability:
    """What a model of that name can do."""
    lowered = name.lower()
    return next(capability for pattern, capability in CAPABILITIES if re.search(pattern, lowered))


async def discover(client: AsyncOpenAI, model: str) -> ServerFacts:
    """Ask a server for its models and settings. Raises PolicyError, or what the client raises."""
    listed = await _models(client)
    names = tuple(each.id for each in listed)
    chosen = _chosen(listed, model, str(client.base_url))
    props, version = await asyncio.gather(_asked(client, "props", _Props), _asked(client, "version", _Version))
    if props is not None and props.chat_template:
        return _llama(chosen, names, props)
    if chosen.owned_by == "vllm" or (version is not None and chosen.max_model_len):
        return await _vllm(client, chosen, names, version)
    capability = capability_of(chosen.id)
    return ServerFacts(dialect="openai", identity=PolicyIdentity(name=chosen.id), capability=capability, models=names)


async def _models(client: AsyncOpenAI) -> list[_Model]:
    answered = await client.get("/models", cast_to=object)
    try:
        return msgspec.convert(answered, _Models).data
    except msgspec.ValidationError as error:
        raise PolicyUnavailable(
            f"{client.base_url} does not speak the OpenAI API: {error}", remedy="give the address that ends in /v1"
        ) from error


def _chosen(listed: list[_Model], model: str, url: str) -> _Model:
    names = [each.id for each in listed]
    if not listed:
        raise PolicyRefused(f"{url} serves no model", remedy="load a model on the server")
    if not model:
        return listed[0]
    for each in listed:
        if each.id == model:
            return each
    raise PolicyRefused(f"{url} does not serve {model!r}", remedy=f"it serves {', '.join(names)}")


async def _asked(client: AsyncOpenAI, path: str, kind: type[T]) -> T | None:
    """What an optional endpoint beside `/v1` says; None where there is none."""
    try:
        return msgspec.convert(await _get(client, path), kind)
    except msgspec.ValidationError:
        return None


async def _get(client: AsyncOpenAI, path: str) -> object:
    from openai import APIError

    try:
        return await client.with_options(max_retries=0, timeout=10).get(beside(client, path), cast_to=object)
    except (APIError, ValueError):  # servers answer unknown paths in every way there is
        return None


def beside(client: AsyncOpenAI, path: str) -> str:
    """The address of what a server has beside `/v1`."""
    scheme, place, prefix, _, _ = urlsplit(str(client.base_url))
    return urlunsplit((scheme, place, f"{prefix.rstrip('/').removesuffix('/v1')}/{path}", "", ""))


def _llama(chosen: _Model, names: tuple[str, ...], props: _Props) -> ServerFacts:
    known = capability_of(chosen.id)
    settings = props.default_generation_settings
    context = settings.n_ctx if settings and settings.n_ctx else known.context
    switch = "enable_thinking" in props.chat_template
    return ServerFacts(
        dialect="llama.cpp",
        identity=PolicyIdentity(
            name=chosen.id,
            server=f"llama.cpp {props.build_info}".strip(),
            quantisation=props.model_ftype,
            template=hashlib.sha256(props.chat_template.encode()).hexdigest(),
        ),
        capability=msgspec.structs.replace(known, context=context, prefill=True, thinking=switch, parallel=props.total_slots),
        models=names,
    )


async def _vllm(client: AsyncOpenAI, chosen: _Model, names: tuple[str, ...], version: _Version | None) -> ServerFacts:
    known = capability_of(chosen.parent or chosen.root or chosen.id)
    identity = PolicyIdentity(
        name=chosen.id,
        adapter=f"served:{chosen.id}" if chosen.parent else "",
        server=f"vllm {version.version if version else ''}".strip(),
        template=await _fingerprint(client, chosen.id, switch=known.thinking),
    )
    context = chosen.max_model_len or known.context
    return ServerFacts(
        dialect="vllm",
        identity=identity,
        capability=msgspec.structs.replace(known, context=context, prefill=True, parallel=16),
        models=names,
    )


async def _fingerprint(client: AsyncOpenAI, model: str, *, switch: bool) -> str:
    """SHA-256 of the tokens of a fixed conversation: vLLM does not show its chat template, but tokenises with it."""
    from openai import APIError

    body: dict[str, Any] = {"model": model, "messages": list(_PROBE), "tools": [_PROBE_TOOL], "add_generation_prompt": True}
    if switch:
        body["chat_template_kwargs"] = {"enable_thinking": False}
    try:
        answered = await client.with_options(max_retries=0, timeout=10).post(beside(client, "tokenize"), body=body, cast_to=object)
        tokens = msgspec.convert(answered, _Tokens).tokens
    except (APIError, msgspec.ValidationError, ValueError):
        return ""
    return hashlib.sha256(msgspec.json.encode(tokens)).hexdigest()
