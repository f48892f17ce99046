"""Runs inside the sandbox, never imported by suture: pytest with a tracer that notes which workspace functions each test runs.

Its text is handed to the workspace's own interpreter (`python -c TEXT ROOT OUTPUT PYTEST-ARGUMENTS...`), so it needs nothing but pytest
and the standard library of any Python >= 3.8, and relies on nothing else in this package. It writes one JSON object to OUTPUT:

    {"tests": {node id: {"outcome": "failed", "functions":
        [{"path", "line", "name", "lines": [...], "calls": [[arguments, result], ...]}]}}}

Lines are zero-based; `line` is that of the `def`. Arguments and results are bounded `repr` texts. What it sees are calls in the thread that
runs the test and in threads started with `threading`; other processes are not seen.
"""

from __future__ import annotations

import json
import os
import reprlib
import sys
import threading
from types import CodeType, FrameType
from typing import Any

MOST_FUNCTIONS, MOST_CALLS, MOST_LINES = 200, 4, 400
_PLAIN_REPR: Any = object.__repr__
_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 100
_repr.maxlist = _repr.maxtuple = _repr.maxdict = _repr.maxset = _repr.maxfrozenset = _repr.maxdeque = 8
_repr.maxlevel = 3


def show(value: Any) -> str:  # noqa: ANN401  # any value of the workspace
    """A bounded text for any value; objects without a repr of their own show their attributes."""
    try:
        if type(value).__repr__ is _PLAIN_REPR and hasattr(value, "__dict__"):
            attributes = _attributes(value)
            inner = ", ".join(f"{k}={_repr.repr(v)}" for k, v in list(attributes.items())[:6])
            return f"{type(value).__name__}({inner})"[:200]
        return _repr.repr(value)[:200]
    except BaseException as error:  # noqa: BLE001  # a repr of the workspace may raise anything; the trace goes on
        return f"<{type(value).__name__}: repr raised {type(error).__name__}>"


def _attributes(value: Any) -> dict[str, Any]:  # noqa: ANN401  # any value of the workspace
    found: dict[str, Any] = value.__dict__
    return found


class Tracer:
    """Notes functions, lines, arguments and results while one test runs."""

    def __init__(self, root: str) -> None:
        self.root = root + os.sep
        self.functions: dict[CodeType, dict[str, Any]] = {}
        self.known: dict[str, str | None] = {}

    def wanted(self, name: str) -> str | None:
        """Relative path of a source file of the workspace, None for anything else."""
        if name not in self.known:
            inside = name.startswith(self.root) and not any(part in name for part in ("site-packages", "/.venv/", "/venv/"))
            self.known[name] = name[len(self.root) :] if inside else None
        return self.known[name]

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:  # noqa: ANN401  # sys.settrace's shape
        """Global trace function: decides whether a frame is watched."""
        code = frame.f_code
        path = self.wanted(code.co_filename)
        if path is None or event != "call" or code.co_name.startswith("<"):
            return None
        entry = self.functions.get(code)
        if entry is None:
            if len(self.functions) >= MOST_FUNCTIONS:
                return None
            name = getattr(code, "co_qualname", code.co_name)
            entry = self.functions[code] = {"path": path, "line": code.co_firstlineno - 1, "name": name, "lines": set(), "calls": []}
        call: list[str | None] | None = None
        if len(entry["calls"]) < MOST_CALLS:
            count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
            given = [(name, frame.f_locals[name]) for name in code.co_varnames[:count] if name in frame.f_locals]
            call = [", ".join(f"{name}={show(value)}" for name, value in given), None]
            entry["calls"].append(call)
        raised: list[str] = []

        def local(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ANN401  # sys.settrace's shape
            if event == "line":
                raised.clear()
                if len(entry["lines"]) < MOST_LINES:
                    entry["lines"].add(frame.f_lineno - 1)
            elif event == "exception":
                raised[:] = [f"raised {argument[0].__name__}: {show(argument[1])}"[:200]]
            elif event == "return" and call is not None and call[1] is None:
                call[1] = raised[0] if raised and argument is None else show(argument)
            return local

        return local


class Plugin:
    """The pytest plugin: one tracer a test."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.tests: dict[str, dict[str, Any]] = {}

    def begin(self, item: Any) -> None:  # noqa: ANN401  # pytest's item
        """Start tracing before a test's set-up."""
        tracer = Tracer(self.root)
        self.tests[item.nodeid] = {"outcome": "passed", "tracer": tracer}
        threading.settrace(tracer)
        sys.settrace(tracer)

    def end(self) -> None:
        """Stop tracing after a test's tear-down."""
        sys.settrace(None)
        threading.settrace(None)

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:  # noqa: ANN401, ARG002  # pytest's hook
        """Forget what an earlier run of the same test noted."""
        self.tests.pop(nodeid, None)

    def pytest_runtest_setup(self, item: Any) -> None:  # noqa: ANN401  # pytest's item
        """Begin before the fixtures run."""
        self.begin(item)

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401  # pytest's report
        """Note the outcome of each phase."""
        entry = self.tests.get(report.nodeid)
        if entry is not None and report.outcome == "failed":
            entry["outcome"] = "failed"

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:  # noqa: ANN401, ARG002  # pytest's hook
        """Stop tracing."""
        self.end()

    def result(self) -> dict[str, Any]:
        """The object that is written."""
        return {
            "tests": {
                nodeid: {
                    "outcome": entry["outcome"],
                    "functions": [
                        {**function, "lines": sorted(function["lines"]), "calls": function["calls"] if entry["outcome"] == "failed" else []}
                        for function in entry["tracer"].functions.values()
                    ],
                }
                for nodeid, entry in self.tests.items()
            }
        }


def main(arguments: list[str]) -> int:
    """Run pytest under the plugin and write what it saw."""
    import pytest

    root, output, *rest = arguments
    sys.argv = ["pytest", *rest]
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m pytest` does; os is all that is needed
    plugin = Plugin(root)
    code = pytest.main(rest, plugins=[plugin])
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123  # the path is a file descriptor's
        json.dump(plugin.result(), file)
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
