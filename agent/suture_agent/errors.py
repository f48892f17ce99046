"""The errors of floor 2, as a tree. Floor 1's errors (`suture_sandbox.errors`) pass through as they are.

::

    AgentFloorError
    ├── SettingsError             a configuration file or variable holds what suture does not know: exit code 2
    ├── PolicyError               the policy could not answer; infrastructure, never "the fix failed": exit code 3
    │   ├── PolicyUnavailable     nothing listens, weights are missing, the engine is not installed: carries the remedy
    │   ├── PolicyRefused         the server answered 4xx: wrong key, unknown model, a request it cannot take
    │   └── ContextOverflow       the request is longer than the policy's context
    ├── AdapterError              no such adapter, one that was changed, or one that may not serve or be dropped: exit code 2
    ├── JournalError              the journal cannot be opened, read or written: exit code 3
    └── EpisodeEnd                control flow inside an episode (the family that carries messages)
        ├── Submitted             the policy is done
        ├── BudgetSpent           steps, tokens, tool calls or seconds ran out
        ├── Progressed            a proposal is not proven, but brought another error: the episode ends, its work is kept
        └── ToolRefused           a tool call that is answered with what was wrong; the episode goes on
"""

from __future__ import annotations

from typing import Literal

Limit = Literal["steps", "tokens", "seconds", "context"]
"""What ended an episode that did not end by itself."""


class AgentFloorError(Exception):
    """Base of the errors of this floor; `remedy` says what to do next."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class SettingsError(AgentFloorError):
    """A setting that cannot be used: says file, line, key and the nearest valid name."""


class PolicyError(AgentFloorError):
    """The policy could not answer."""


class PolicyUnavailable(PolicyError):
    """No policy to talk to."""


class PolicyRefused(PolicyError):
    """The policy's server does not take the request."""


class ContextOverflow(PolicyError):
    """The request does not fit the policy's context."""


class AdapterError(AgentFloorError):
    """The registry does not have the adapter, or refuses what is asked of it."""


class JournalError(AgentFloorError):
    """The journal cannot be used."""


class EpisodeEnd(AgentFloorError):
    """Base of the control flow inside an episode."""


class Submitted(EpisodeEnd):
    """The policy says that it is done."""


class BudgetSpent(EpisodeEnd):
    """A budget ran out."""

    def __init__(self, message: str, *, limit: Limit) -> None:
        super().__init__(message)
        self.limit: Limit = limit


class Progressed(EpisodeEnd):
    """A proposal mended the main error and shows another one: the outer loop keeps it and begins anew."""


class ToolRefused(EpisodeEnd):
    """A tool call that cannot be carried out as it stands."""


def limit_of(error: BudgetSpent | ContextOverflow) -> Limit:
    """Which limit an episode met."""
    return error.limit if isinstance(error, BudgetSpent) else "context"
