"""How a small policy is asked about one unit: in which manner, and with which beginning of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from suture_agent.direct.units import Unit
from suture_sandbox.findings import Finding
from suture_sandbox.text import lines_with_ends, split_lines

Mode = Literal["likely", "explained", "samples", "again"]
"""How the policy is asked: for its most likely answer; for one that first says in a comment what it mends; for several samples; for another
answer after a failure, which is shown."""

REMARK = "# Fixed: "
"""How the comment begins in which an explained answer says what it mends."""

_DECORATOR_WORDS = (
    "bound method",
    "'method'",
    "function object",
    "'function'",
    "is not callable",
    "missing 1 required positional argument: 'self'",
)
_SIGNATURE_WORDS = ("positional argument", "keyword argument", "ignature", "override", "return type", "annotation")


def prefill_of(unit: Unit, findings: Sequence[Finding], mode: Mode) -> str:
    """How the answer begins: with the unit's signature and docstring, or with less where the signature itself may be wrong.

    Without a beginning a small policy repeats the whole file it was shown.
    """
    start = "```python\n"
    pointed = pointed_line(unit, findings)
    if mode == "likely" and pointed is not None:
        lines = lines_with_ends(unit.source)
        indent = lines[pointed][: len(lines[pointed]) - len(lines[pointed].lstrip())]
        return f"{start}{''.join(lines[:pointed])}{indent}"
    if unit.kind == "class":
        return f"{start}{split_lines(unit.source)[0]}\n"
    if unit.kind != "function" or not unit.opening:
        return start
    if any(word in finding.message for finding in findings for word in _DECORATOR_WORDS):
        return start
    if mode in ("likely", "explained") and not _signature_doubted(unit, findings):
        remark = f"{_body_indent(unit)}{REMARK}" if mode == "explained" else ""
        return f"{start}{unit.opening}{remark}"
    if mode == "explained":
        return f"{start}{REMARK}"
    name = unit.name.rsplit(".", 1)[-1]
    before_def = unit.opening.split("def ", 1)[0]
    if mode == "again" and any(word in finding.message for finding in findings for word in ("coroutine", "await")):
        before_def = before_def.removesuffix("async ") if before_def.endswith("async ") else f"{before_def}async "
    return f"{start}{before_def}def {name}("


def pointed_line(unit: Unit, findings: Sequence[Finding], *, first: int = 1) -> int | None:
    """The line of the unit, counted from its first, that a tool names; None for a failing test, which shows a mistake late."""
    named = [each.range.start.line - unit.start for each in findings if not each.test and each.path == unit.path]
    return next((line for line in named if first <= line < unit.lines), None)


def _body_indent(unit: Unit) -> str:
    """White space before the first statement of a function's body."""
    rest = unit.source[len(unit.opening) :]
    first = next((line for line in rest.splitlines() if line.strip()), "    ")
    return first[: len(first) - len(first.lstrip())]


def _signature_doubted(unit: Unit, findings: Sequence[Finding]) -> bool:
    """Whether the mistake may be in the signature: a mutable default, a finding on it, a message about arguments."""
    dense = unit.opening.replace(" ", "")
    last = unit.start + len(unit.opening.splitlines())
    on_signature = any(finding.path == unit.path and unit.start <= finding.range.start.line < last for finding in findings)
    return (
        "=[]" in dense
        or "={}" in dense
        or on_signature
        or any(word in finding.message for finding in findings for word in _SIGNATURE_WORDS)
    )
