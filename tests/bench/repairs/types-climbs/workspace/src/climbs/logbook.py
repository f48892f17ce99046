"""Figures from a climber's logbook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from climbs.entry import Climb


def load(text: str) -> list[Climb]:
    return cast("list[Climb]", json.loads(text))


def dump(climbs: Sequence[Climb]) -> str:
    return json.dumps(climbs, sort_keys=True)


def hardest(climbs: Sequence[Climb]) -> str | None:
    """The route with the highest grade; the earliest of equal ones."""
    return max(climbs, key=lambda climb: climb["grade"])["route"] if climbs else None


def effort(climbs: Sequence[Climb]) -> int:
    """How many attempts were made in all."""
    return sum(climb["attempts"] for climb in climbs)


def partners(climbs: Sequence[Climb]) -> set[str]:
    return {climb["partner"] for climb in climbs if "partner" in climb}
