"""The errors of evaluation, as a tree.

::

    TrainingError (suture_training)           exit code 2
    ├── MismatchError                         runs whose identities differ in fields that nobody named: carries the differences
    └── NotComparable                         runs that cannot be laid side by side: an arm is missing, no task is common
    InfrastructureError (suture_sandbox)      exit code 3
    ├── EnvironmentDrifted                    a control said something else than when its task was verified
    └── TooManyLost                           the machine or the policy lost many runs in a row
"""

from __future__ import annotations

from collections.abc import Sequence

from suture_sandbox.errors import InfrastructureError
from suture_sandbox.identity import Difference
from suture_training.errors import TrainingError


class MismatchError(TrainingError):
    """Runs that differ in more than what is to be compared."""

    def __init__(self, first: str, second: str, differences: Sequence[Difference]) -> None:
        shown = "; ".join(f"{each.field}: {_short(each.before)} against {_short(each.after)}" for each in differences[:6])
        more = f" and {len(differences) - 6} more" if len(differences) > 6 else ""
        fields = dict.fromkeys(".".join(each.field.split(".")[:2]) for each in differences)
        super().__init__(
            f"{first} and {second} differ in fields that were not named: {shown}{more}",
            remedy=f"measure them alike, or say that you compare these: {' '.join(f'--vary {field}' for field in fields)}",
        )
        self.differences = tuple(differences)


class NotComparable(TrainingError):
    """Runs that cannot be laid side by side."""


class EnvironmentDrifted(InfrastructureError):
    """The environment is no longer the one in which the tasks were verified."""


class TooManyLost(InfrastructureError):
    """Nothing comes to an end any more."""


def _short(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if len(value) <= 60 else f"{value[:28]}...{value[-28:]}"
