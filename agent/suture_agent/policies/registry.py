"""From what a user writes to a policy: `embedded`, `embedded:NAME`, `vllm`, an address, `scripted:FILE`, or an alias for one of them.

One visible mapping from kind to opener; nothing is imported before it is wanted, nothing is started here.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.policies import Policy

VLLM = "http://127.0.0.1:8000/v1"


class PolicyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about policies."""

    aliases: Mapping[str, str] = {}
    """Name -> what it stands for."""
    api_key: str = ""
    """Key of the server; SUTURE_API_KEY goes before it. Never logged."""
    cache: Path | None = None
    """Where model files lie; the user's cache by default."""
    idle: float = 600.0
    """Seconds without a request after which the embedded engine ends."""
    threads: int = 0
    """Threads of the embedded engine; 0 for the physical cores."""


def _embedded(rest: str, options: PolicyOptions) -> Policy:
    from suture_agent.models import DEFAULT_MODEL
    from suture_agent.policies.embedded import EmbeddedPolicy

    return EmbeddedPolicy(rest or DEFAULT_MODEL, cache=options.cache, threads=options.threads, idle=options.idle)


def _vllm(rest: str, options: PolicyOptions) -> Policy:
    return _server(f"{VLLM}#{rest}", options)


def _scripted(rest: str, options: PolicyOptions) -> Policy:
    from suture_agent.policies.scripted import ScriptedPolicy

    if not rest:
        raise PolicyUnavailable("scripted: needs a file", remedy="write scripted:FILE")
    return ScriptedPolicy(Path(rest).expanduser())


def _server(url: str, options: PolicyOptions) -> Policy:
    from suture_agent.policies.openai_compatible import OpenAIPolicy

    base, _, model = url.partition("#")
    return OpenAIPolicy(base, model, api_key=os.environ.get("SUTURE_API_KEY", "") or options.api_key)


KINDS: Mapping[str, Callable[[str, PolicyOptions], Policy]] = {"embedded": _embedded, "vllm": _vllm, "scripted": _scripted}
"""Kind -> how it is opened, given what follows the colon."""


def open_policy(spec: str, options: PolicyOptions | None = None) -> Policy:
    """The policy that a name, an address or an alias stands for; nothing is started yet. Raises PolicyUnavailable for unknown names."""
    options = options or PolicyOptions()
    text = options.aliases.get(spec.strip(), spec.strip())
    if text.startswith(("http://", "https://")):
        return _server(text, options)
    kind, _, rest = text.partition(":")
    opener = KINDS.get(kind)
    if opener is None:
        raise _unknown(spec, options)
    return opener(rest, options)


def _unknown(spec: str, options: PolicyOptions) -> PolicyUnavailable:
    from suture_agent.models import CATALOGUE

    names = [*KINDS, *(f"embedded:{model.name}" for model in CATALOGUE), *options.aliases]
    near = difflib.get_close_matches(spec, names, n=1, cutoff=0.5)
    near = near or [name for name in names if spec and name.endswith(spec)][:1]
    hint = f"; did you mean {near[0]}?" if near else ""
    return PolicyUnavailable(
        f"there is no policy named {spec!r}{hint}", remedy=f"name one of {', '.join(names)}, scripted:FILE, or an address that ends in /v1"
    )
