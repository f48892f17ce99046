"""A dataset has one environment and one harness, or is refused with the fields in which they differ (the same comparison as `env diff`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from suture_sandbox.identity import Difference, differences
from suture_training.errors import TrainingError

Part = Literal["environment", "harness"]
PARTS: tuple[Part, ...] = ("environment", "harness")
_SEVERAL: Mapping[Part, str] = {"environment": "environments", "harness": "harnesses"}
MOST_TOLD = 6
"""Fields that a refusal names."""


class MixedIdentities(TrainingError):
    """Rows of several environments or harnesses; `differences` has the fields."""

    def __init__(self, message: str, *, remedy: str, fields: Sequence[Difference] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.differences = tuple(fields)


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """A mismatch that somebody allowed: it is written into the dataset's card."""

    field: str
    """Such as `environment.dependencies.pytest.version`."""
    ours: str | None
    """The value in the dataset's own identity, as JSON; None where it has no such field."""
    theirs: str | None
    identity: str
    """The other environment or harness."""
    rows: int


class DatasetIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset's rows were made in."""

    environment: str
    harness: str
    fields: Mapping[str, Any]
    """`environment` and `harness` -> their named fields; None where only the identity is known."""
    admitted: tuple[Admitted, ...] = ()


class Gate:
    """Lets the rows of one identity pass, and of others those that differ in allowed fields only.

    The first identity that passes is the dataset's own, unless `own` names it.
    """

    def __init__(
        self, fields: Mapping[tuple[str, str], Any], *, allowed: Sequence[str] = (), own: Mapping[Part, str] | None = None
    ) -> None:
        """`fields`: (part, identity) -> its named fields."""
        self._fields = fields
        self._allowed = tuple(allowed)
        self._own: dict[Part, str] = dict(own or {})
        self._differ: dict[tuple[Part, str], tuple[Difference, ...]] = {}
        self._rows: Counter[tuple[Part, str]] = Counter()

    def admit(self, environment: str, harness: str) -> None:
        """Count a row; raises MixedIdentities where it does not belong here."""
        identities: dict[Part, str] = {"environment": environment, "harness": harness}
        for part, identity in identities.items():
            self.compare(part, identity)
            self._rows[part, identity] += 1

    def compare(self, part: Part, identity: str) -> None:
        """Raise MixedIdentities where rows of this environment or harness would not belong here."""
        own = self._own.setdefault(part, identity)
        if identity != own and (part, identity) not in self._differ:
            self._differ[part, identity] = self._compared(part, own, identity)

    @property
    def identity(self) -> DatasetIdentity:
        """The dataset's identity, with what was allowed beside it; raises TrainingError while no row has passed."""
        if not self._rows:
            raise TrainingError("there is no row", remedy="suture journal stats shows what there is")
        admitted = [
            Admitted(field=each.field, ours=each.before, theirs=each.after, identity=identity, rows=self._rows[part, identity])
            for (part, identity), found in sorted(self._differ.items())
            for each in found
            if self._rows[part, identity]
        ]
        return DatasetIdentity(
            environment=self._own["environment"],
            harness=self._own["harness"],
            fields={part: self._fields.get((part, self._own[part])) for part in PARTS},
            admitted=tuple(admitted),
        )

    def _compared(self, part: Part, own: str, other: str) -> tuple[Difference, ...]:
        """In what another identity differs; raises MixedIdentities unless all of that is allowed."""
        ours, theirs = self._fields.get((part, own)), self._fields.get((part, other))
        unknown = (Difference(field=part, before=f'"{own}"', after=f'"{other}"'),)
        found = unknown if ours is None or theirs is None else differences({part: ours}, {part: theirs})
        refused = [each for each in found if not any(_covers(field, each.field, part) for field in self._allowed)]
        if refused:
            raise _mixed(part, own, other, refused)
        return found


def _covers(allowed: str, field: str, part: Part) -> bool:
    """Whether an allowed field is the field, or above it; its part may be left out."""
    return any(field == name or field.startswith(f"{name}.") for name in (allowed, f"{part}.{allowed}"))


def _mixed(part: Part, own: str, other: str, refused: Sequence[Difference]) -> MixedIdentities:
    told = [f"{each.field}: {_short(each.before)} / {_short(each.after)}" for each in refused[:MOST_TOLD]]
    more = [f"and {len(refused) - MOST_TOLD} more"] if len(refused) > MOST_TOLD else []
    allow = " ".join(f"--allow-mismatch {name}" for name in dict.fromkeys(_above(each.field) for each in refused))
    return MixedIdentities(
        f"the rows come from several {_SEVERAL[part]}: {own[:12]} and {other[:12]} differ in {'; '.join([*told, *more])}",
        remedy=f"choose one with --{part} {own[:12]}, or mix them knowingly: {allow}",
        fields=refused,
    )


def _above(field: str) -> str:
    """The named field of an identity, such as `environment.dependencies`, that a difference lies in."""
    return ".".join(field.split(".")[:2])


def _short(value: str | None) -> str:
    return "nothing" if value is None else value if len(value) <= 60 else f"{value[:57]}..."
