"""Builds: compiling every file (`compileall` and suture's own syntax check), and building a wheel."""

from __future__ import annotations

import re

from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.common import LONGEST_MESSAGE, Source, bounded, lines_of, number, relative, whole
from suture_sandbox.reports.tracebacks import tracebacks

_COMPILING = re.compile(r"^\*\*\* Error compiling '([^']{1,1000})'")
_SORRY = re.compile(r"^Sorry: (\w{1,100}Error): (.{0,2000})$")
_PLACE = re.compile(r" \(([^()]{1,1000}), line (\d{1,8})\)$")
_BARE = re.compile(r"^(?:\*\*\* )?(\w{1,100}Error): (.{0,2000})$")
_WRONG = re.compile(r"^ {0,8}(?:\* )?(?:ERROR|(?:configuration )?error|E)(?:: | {2,4})(.+)$")
_SAYS_NOTHING = re.compile(r"subprocess-exited-with-error|metadata-generation-failed|failed-wheel-build|Failed (?:building|to build)")


def parse_compileall(given: ReportInput) -> Report:
    """Each syntax error, at the place that Python names; files that cannot be decoded too."""
    source = Source(given)
    text = f"{given.stdout}\n{given.stderr}"
    return Report(findings=bounded([*tracebacks(text, given, source), *_compiled(text, given, source)]))


def _compiled(text: str, given: ReportInput, source: Source) -> list[Finding]:
    """What `compileall` says beside tracebacks."""
    findings: list[Finding] = []
    compiling = ""
    for line in lines_of(text):
        if found := _COMPILING.match(line):
            compiling = found[1]
        elif line.startswith("  File "):
            compiling = ""
        elif sorry := _SORRY.match(line):
            findings.append(_sorry(sorry[1], sorry[2], given, source))
        elif compiling and (found := _BARE.match(line)):
            findings.append(_error(found[1], found[2], (compiling, 0), given, source))
            compiling = ""
    return findings


def parse_build(given: ReportInput) -> Report:
    """A failed wheel build: a traceback of the workspace's own code, else what the build backend raised, else the lines that say error."""
    source = Source(given)
    text = f"{given.stdout}\n{given.stderr}"
    raised = tracebacks(_unindented(text), given, source)
    findings = [finding for finding in raised if finding.path] or _compiled(text, given, source) or raised[-1:]
    if not findings:
        said = [found[1] for line in lines_of(text) if (found := _WRONG.match(line))]
        said = [line for line in said if not _SAYS_NOTHING.match(line)] or said
        findings = [whole(given, "build", "\n".join(said[-5:]), text.strip())] if said else []
    return Report(findings=bounded(findings))


def _unindented(text: str) -> str:
    """The text with the tracebacks that pip indents at the left edge; setuptools runs setup.py as a string, which gets its name back."""
    lines: list[str] = []
    margin = ""
    for line in lines_of(text):
        bare = line.lstrip(" ")
        if bare.startswith("Traceback (most recent call last):"):
            margin = " " * (len(line) - len(bare))
        elif not line.startswith(margin):
            margin = ""
        lines.append(line[len(margin) :])
    joined = "\n".join(lines)
    return joined.replace('File "<string>"', 'File "setup.py"') if "build_meta.py" in joined else joined


def _sorry(code: str, message: str, given: ReportInput, source: Source) -> Finding:
    """What `py_compile -q` prints: the place stands in parentheses at the end."""
    place = _PLACE.search(message[-1100:])
    at = (place[1], number(place[2]) - 1) if place else ("", 0)
    return _error(code, message[: len(message) - len(place[0])] if place else message, at, given, source)


def _error(code: str, message: str, at: tuple[str, int], given: ReportInput, source: Source) -> Finding:
    path = relative(at[0], given.root)
    text = f"{code}: {message}"[:LONGEST_MESSAGE]
    return Finding(check=given.check, path=path, range=source.line(path, at[1]), code=code, message=text)
