"""Sieving many candidate texts of one file in a single attempt, so that only promising ones cost a proof."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import msgspec

from suture_agent.direct.trace import pytest_arguments
from suture_agent.meter import Meter
from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.snapshot import Snapshot

SCREEN_SECONDS = 20
MOST_TESTS = 20


async def screen(meter: Meter, check: Check, snapshot: Snapshot, tests: Sequence[str], path: str, texts: Sequence[str]) -> tuple[int, ...]:
    """Indices of the texts of `path` with which `tests` pass, in order; none where the check is not pytest or the run breaks down."""
    arguments = pytest_arguments(check)
    if arguments is None or not tests or not texts:
        return ()
    program = resources.files("suture_agent").joinpath("direct", "screen_program.py").read_text(encoding="utf-8")
    argv = ("python", "-c", program, "{report}", str(SCREEN_SECONDS), *arguments, "-x", *tests[:MOST_TESTS])
    given = msgspec.json.encode([path, list(texts)])
    completed = await meter.run(snapshot, Command(argv=argv, stdin=given, seconds=SCREEN_SECONDS + 20))
    try:
        return tuple(index for index in msgspec.json.decode(completed.report, type=list[int]) if 0 <= index < len(texts))
    except msgspec.DecodeError:
        return ()
