"""The guard: deterministic rules that refuse a patch which weakens validation. One rule family a file, one line each in `RULES`.

A rule is a plain function; it reads the patch and the snapshot and says what it found. Rules do not run anything and never raise.
"""

from __future__ import annotations

from suture_sandbox.guard.paths import protected_paths
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.rules import RULES, RULES_VERSION, inspect

__all__ = ["RULES", "RULES_VERSION", "GuardContext", "GuardFinding", "GuardPolicy", "inspect", "protected_paths"]
