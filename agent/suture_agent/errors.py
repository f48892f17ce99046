"""The errors of floor 2, as a tree. Floor 1's errors (`suture_sandbox.errors`) pass through as they are.

::

    AgentFloorError
    ├── SettingsError             a configuration file or variable holds what suture does not know: exit code 2
    ├── PolicyError               the policy could not answer; infrastructure, never "the fix failed": exit code 3
    │   ├── PolicyUnavailable     nothing listens, weights are missing, the engine is not installed: carries the remedy
    │   ├── PolicyRefused         the server answered 4xx: wrong key, unknown model, a request it cannot take
    │   └── ContextOverflow       the request is longer than the policy's context
    ├── JournalError              the journal cannot be opened, read or written: exit code 3
    └── EpisodeEnd                control flow inside an episode (the family that carries messages)
        ├── Submitted             the policy is done
        ├── BudgetSpent           steps, tokens or seconds ran out
        └── ToolRefused           a tool call that is answered with what was wrong; the episode goes on
"""

from __future__ import annotations


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


class JournalError(AgentFloorError):
    """The journal cannot be used."""


class EpisodeEnd(AgentFloorError):
    """Base of the control flow inside an episode."""


class Submitted(EpisodeEnd):
    """The policy says that it is done."""


class BudgetSpent(EpisodeEnd):
    """A budget ran out."""


class ToolRefused(EpisodeEnd):
    """A tool call that cannot be carried out as it stands."""
