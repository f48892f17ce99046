"""Perturbations: circumstances of a run that say nothing about the text, so that a healthy test passes under all of them.

A perturbation is a record. Applied to a check it gives another snapshot (with pytest's plugin for order and clock in it) and another
command (with variables, or with `shaker_program` before it, which runs copies, repeats, and load inside the same attempt and its limits).
What it deliberately is not: a change of the workspace, of the check's own options, or of anything outside of the attempt.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import PurePosixPath

import msgspec

from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment
from suture_sandbox.flaky.statistics import Kind
from suture_sandbox.snapshot import Snapshot

PLUGIN = "suture_perturbing_plugin"
"""The plugin's module; a file of that name lies in the workspace's root inside the attempt."""
READY = "/tmp/suture-perturbing-ready"  # noqa: S108  # inside the sandbox
"""Where the plugin says that the tests begin: a program's start is not what is to be stalled."""
LONGEST_SELECTION = 100_000
"""Characters of test ids that a command takes in another order; the system's own limit is 128 KiB an argument, 2 MiB in all."""


class Perturbation(msgspec.Struct, frozen=True, kw_only=True):
    """How a run differs from the plain one."""

    name: str
    """Of the circumstances, for people and for statistics."""
    kind: Kind | None = None
    """What a test depends on that fails only so; None for no difference at all."""
    order: str = ""
    """`reversed`, or `shuffled N` with a seed."""
    variables: Mapping[str, str] = {}
    clock: int | None = None
    """Seconds by which the clock is moved."""
    copies: int = 1
    """Runs of the command at once in the same attempt: the same files, ports and processes."""
    repeats: int = 1
    """Runs one after the other in the same attempt; the last one counts."""
    burners: int = 0
    """Processes beside it that use as much of the processors as they get."""
    pause: int = 0
    """Milliseconds for which it is stopped after every 8 ms of processor time, as a busy machine would."""

    @property
    def loads(self) -> bool:
        """Whether other runs should not be measured beside it."""
        return self.burners > 0 or self.pause > 0 or self.copies > 1

    @property
    def launched(self) -> bool:
        """Whether another program starts the check's command."""
        return (self.copies, self.repeats, self.burners, self.pause) != (1, 1, 0, 0)


DAY, HOUR = 86_400, 3_600

PLAIN = Perturbation(name="plain")
REVERSED = Perturbation(name="reversed order", kind="order", order="reversed")
HASHED = tuple(Perturbation(name=f"hash seed {seed}", kind="randomness", variables={"PYTHONHASHSEED": str(seed)}) for seed in (1, 2, 3))
PAUSED = Perturbation(name="pauses", kind="load", pause=40)
BURNING = Perturbation(name="busy processors", kind="load", burners=2 * (os.cpu_count() or 1))
COPIES = Perturbation(name="3 copies at once", kind="shared state", copies=3)
TWICE = Perturbation(name="twice in one place", kind="shared state", repeats=2)
ELSEWHERE = tuple(
    Perturbation(name=f"{zone} {days} days {hours} hours on", kind="time", variables={"TZ": zone}, clock=days * DAY + hours * HOUR)
    for zone, days, hours in (
        ("Pacific/Kiritimati", 2, 5),
        ("America/St_Johns", 31, 11),
        ("Asia/Kathmandu", 4, 17),
        ("Etc/GMT+12", 400, 22),
    )
)

STANDARD: tuple[Perturbation, ...] = (
    *(PLAIN, PLAIN, PLAIN, REVERSED),
    *(Perturbation(name=f"shuffled order {seed}", kind="order", order=f"shuffled {seed}") for seed in (1, 2)),
    *(*HASHED, *ELSEWHERE, COPIES, TWICE, BURNING, PAUSED),
)
"""What a hunt goes through."""

SHAKEN: tuple[Perturbation, ...] = (HASHED[0], PAUSED, HASHED[1], BURNING, HASHED[2], COPIES)
"""Under the first few of these a proof's own tests must pass too. Order and clock are not among them: the environment pins the order, and a
test that asks for the date may rightly depend on it."""


def applies(perturbation: Perturbation, check: Check, tests: Sequence[str] = ()) -> bool:
    """Whether a check can be run so; `tests` are ids that can be put in order where pytest's plugin cannot."""
    if perturbation.clock is not None:
        return _pytest_at(check) is not None
    if perturbation.order and _pytest_at(check) is None:
        return check.selectable and len(tests) > 1 and sum(map(len, tests)) < LONGEST_SELECTION
    return True


def apply(
    perturbation: Perturbation, check: Check, snapshot: Snapshot, command: Command, environment: Environment, select: Sequence[str] = ()
) -> tuple[Snapshot, Command]:
    """The snapshot and the command of a perturbed run. `select` are the ids at the end of the command."""
    argv, variables = list(command.argv), {**command.variables, **perturbation.variables}
    at = _pytest_at(check)
    if at is not None and (perturbation.order or perturbation.clock is not None or _waits(perturbation)):
        snapshot = snapshot.with_edits({f"{PLUGIN}.py": _plugin(perturbation).encode()})
        argv[at:at] = ["-p", PLUGIN]
        if PurePosixPath(argv[0]).name in ("pytest", "py.test"):  # it does not put the working folder on its path, as -m does
            variables["PYTHONPATH"] = ":".join(filter(None, (str(snapshot.root), environment.runtime.variables.get("PYTHONPATH", ""))))
    elif perturbation.order and select:
        argv = [*argv[: len(argv) - len(select)], *_ordered(select, perturbation.order)]
    if perturbation.launched:
        how: dict[str, int | str] = {name: getattr(perturbation, name) for name in ("copies", "repeats", "burners", "pause")}
        how["ready"] = READY if perturbation.pause and at is not None else ""
        report = "{report}" if any("{report}" in word for word in argv) else ""
        argv = ["python", "-I", "-S", "-c", _program("shaker_program.py"), msgspec.json.encode(how).decode(), report, *argv]
    return snapshot, msgspec.structs.replace(command, argv=tuple(argv), variables=variables)


def _pytest_at(check: Check) -> int | None:
    """Where in a command the plugin can be named; None where the command does not run pytest itself."""
    first = PurePosixPath(check.command[0]).name if check.command else ""
    if first in ("pytest", "py.test"):
        return 1
    where = [index for index, pair in enumerate(zip(check.command, check.command[1:], strict=False)) if pair == ("-m", "pytest")]
    return where[0] + 2 if where else None


def _waits(perturbation: Perturbation) -> bool:
    """Whether something begins with the tests: the pauses, or all copies together."""
    return perturbation.pause > 0 or perturbation.copies > 1


def _plugin(perturbation: Perturbation) -> str:
    text = _program("plugin_program.py")
    values = (
        ("ORDER: str", '""', perturbation.order),
        ("CLOCK: int | None", "None", perturbation.clock),
        ("READY: str", '""', READY if _waits(perturbation) else ""),
        ("COPIES: int", "1", perturbation.copies),
    )
    for name, given, value in values:
        text = text.replace(f"{name} = {given}", f"{name} = {value!r}", 1)
    return text


def _ordered(tests: Sequence[str], order: str) -> list[str]:
    if order == "reversed":
        return [*tests][::-1]
    drawn = [*tests]
    random.Random(order).shuffle(drawn)  # noqa: S311  # an order, no secret
    return drawn


@functools.cache
def _program(name: str) -> str:
    return resources.files("suture_sandbox").joinpath("flaky", name).read_text(encoding="utf-8")
