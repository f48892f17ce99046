"""From what a user writes to a policy: `embedded`, `embedded:NAME`, `vllm`, an address, `scripted:FILE`, or an alias for one of them.

One visible mapping from kind to opener; nothing is imported before it is wanted, and opening starts nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from suture_agent.errors import AgentFloorError, PolicyUnavailable
from suture_agent.places import expanded
from suture_agent.policies import Policy

VLLM = "http://127.0.0.1:8000/v1"


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say, for every kind of policy."""

    api_key: str
    timeout: float
    models: Path | None
    cache: Path | None
    idle: float
    threads: int


def _embedded(rest: str, options: _Options) -> Policy:
    from suture_agent.models import DEFAULT_MODEL
    from suture_agent.policies.embedded import EmbeddedPolicy

    return EmbeddedPolicy(
        rest or DEFAULT_MODEL,
        models=options.models,
        cache=options.cache,
        threads=options.threads,
        idle=options.idle,
        timeout=options.timeout,
    )


def _vllm(rest: str, options: _Options) -> Policy:
    return _server(f"{VLLM}#{rest}", options)


def _scripted(rest: str, _options: _Options) -> Policy:
    from suture_agent.policies.scripted import ScriptedPolicy

    if not rest:
        raise PolicyUnavailable("scripted: needs a file", remedy="write scripted:FILE")
    return ScriptedPolicy(expanded(rest, "policy.spec"))


def _server(url: str, options: _Options) -> Policy:
    from suture_agent.policies.connection import Patience
    from suture_agent.policies.openai_compatible import OpenAIPolicy

    base, _, model = url.partition("#")
    return OpenAIPolicy(base, model, api_key=options.api_key, patience=Patience(total=options.timeout))


KINDS: Mapping[str, Callable[[str, _Options], Policy]] = {"embedded": _embedded, "vllm": _vllm, "scripted": _scripted}
"""Kind -> how it is opened, given what follows the colon."""


def open_policy(
    spec: str,
    *,
    api_key: str | None = None,
    timeout_seconds: float = 300,
    models: Path | None = None,
    cache: Path | None = None,
    idle_seconds: float = 600,
    threads: int = 0,
    aliases: Mapping[str, str] | None = None,
) -> Policy:
    """The policy that a name, an address or an alias stands for, not yet started. Raises PolicyUnavailable for unknown names.

    `models`: the user's own folder of weights. `idle_seconds` and `threads` are the embedded engine's.
    """
    named = aliases or {}
    options = _Options(api_key=api_key or "", timeout=timeout_seconds, models=models, cache=cache, idle=idle_seconds, threads=threads)
    text = named.get(spec.strip(), spec.strip())
    if text.startswith(("http://", "https://")):
        return _server(text, options)
    kind, _, rest = text.partition(":")
    opener = KINDS.get(kind)
    if opener is None:
        raise _unknown(spec, named)
    return opener(rest, options)


async def examine(spec: str, *, api_key: str | None = None, models: Path | None = None) -> tuple[bool, str, str]:
    """Whether the policy could answer: good, what was found, and what to do. Loads no model."""
    try:
        policy = open_policy(spec, api_key=api_key, models=models)
        found = await _found(policy)
    except AgentFloorError as error:
        return False, str(error), error.remedy
    capability = policy.capability
    return True, f"{found}; {capability.context} tokens of context, {'calls tools' if capability.tools else 'no tools'}", ""


async def _found(policy: Policy) -> str:
    from suture_agent.policies.embedded import EmbeddedPolicy

    if isinstance(policy, EmbeddedPolicy):
        return f"{policy.model.name} in {await policy.weights()}"
    try:
        identity = await policy.start()
        return f"{identity.name} on {identity.server or 'an OpenAI-compatible server'}"
    finally:
        await policy.close()


def _unknown(spec: str, aliases: Mapping[str, str]) -> PolicyUnavailable:
    from suture_agent.models import CATALOGUE

    names = [*KINDS, *(f"embedded:{model.name}" for model in CATALOGUE), *aliases]
    near = difflib.get_close_matches(spec, names, n=1, cutoff=0.5)
    near = near or [name for name in names if spec and name.endswith(spec)][:1]
    hint = f"; did you mean {near[0]}?" if near else ""
    return PolicyUnavailable(
        f"there is no policy named {spec!r}{hint}", remedy=f"name one of {', '.join(names)}, scripted:FILE, or an address that ends in /v1"
    )
