"""Runs inside the sandbox, never imported by suture: tries many small edits against a few tests, one forked child each.

Its text is handed to the workspace's own interpreter (`python -c TEXT OUTPUT SECONDS PYTEST-ARGUMENTS...`) with a JSON object on its
standard input: `failing`, `passing` and `hoped` (tests), `files` (path -> text) and `trials` ([path, start, end, replacement, name, weight]
each: the characters from `start` to `end` of a file are replaced). It writes `[[trial, failing tests that pass, whether all of them do,
hoped ones that pass], ...]` to OUTPUT, as JSON, for the trials with which at least one failing test passes and, if all do, no passing one
fails. It needs nothing but pytest and the standard library of any Python >= 3.8.

A trial that names a function (`Cart.total`) changes only that function's body. pytest then collects once, and every child puts the
function's new code into the collected program: about 8 ms a trial. Any other trial is written to the file, and its child runs
pytest from the start. This only sieves: what passes is proven afterwards in fresh attempts, one by one.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

ENOUGH = 4
"""Trials with which everything passes, after which the rest is left out."""
FAR_LESS = 0.5
"""Of the weight of the first of them: less likely trials are left out as well."""
MOST_WRITTEN = 150
"""Trials that are written to their file: they cost a whole pytest each."""
EARLY, LIKELY, MOST_EARLY = 60, 1.2, 6
"""Of the first trials those of this weight are written before any other is tried, this many at most."""
LONGEST_TRIAL = 10.0
EVERYTHING = 255


def main(arguments: list[str]) -> int:
    """Try every trial; stop starting new ones when the time is up."""
    import pytest

    _preload()
    output, seconds, *rest = arguments
    deadline = time.monotonic() + float(seconds)
    given = json.load(sys.stdin)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m pytest` does; os is all that is needed
    files, trials = given["files"], given["trials"]
    failing, passing = [*rest, *given["failing"]], [*rest, *given["passing"]] if given["passing"] else []

    def written(index: int) -> tuple[int, int]:
        """The result of a trial that is written to its file."""
        path, start, end, replacement, *_ = trials[index]
        _write(path, files[path][:start] + replacement + files[path][end:])
        left = min(LONGEST_TRIAL, deadline - time.monotonic() + 1)
        result = _in_child(lambda: pytest.main(failing, plugins=[Counter()]), left)
        if result[0] == EVERYTHING and passing:
            unbroken = _in_child(lambda: pytest.main(passing, plugins=[Counter()]), left)[0] == EVERYTHING
            result = (EVERYTHING if unbroken else 0, 0)
        _write(path, files[path])
        return result

    found: dict[int, tuple[int, int]] = {}
    for index in [at for at, trial in enumerate(trials[:EARLY]) if not trial[4] and trial[5] >= LIKELY][:MOST_EARLY]:
        found[index] = written(index)
        if found[index][0] == EVERYTHING:
            break
    likelier = {**given, "trials": trials[: _first_whole(found, len(trials))]}
    found.update(_in_one_program(pytest.main, [*failing, *given["passing"], *given["hoped"]], likelier, deadline))
    more = [index for index in range(_first_whole(found, len(trials))) if index not in found]  # later ones are less likely
    for index in more[:MOST_WRITTEN]:
        if time.monotonic() > deadline:
            break
        found[index] = written(index)
        if found[index][0] == EVERYTHING:
            break
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123  # the path is a file descriptor's
        told = [[index, count, count == EVERYTHING, more] for index, (count, more) in sorted(found.items()) if count]
        json.dump(told, file)
    return 0


def _first_whole(found: dict[int, tuple[int, int]], otherwise: int) -> int:
    """The likeliest trial with which everything passes."""
    return min((index for index, (count, _) in found.items() if count == EVERYTHING), default=otherwise)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # os is all that is needed
        file.write(text)


def _preload() -> None:
    """Import what every child would import again: pytest's own modules and this environment's plugins, nothing of the workspace."""
    import importlib
    from importlib import metadata

    import _pytest.config as config

    for name in getattr(config, "default_plugins", ()):
        _try(importlib.import_module, f"_pytest.{name}")
    for plugin in metadata.entry_points(group="pytest11") if sys.version_info >= (3, 10) else ():
        _try(plugin.load)


def _try(work: Callable[..., object], *arguments: str) -> None:
    """Plugins that cannot be loaded are pytest's to complain about."""
    with contextlib.suppress(BaseException):
        work(*arguments)


class Counter:
    """The pytest plugin of a child: counts the tests that pass, tells it and leaves, before anything is summed up."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.passed: set[str] = set()

    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:  # noqa: ANN401  # pytest's hook
        """A report without the failure's text, whose making takes longer than most tests."""
        if call.excinfo is None:
            return None
        from _pytest.outcomes import Skipped
        from _pytest.reports import TestReport

        if isinstance(call.excinfo.value, Skipped):
            return TestReport(item.nodeid, item.location, {}, "skipped", ("", 0, ""), call.when)
        return TestReport(item.nodeid, item.location, {}, "failed", "left out", call.when)

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401  # pytest's report
        """Note each phase of each test."""
        if report.outcome == "failed":
            self.failed.add(report.nodeid)
        elif report.outcome == "passed" and report.when == "call":
            self.passed.add(report.nodeid)

    @property
    def count(self) -> int:
        """Tests that passed in all their phases."""
        return min(len(self.passed - self.failed), EVERYTHING - 1)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Leave before plugins report: some import half of themselves for that."""
        _tell(EVERYTHING if int(exitstatus) == 0 else self.count)


_TOLD = [-1, -1]
"""The descriptor through which a child tells its result, and that child's process."""


def _tell(code: int, more: int = 0) -> None:
    if os.getpid() == _TOLD[1]:  # not a process that the trial forked
        os.write(_TOLD[0], bytes([code, more]))
    os._exit(0)


def _in_child(work: Callable[[], object], seconds: float) -> tuple[int, int]:
    """What the child tells that does the work: tests that pass, and how many are hoped for; nothing when it tells nothing in time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.close(reading)
            _TOLD[:] = writing, os.getpid()
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            work()
        finally:
            os._exit(70)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], max(0.0, seconds))
    told = os.read(reading, 2) if ready else b""
    os.close(reading)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return (told[0], told[1]) if len(told) == 2 else (0, 0)


def _in_one_program(run: Callable[..., object], arguments: list[str], given: dict[str, Any], deadline: float) -> dict[int, tuple[int, int]]:
    """Results of the trials that name a function, by a child that collects once; trials that it could not try are not in it."""
    if not any(trial[4] for trial in given["trials"]):
        return {}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            run(arguments, plugins=[Loop(given, deadline, writing)])
        finally:
            os._exit(70)
    os.close(writing)
    text = b""
    while time.monotonic() < deadline + LONGEST_TRIAL:
        ready, _, _ = select.select([reading], [], [], 1.0)
        piece = os.read(reading, 65536) if ready else b" "
        if not piece:
            break
        text += piece
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    lines = [line.split() for line in text.decode().splitlines()]
    return {int(line[0]): (int(line[1]), int(line[2])) for line in lines if len(line) == 3}


class Loop:
    """The pytest plugin that tries the trials in place of running the collected tests."""

    def __init__(self, given: dict[str, Any], deadline: float, told: int) -> None:
        self.files: dict[str, str] = given["files"]
        self.trials: list[list[Any]] = given["trials"]
        self.passing = set(given["passing"])
        self.hoped = set(given["hoped"])
        self.deadline, self.told = deadline, told
        self.codes: dict[str, CodeType | None] = {}

    def pytest_runtestloop(self, session: Any) -> bool:  # noqa: ANN401  # pytest's session
        """Try each trial in a child that has everything collected."""
        if session.testsfailed or not session.items:
            os._exit(0)
        functions = self._functions()
        gc.collect()
        gc.freeze()
        started = time.monotonic()
        self._run(session, {})
        limit = min(LONGEST_TRIAL, 1.0 + 4 * (time.monotonic() - started))
        found = hung = 0
        least = 0.0
        for index, trial in enumerate(self.trials):
            if time.monotonic() > self.deadline or found >= ENOUGH or trial[5] < least:
                break
            changed = self._changed(trial, functions) if trial[4] else None
            if changed is None:
                continue
            started = time.monotonic()
            code, more = self._run(session, changed, limit if hung < 5 else limit / 4)
            hung += time.monotonic() - started >= limit
            if code == EVERYTHING:
                found += 1
                least = max(least, trial[5] * FAR_LESS)
            os.write(self.told, f"{index} {code} {more}\n".encode())
        os._exit(0)

    def _functions(self) -> dict[tuple[str, str, int], list[FunctionType]]:
        """The live functions of the files under trial, by file, name and line."""
        paths = {os.path.realpath(path): path for path in self.files}
        known: dict[str, str | None] = {}
        found: dict[tuple[str, str, int], list[FunctionType]] = {}
        for each in gc.get_objects():
            if type(each) is FunctionType:
                code = each.__code__
                if code.co_filename not in known:
                    known[code.co_filename] = paths.get(os.path.realpath(code.co_filename))
                path = known[code.co_filename]
                if path is not None:
                    found.setdefault((path, code.co_name, code.co_firstlineno), []).append(each)
        return found

    def _changed(self, trial: list[Any], functions: dict[tuple[str, str, int], list[FunctionType]]) -> dict[FunctionType, CodeType] | None:
        """New code for each live function that the trial changes; None when that cannot be said."""
        path, start, end, replacement, name, _ = trial
        text = self.files[path]
        if path not in self.codes:
            self.codes[path] = _compiled(text)
        old = _find(self.codes[path], name)
        new = _find(_compiled(text[:start] + replacement + text[end:]), name)
        if old is None or new is None or old.co_freevars != new.co_freevars:
            return None
        live = functions.get((path, old.co_name, old.co_firstlineno))
        return dict.fromkeys(live, new) if live else None

    def _run(self, session: Any, changed: dict[FunctionType, CodeType], seconds: float = LONGEST_TRIAL) -> tuple[int, int]:  # noqa: ANN401  # pytest's session
        """Run the collected tests with the new code in a child."""

        def work() -> None:
            counter = Counter()
            session.config.pluginmanager.register(counter)
            for function, code in changed.items():
                function.__code__ = code
            failing = [item for item in session.items if item.nodeid not in self.passing | self.hoped]
            _run_items(failing)
            if counter.count < len(failing):
                _tell(counter.count)
            _run_items([item for item in session.items if item.nodeid in self.passing])
            if counter.failed:
                _tell(0)
            counter.passed.clear()
            _run_items([item for item in session.items if item.nodeid in self.hoped])
            _tell(EVERYTHING, counter.count)

        return _in_child(work, seconds)


def _run_items(items: list[Any]) -> None:
    for item, following in zip(items, [*items[1:], None]):  # noqa: B905  # Python 3.9 has no strict
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _compiled(text: str) -> CodeType | None:
    try:
        return compile(text, "<trial>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _find(code: CodeType | None, name: str) -> CodeType | None:
    """The code of a function by its dotted name; None when there is none, or more than one."""
    for part in name.split("."):
        inner = [each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == part] if code is not None else []
        code = inner[0] if len(inner) == 1 else None
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
