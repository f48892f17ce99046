"""Builds: compiling every file (`compileall` and suture's own syntax check), and building a wheel."""

from __future__ import annotations

import re

from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_DETAIL, LONGEST_MESSAGE, Source, bounded, cut, lines_of, nowhere, number, place, relative
from suture_sandbox.reports.tracebacks import tracebacks

_FILE = re.compile(r'^(?:\*\*\* |Sorry: )?.{0,200}?File "([^"]{1,1000})", line (\d{1,8})')
_SORRY = re.compile(r"(\w+Error): (.{0,500}?) \((.{1,500}), line (\d{1,8})\)")
_ERROR = re.compile(r"^(?:\*\*\* )?([A-Za-z_][\w.]{0,100}(?:Error|Warning)): (.*)$")
_SAID = re.compile(r"^(?:ERROR|error)[: ]\s*(.+)$")


def parse_compileall(given: ReportInput) -> Report:
    """Each syntax error, at the line that Python names."""
    source = Source(given)
    findings: list[Finding] = []
    at: tuple[str, int] | None = None
    block: list[str] = []
    for line in lines_of(f"{given.stdout}\n{given.stderr}"):
        if sorry := _SORRY.search(line):
            findings.append(_syntax(sorry[1], sorry[2], (relative(sorry[3], given.root), number(sorry[4]) - 1), line, given, source))
        elif found := _FILE.match(line):
            at, block = (relative(found[1], given.root), number(found[2]) - 1), [line]
        elif at is not None:
            block.append(line)
            if error := _ERROR.match(line):
                findings.append(_syntax(error[1], error[2], at, "\n".join(block), given, source))
                at = None
    return Report(findings=bounded(findings))


def parse_build(given: ReportInput) -> Report:
    """A failed wheel build: the traceback of the build backend, else the lines that say error."""
    source = Source(given)
    text = f"{given.stdout}\n{given.stderr}"
    findings = tracebacks(text, given, source) or list(parse_compileall(given).findings)
    if not findings:
        said = [found[1] for line in lines_of(text) if (found := _SAID.match(line))]
        findings = [
            Finding(
                check=given.check, path="", range=nowhere(), code="build", message=line[:LONGEST_MESSAGE], detail=cut(text, LONGEST_DETAIL)
            )
            for line in said[-3:]
        ]
    return Report(findings=bounded(findings))


def _syntax(code: str, message: str, at: tuple[str, int], text: str, given: ReportInput, source: Source) -> Finding:
    path, line = at
    return Finding(
        check=given.check,
        path=path,
        range=source.line(path, line),
        code=code,
        message=f"{code}: {message}"[:LONGEST_MESSAGE],
        detail=cut(text, LONGEST_DETAIL),
        related=(place(path, line, "", source),),
    )
