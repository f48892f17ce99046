"""Episodes: one policy conversation each, ending in a proven patch or a stated failure. One file a preset; `EPISODES` maps them.

An episode never judges its own work: it proposes patches to `Job.prove`, which is the verdict in fresh attempts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import msgspec

from suture_agent.errors import Limit
from suture_agent.events import Events
from suture_agent.harness import Preset
from suture_agent.meter import Meter
from suture_agent.policies import Capability
from suture_agent.problem import Problem
from suture_agent.recall import PastFix, Recall
from suture_sandbox.patch import Patch
from suture_sandbox.verdict import Verdict


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What an episode works with."""

    problem: Problem
    capability: Capability
    meter: Meter
    prove: Callable[[Patch], Awaitable[Verdict]]
    """Proves a patch against the problem's snapshot; raises InfrastructureError when the machine failed."""
    recall: Recall
    events: Events
    seed: int = 0
    """Differs between retries of the same problem."""
    candidate: PastFix | None = None
    """A fix of the past that the policy is shown before anything else."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How an episode ended."""

    patch: Patch | None = None
    """The proven patch; or the last one that was proposed."""
    verdict: Verdict | None = None
    """Verdict of that patch."""
    reason: str = ""
    """Why there is no proven patch; with one, where it came from when the policy did not write it."""
    limit: Limit | None = None
    """The budget that ended it, a proven patch that was never submitted included; None where it ended by itself."""


Episode = Callable[[Job], Coroutine[Any, Any, Ending]]


def episode_of(preset: Preset) -> Episode:
    """The episode of a preset."""
    from suture_agent.episodes.agent import agent_episode
    from suture_agent.episodes.direct import direct_episode
    from suture_agent.episodes.line import line_episode

    episodes: Mapping[Preset, Episode] = {"agent": agent_episode, "direct": direct_episode, "line": line_episode}
    return episodes[preset]
