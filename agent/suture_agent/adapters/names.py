"""Names of adapters: what may be one, and which adapter a person means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from suture_agent.adapters import Adapter
from suture_agent.errors import AdapterError

RESERVED = frozenset({"matched", "off"})
"""Words that `policy.adapters` has for other things."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
SHORTEST = 6
"""Digits that a shortened digest has at least."""
_PREFIX = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")


def checked_name(name: str) -> str:
    """The name itself. Raises AdapterError for one that cannot stand in settings and on command lines, or that looks like a digest."""
    if not _NAME.fullmatch(name) or name in RESERVED or _PREFIX.fullmatch(name):
        raise AdapterError(
            f"{name[:80]!r} cannot name an adapter",
            remedy="use at most 64 small letters, digits, dots, - and _, nothing that reads as a digest, neither matched nor off",
        )
    return name


def is_digest(text: str) -> bool:
    """Whether this is a whole digest."""
    return _DIGEST.fullmatch(text) is not None


def means(name: str, adapter: Adapter) -> bool:
    """Whether this is the adapter's name, its digest, or the beginning of it (6 digits or more). No name reads as a digest."""
    return name == adapter.name or (_PREFIX.fullmatch(name) is not None and adapter.digest.startswith(name))


def found(name: str, adapters: Sequence[Adapter]) -> Adapter:
    """The one that is meant. Raises AdapterError with the nearest name."""
    several = [each for each in adapters if means(name, each)]
    if len(several) == 1:
        return several[0]
    if several:
        raise AdapterError(f"{name} begins the digest of {len(several)} adapters", remedy="write more of it")
    names = [each.name for each in adapters]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise AdapterError(
        f"there is no adapter {name!r}{hint}", remedy=f"there are {', '.join(names)}" if names else "suture train sft makes one"
    )
