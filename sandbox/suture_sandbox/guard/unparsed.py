"""Rules for Python that cannot be parsed here: a syntax error, or the syntax of a newer Python. Only new lines are read, word by word.

Deliberately coarse: such a file mostly cannot run at all, so a false alarm costs little, and what slips through is caught by the checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, changes
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_WORDS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "exits-process",
        re.compile(r"\b(sys\.exit|os\._exit|os\.abort|os\.kill|SystemExit|atexit\.|quit\(|(?<![\w.])exit\()"),
        "ends the program",
    ),
    ("exits-skip", re.compile(r"\b(pytest\.(skip|exit|xfail)|SkipTest)\b"), "makes tests stop without failing"),
    ("exceptions-broad", re.compile(r"\bexcept\s*(\(?\s*(Base)?Exception\b.*)?:"), "catches every exception"),
    ("shape-dynamic", re.compile(r"(?<![\w.])(exec|eval|compile|__import__)\s*\("), "runs text as code"),
    (
        "special-case-detection",
        re.compile(r"PYTEST_CURRENT_TEST|[\"'](_?pytest|unittest)[\"']\s+in\s+|sys\._getframe|inspect\.(stack|currentframe)"),
        "asks whether it is being tested",
    ),
    (
        "runner-interpreter",
        re.compile(r"\bsys\.(settrace|setprofile|modules\[|meta_path|path\.(insert|append))|__builtins__"),
        "changes the interpreter",
    ),
    ("runner-tooling", re.compile(r"^\s*(import|from)\s+(_?pytest|unittest|doctest)\b"), "imports test tooling"),
)


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse the plainest tricks in text that has no tree."""
    for change in changes(patch):
        if change.after is None and not change.deleted:
            yield from _lines(change)


def _lines(change: Change) -> Iterator[GuardFinding]:
    old = change.old_lines
    said: set[str] = set()
    for number, line in enumerate(change.new.splitlines()):
        if line.strip() in old or line.lstrip().startswith("#"):
            continue
        for rule, pattern, what in _WORDS:
            if rule not in said and pattern.search(line[:2000]):
                said.add(rule)
                yield GuardFinding(
                    rule=rule, path=change.path, line=number, message=f"it adds a line that {what}, in a file that cannot be parsed"
                )
