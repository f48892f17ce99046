"""Making a map: the check's tests run once more under the program that notes what they run. Only where that pays, and nobody waits."""

from __future__ import annotations

import hashlib
import time
from importlib import resources
from typing import Literal

from suture_agent.direct.trace import pytest_arguments
from suture_agent.impact.map import ImpactMap, Kept, read_map
from suture_sandbox.backend import Command
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.impacted import is_long
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

PATIENCE_SECONDS, PATIENCE_FACTOR = 30, 6
"""A run that notes is given this many seconds plus this often the time that the check took."""
MOST_CHANGED = 0.1
"""The share of changed files, or of unknown tests, with which a map is made anew at once."""
REST = 20
"""With any change it is made anew after this many times the seconds that it took: at most a twentieth of the time goes into maps."""


def pays(check: Check, result: CheckResult) -> bool:
    """Whether a map of a check is worth its making: it is pytest, single tests can be run, and all of them take their time."""
    return is_long(check, result) and pytest_arguments(check) is not None


async def make(sandbox: Sandbox, check: Check, snapshot: Snapshot, result: CheckResult) -> Kept | Literal["later", "silent"]:
    """The map of a check that ended like that; `later` where somebody else wanted to run something, `silent` where the run told nothing."""
    program = resources.files("suture_agent").joinpath("impact", "program.py").read_text(encoding="utf-8")
    argv = ("python", "-c", program, str(snapshot.root), "{report}", *(pytest_arguments(check) or ()))
    seconds = min(check.timeout, PATIENCE_SECONDS + int(PATIENCE_FACTOR * result.seconds))
    completed = await sandbox.spare(snapshot, Command(argv=argv, seconds=seconds))
    if completed is None:
        return "later"
    found = read_map(completed.report, sandbox.environment.excluded)
    return Kept(map=found, seconds=completed.seconds, created=time.time()) if found is not None else "silent"


def is_outdated(kept: Kept, snapshot: Snapshot, result: CheckResult) -> bool:
    """Whether enough has changed for a new map. Reads every file that the map knows."""
    changed = sum(_differs(kept.map, number, snapshot) for number in range(len(kept.map.files)))
    known = set(kept.map.tests)
    fresh = sum(outcome.id not in known for outcome in result.tests)
    if changed > MOST_CHANGED * len(kept.map.files) or fresh > MOST_CHANGED * len(kept.map.tests):
        return True
    return bool(changed or fresh) and time.time() - kept.created > REST * kept.seconds


def _differs(found: ImpactMap, number: int, snapshot: Snapshot) -> bool:
    file = found.files[number]
    content = snapshot.read(file.path) if file.hash else None
    return bool(file.hash) and (content is None or hashlib.sha256(content).hexdigest() != file.hash)
