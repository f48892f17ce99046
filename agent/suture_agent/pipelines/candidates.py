"""Candidate fixes for an error: proven fixes of the past, best first, that the policy may be shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from suture_agent.pipelines import Work
from suture_agent.pipelines.signature import query_text
from suture_agent.privacy import Privacy
from suture_agent.recall import PastFix
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import split_lines

AROUND = 6
"""Lines on either side of a place that are looked for in the code of past fixes."""
MOST_PLACES = 4


async def candidates_for(work: Work, findings: Sequence[Finding], snapshot: Snapshot, *, most: int) -> tuple[PastFix, ...]:
    """At most `most`, and at most as many as the harness shows. None that is about a file which the policy is not shown."""
    wanted = 0 if work.harness.past_fixes is msgspec.UNSET else min(most, work.harness.past_fixes)
    if not wanted:
        return ()
    text = "\n".join(f"{query_text(finding)}\n{finding.message}" for finding in findings)
    code = await asyncio.to_thread(code_at, findings, snapshot)
    found = await work.recall(text, wanted, code=code)
    privacy = Privacy(snapshot.root, work.harness.excluded or ())
    return tuple(fix for fix in found if not privacy.withholds_diff(fix.diff))[:wanted]


def code_at(findings: Sequence[Finding], snapshot: Snapshot) -> str:
    """The lines around the innermost places of an error, tests' files last: what recall compares with the code that was mended."""
    places: dict[tuple[str, int], None] = {}
    for finding in findings:
        places |= {(place.path, place.range.start.line): None for place in reversed(finding.related)}
        places[finding.path, finding.range.start.line] = None
    inside = [(path, line) for path, line in places if path and not path.startswith("/")]
    parts: list[str] = []
    for path, line in inside[:MOST_PLACES]:
        lines = split_lines(snapshot.read_text(path) or "")
        parts += lines[max(0, line - AROUND) : line + AROUND + 1]
    return "\n".join(parts)
