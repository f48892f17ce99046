"""Runs inside the sandbox, never imported by suture: tries many texts of one file against a few tests, one forked pytest each.

Its text is handed to the workspace's own interpreter (`python -c TEXT OUTPUT SECONDS PYTEST-ARGUMENTS...`) with a JSON list of
[path, [text, ...]] on standard input. It writes the indices of the texts with which pytest passes to OUTPUT, as JSON. pytest is imported
once, the workspace's code anew in every child. This only sieves: what passes is proven afterwards in fresh attempts, one by one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any


def main(arguments: list[str]) -> int:
    """Try every text; stop starting new ones when the time is up."""
    import pytest

    _preload()
    output, seconds, *rest = arguments
    deadline = time.monotonic() + float(seconds)
    path, texts = json.load(sys.stdin)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m pytest` does; os is all that is needed
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123  # as above
        original = file.read()
    passed: list[int] = []
    for index, text in enumerate(texts):
        if time.monotonic() > deadline:
            break
        with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # as above
            file.write(text)
        if _passes(pytest.main, rest, min(10.0, deadline - time.monotonic() + 1)):
            passed.append(index)
            if len(passed) >= 8:
                break
    with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123  # as above
        file.write(original)
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123  # as above
        json.dump(passed, file)
    return 0


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


class _Leave:
    """The pytest plugin of a child: it leaves with the first failure, or when the tests are done, before anything is summed up."""

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401  # pytest's report
        """Leave with the first failure."""
        if report.outcome == "failed":
            os._exit(1)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Leave before plugins report: some import half of themselves for that."""
        os._exit(int(exitstatus))


def _passes(run: Callable[..., int], arguments: list[str], seconds: float) -> bool:
    """Whether pytest ends with 0 in a child of its own, in time."""
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        code = 70
        try:
            code = int(run(arguments, plugins=[_Leave()]))
        finally:
            os._exit(code)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
