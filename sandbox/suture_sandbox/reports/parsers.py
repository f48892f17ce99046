"""The parsers by name. A new format is a new function and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from suture_sandbox.reports import Parser, builds, generic, jsonformats, junit, mypy, pytest, tracebacks, unittest

PARSERS: Mapping[str, Parser] = {
    "build": builds.parse_build,
    "compileall": builds.parse_compileall,
    "generic": generic.parse,
    "junit": junit.parse,
    "mypy": mypy.parse,
    "pyright": jsonformats.parse_pyright,
    "pytest": pytest.parse,
    "pytest-text": pytest.parse_output,
    "ruff": jsonformats.parse_ruff,
    "sarif": jsonformats.parse_sarif,
    "traceback": tracebacks.parse,
    "unittest": unittest.parse,
}
"""Name, as `Check.report` gives it -> parser."""
