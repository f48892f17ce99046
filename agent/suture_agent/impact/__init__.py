"""Impact: which tests a patch is likely to break, so that a proof asks them before it runs all of them.

A map says which functions of the workspace each test ran, and which files its module imports. It is made beside the work, kept in the
journal, and only ever a hint: what it gets wrong costs time, never a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

Impact = Callable[[str, Snapshot, Patch], Sequence[str]]
"""Check, snapshot and patch -> node ids of the tests that the patch may break, the likeliest first; none where nothing is known."""


def no_impact(_check: str, _snapshot: Snapshot, _patch: Patch) -> Sequence[str]:
    """Nothing is known: every proof runs the whole check without a look at the likeliest tests before."""
    return ()
