"""Which tests run which functions of a healthy workspace: what no test runs is not worth breaking, and a broken function is first shown
to its own.

The maps are those that proofs use (`suture_agent.impact`). They are a hint: without one everything counts as run, and what they get wrong
costs a candidate, never a task that was not verified.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from suture_agent.direct.trace import pytest_arguments
from suture_agent.impact.choose import impacted
from suture_agent.impact.making import make
from suture_agent.impact.map import ImpactMap, Kept
from suture_sandbox.checks import CheckResult
from suture_sandbox.impacted import MOST_CHARACTERS, MOST_TESTS
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

logger = logging.getLogger(__name__)

MOST_TRIES, PAUSE_SECONDS = 6, 1.0


class Coverage:
    """What the tests of a workspace run."""

    def __init__(self, maps: Mapping[str, ImpactMap]) -> None:
        self._maps = maps

    def __bool__(self) -> bool:
        return bool(self._maps)

    def runs(self, path: str, line: int) -> bool:
        """Whether a test runs the function that begins in this line (decorators included, counted from 1); true where nothing is known."""
        if not self._maps:
            return True
        files = [file for found in self._maps.values() for file in found.files if file.path == path]
        return any(line in file.functions or line in file.early for file in files)

    def tests(self, check: str, patch: Patch) -> tuple[str, ...] | None:
        """The tests that a patch may break; None where that is not known, or they are too many to be named."""
        found = self._maps.get(check)
        if found is None or not {edit.path for edit in patch.edits} <= {file.path for file in found.files}:
            return None
        told = impacted(found, patch)
        tests = (*told.ran, *told.imported)
        few = len(tests) <= min(MOST_TESTS, len(found.tests) // 2) and sum(map(len, tests)) <= MOST_CHARACTERS
        return tests if few else None


async def measure(sandbox: Sandbox, snapshot: Snapshot, results: Sequence[CheckResult]) -> Coverage:
    """Run the tests of every pytest check once more under the program that notes what they run."""
    maps: dict[str, ImpactMap] = {}
    for result in results:
        check = sandbox.check_named(result.check)
        if pytest_arguments(check) is None or result.status not in ("passed", "failed"):
            continue
        for _ in range(MOST_TRIES):
            made = await make(sandbox, check, snapshot, result)
            if isinstance(made, Kept):
                maps[check.name] = made.map
            if made != "later":
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if check.name not in maps:
            logger.info("nothing is known of what the tests of %s run", check.name)
    return Coverage(maps)
