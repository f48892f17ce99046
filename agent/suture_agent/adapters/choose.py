"""Which adapter serves a workspace: the one in use that was trained for its environment and its harness. Pure: records in, a choice out.

`policy.adapters` says what is wanted. `matched` (the default) takes an adapter in use whose every field is the workspace's, else none; a
name or digest takes that one whatever differs, which is how one is tried or evaluated before it is put to use; `off` takes none. The
base model must be right in any case. With `policy.require_matched_adapter` nothing is repaired without a match.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suture_agent.adapters import Adapter, Base, Identified
from suture_agent.errors import PolicyUnavailable
from suture_agent.policies import PolicyIdentity
from suture_sandbox.identity import Difference, differences

MOST_NAMED = 5
"""Fields that a sentence names."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter held against a workspace."""

    adapter: Adapter
    base: str
    """Why it cannot run on the policy's model; empty where it can."""
    fields: tuple[Difference, ...]
    """Where environment and harness differ, `before` being the adapter's; those that varied in its training left out."""

    @property
    def matched(self) -> bool:
        """Whether it was trained for exactly this."""
        return not self.base and not self.fields

    @property
    def reason(self) -> str:
        """What does not match, in a sentence's part."""
        if self.base:
            return self.base
        named = ", ".join(each.field for each in self.fields[:MOST_NAMED])
        more = len(self.fields) - MOST_NAMED
        return f"differs in {named}{f' and {more} more' if more > 0 else ''}" if self.fields else "matches"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What serves, and what a person should know about it."""

    adapter: Adapter | None = None
    note: str = ""


def fit(adapter: Adapter, policy: PolicyIdentity, environment: Identified, harness: Identified) -> Fit:
    """Hold an adapter against a workspace's environment and harness and the policy that answers there."""
    found = (*_differing("environment", adapter.environment, environment), *_differing("harness", adapter.harness, harness))
    return Fit(adapter=adapter, base=_base(adapter.base, policy), fields=_held(found, adapter.varied))


def rivals(new: Adapter, used: Sequence[Adapter]) -> tuple[Adapter, ...]:
    """Those in use that serve workspaces which the new one would serve, too."""
    return tuple(old for old in used if old.digest != new.digest and _same_model(old.base, new.base) and _same_place(old, new))


def choose(
    wanted: str,
    named: Adapter | None,
    used: Sequence[Adapter],
    policy: PolicyIdentity,
    environment: Identified,
    harness: Identified,
    *,
    require: bool,
) -> Choice:
    """The adapter that serves. `wanted`: the setting; `named`: the adapter that it names, where it does; `used`: those in use.

    Raises PolicyUnavailable where a match is required and there is none, and where the named one cannot run on the policy's model.
    """
    if wanted == "off":
        return Choice()
    candidates = (named,) if named is not None else tuple(used)
    fits = sorted((fit(each, policy, environment, harness) for each in candidates), key=_nearest_first)
    best = fits[0] if fits else None
    if best is not None and best.matched:
        return Choice(adapter=best.adapter, note=f"repairing with the adapter {best.adapter.label}")
    if require:
        raise _refusal(best)
    if best is None:
        return Choice()
    if named is None:
        return Choice(note=f"no adapter matches, so the model answers without one: {best.adapter.label} {best.reason}")
    if best.base:
        raise PolicyUnavailable(f"{best.adapter.label}: {best.base}", remedy="name the policy that it was trained on, or another adapter")
    return Choice(adapter=best.adapter, note=f"repairing with the adapter {best.adapter.label}, which {best.reason}")


def _nearest_first(each: Fit) -> tuple[bool, bool, int, int, float]:
    """Matches first, those that were held to most fields before others, then what differs least; the newest of equals."""
    return not each.matched, bool(each.base), len(each.fields), len(each.adapter.varied), -each.adapter.created


def _refusal(best: Fit | None) -> PolicyUnavailable:
    known = f": {best.adapter.label} {best.reason}" if best is not None else ": none is in use"
    return PolicyUnavailable(
        f"no adapter matches this workspace, and policy.require_matched_adapter is set{known}",
        remedy="suture adapter show NAME --against . says what differs; suture env lock pins the environment; or unset the setting",
    )


def _differing(head: str, adapter: Identified, present: Identified) -> tuple[Difference, ...]:
    if adapter.digest == present.digest:
        return ()
    found = differences(adapter.fields, present.fields)
    return tuple(msgspec.structs.replace(each, field=f"{head}.{each.field}") for each in found)


def _held(found: Sequence[Difference], varied: Sequence[str]) -> tuple[Difference, ...]:
    """Without what varied in the training."""
    return tuple(each for each in found if not any(each.field == field or each.field.startswith(f"{field}.") for field in varied))


def _base(base: Base, policy: PolicyIdentity) -> str:
    if policy.adapter:
        return f"{policy.name} is served with an adapter already"
    if policy.base and base.digests:
        return (
            ""
            if policy.base in base.digests
            else f"was trained on {base.name} ({base.digest[:12]}), not on {policy.name} ({policy.base[:12]})"
        )
    return "" if policy.name == base.name else f"was trained on {base.name}, not on {policy.name}"


def _same_model(one: Base, other: Base) -> bool:
    return bool(one.digests & other.digests) or one.name == other.name


def _same_place(old: Adapter, new: Adapter) -> bool:
    """Whether environment and harness are equal but for what varied in either's training."""
    found = (*_differing("environment", old.environment, new.environment), *_differing("harness", old.harness, new.harness))
    return not _held(found, (*old.varied, *new.varied))
