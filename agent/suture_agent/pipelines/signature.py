"""What of an error stays the same when it is looked at again: its stage, its place, its code, its words. Deterministic; no raw text.

A stage says how far what failed had come. A text that does not parse is never imported, what is not imported is never run, what raises is
never compared: an earlier stage is nearer to the root. Two kinds of errors are told apart, because they hide others in different ways:
*stopping* ones (a parser's, an import's, a test's) hide whatever comes after them; *listed* ones (of type checkers and linters) nothing.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Mapping
from enum import IntEnum

import msgspec

from suture_agent.direct.units import parse
from suture_agent.problem import enclosing_in
from suture_sandbox.checks import CheckKind
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot


class Stage(IntEnum):
    """How far what failed had come, nearest to the root first."""

    SYNTAX = 0
    """The text does not parse."""
    IMPORT = 1
    """A module, or a name in one, is not there."""
    LOAD = 2
    """A module, a fixture file or a build breaks down while it is loaded."""
    NAME = 3
    """A name is not defined."""
    TYPE = 4
    """Types do not fit."""
    RUN = 5
    """What a test runs raises."""
    ASSERT = 6
    """It ran, and its result is not what a test expects."""
    STYLE = 7
    """A linter's word on code that works."""


CODES: Mapping[str, Stage] = {
    **dict.fromkeys(("SyntaxError", "IndentationError", "TabError", "syntax", "invalid-syntax", "E999"), Stage.SYNTAX),
    **dict.fromkeys(("ImportError", "ModuleNotFoundError", "import", "import-not-found", "reportMissingImports"), Stage.IMPORT),
    **dict.fromkeys(("NameError", "UnboundLocalError", "F821", "name-defined", "used-before-def", "reportUndefinedVariable"), Stage.NAME),
}
"""Codes of tools and classes of exceptions that tell the stage by themselves."""

_COMPARED = ("AssertionError", "Failed")
"""What a test raises that has looked at a result."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Signature(msgspec.Struct, frozen=True):
    """What two errors are compared by."""

    check: str
    stage: Stage
    test: str
    path: str
    unit: str
    """Dotted name of the function or class around it; empty at module level, and in a text that does not parse."""
    code: str
    words: str
    """The message's first line, numbers and runs of white space taken out; what stands in quotes stays: it tells names apart."""

    @property
    def stops(self) -> bool:
        """Whether it hides what comes after it."""
        return bool(self.test) or self.stage <= Stage.LOAD


def stage_of(finding: Finding, kind: CheckKind) -> Stage:
    """The stage of a finding of a check of some kind."""
    told = CODES.get(finding.code)
    if told is not None and told < Stage.NAME:
        return told
    if kind == "build" or (kind == "tests" and not finding.test):
        return Stage.LOAD
    if told is not None:
        return told
    if kind == "tests":
        return Stage.ASSERT if finding.code in _COMPARED else Stage.RUN
    return Stage.TYPE if kind == "types" else Stage.STYLE


def signature_of(finding: Finding, kind: CheckKind, snapshot: Snapshot) -> Signature:
    """The signature of a finding on a snapshot."""
    first = finding.message.splitlines()[0] if finding.message else ""
    return Signature(
        check=finding.check,
        stage=stage_of(finding, kind),
        test=finding.test,
        path=finding.path,
        unit=enclosing_in(_tree(snapshot.read_text(finding.path) or ""), finding.range.start.line) if finding.path else "",
        code=finding.code,
        words=" ".join(_NUMBER.sub("#", first).split()),
    )


@functools.lru_cache(maxsize=32)
def _tree(text: str) -> ast.Module | None:
    """Of a log of a thousand findings many are in one file."""
    return parse(text)


def similar(one: Signature, other: Signature) -> bool:
    """Whether two errors, neither of which is further on than the other, count as the same mistake.

    A test's error is similar to any of the same test. Other errors are similar where they have the same code and words, wherever they are
    (the mistake has moved), or, of a tool that lists all that it finds, the same code in the same function (it was traded for its like).
    """
    if one.check != other.check:
        return False
    if one.test and one.test == other.test:
        return True
    if one.code == other.code and one.words == other.words:
        return True
    return not one.stops and not other.stops and (one.path, one.unit, one.code) == (other.path, other.unit, other.code)


def query_text(finding: Finding) -> str:
    """A finding as recall indexes it and looks for it: code and first line, without numbers and what stands in quotes."""
    first = finding.message.splitlines()[0] if finding.message else ""
    return " ".join(f"{finding.code} {_QUOTED.sub(' ', _NUMBER.sub(' ', first))}".split())
