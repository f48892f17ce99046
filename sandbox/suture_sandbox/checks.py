"""Checks and their results: the records. Detection is in `detect`, parsing in `reports`, running in `sandbox`."""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_sandbox.findings import Finding

CheckKind = Literal["build", "types", "tests", "lint"]

CheckStatus = Literal["passed", "failed", "timeout", "crashed", "killed", "silent", "infrastructure"]
"""How a check ended.

passed          exit code and report both say so
failed          it ran to its end and reported findings
timeout         the wall clock ran out
crashed         it ended by a signal, or with an exit code that its tool uses for internal errors, without a whole report
killed          the sandbox stopped it at a limit (memory, processes, disk, output)
silent          it failed without saying anything that a parser or a person could use
infrastructure  the sandbox could not run it; says nothing about the workspace
"""

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A named command with a report format that decides pass or fail."""

    name: str
    """Unique in the workspace: `tests`, `types`, `lint`, `build`; a second of a kind is `types-pyright`."""
    kind: CheckKind
    command: tuple[str, ...]
    """Argument vector; `{report}` stands for the path of the report file. `python` is the environment's interpreter."""
    report: str
    """Name of the report parser, a key of `suture_sandbox.reports.PARSERS`."""
    timeout: int = 300
    """Seconds of wall time."""
    selectable: bool = False
    """Whether test ids can be appended to the command to run only those."""
    tool: str = ""
    """The distribution that provides the tool (`pytest`, `mypy`), for messages and for the identity."""


class TestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test ended."""

    __test__ = False  # tells pytest that this is a record, not a test class

    id: str
    """Node id as the tool takes it on its command line, such as `tests/test_calc.py::test_add[1]`."""
    outcome: Outcome
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the test does not stand against a pass of its check."""
        return self.outcome in ("passed", "skipped", "xfailed")


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a check said."""

    check: str
    status: CheckStatus
    exit_code: int | None = None
    seconds: float = 0.0
    """Wall time of the command, sandbox included."""
    findings: tuple[Finding, ...] = ()
    tests: tuple[TestOutcome, ...] = ()
    output: str = ""
    """What it printed (stdout, then stderr), decoded, cut in the middle to a bounded length."""
    warm: bool = False
    """Whether it ran in a process that had its tool loaded already; nothing is proven by such a run alone."""
    reason: str = ""
    """For every status but passed and failed: what happened, in words."""

    @property
    def passed(self) -> bool:
        """Whether the check holds."""
        return self.status == "passed"

    def test(self, identifier: str) -> TestOutcome | None:
        """The outcome of one test, None where it did not run."""
        return next((outcome for outcome in self.tests if outcome.id == identifier), None)
