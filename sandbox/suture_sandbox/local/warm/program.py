"""Being a program: `python -m MODULE` in a process that was forked from one which has the module's tool loaded; and loading it.

This file runs inside the sandbox, in the environment's own interpreter (3.8 or newer), without suture: standard library only. The zygotes
of the local backend have it, and those in containers.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import sys
from typing import Any


def run(order: dict[str, Any], streams: list[int], scout: int | None) -> None:
    """Be the program: `python -m MODULE`, as if it had been started so; never returns.

    `order` names `module`, `arguments`, `folder`, `variables` and the folders of the toolchain (`prefixes`).
    """
    import runpy
    import traceback

    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    try:
        os.chdir(order["folder"])
    except OSError as error:
        os.write(2, f"{order['folder']}: {error.strerror}\n".encode())
        os._exit(127)
    code = 1
    try:
        os.environ.update(order["variables"])
        sys.argv = ["-m", *order["arguments"]]
        sys.path.insert(0, os.getcwd())
        reseed()
        code = 0
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
    except SystemExit as leave:
        code = exit_code(leave.code)
    except BaseException:  # noqa: BLE001  # the interpreter's own last line of defence
        code = 1
        traceback.print_exc()
    finally:
        code = finish(code)
        if scout is not None:
            tell_modules(scout, order["prefixes"])
        os._exit(code & 0xFF)


def finish(code: int) -> int:
    """What an interpreter does at its end, but for taking itself to pieces."""
    import atexit
    import threading

    try:
        getattr(threading, "_shutdown", int)()
        getattr(atexit, "_run_exitfuncs", int)()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BaseException:  # noqa: BLE001  # the same
        return code or 120
    return code


def exit_code(given: object) -> int:
    """The exit code for what `sys.exit` was given."""
    if given is None:
        return 0
    if isinstance(given, int):
        return given
    sys.stderr.write(str(given) + "\n")
    return 1


def reseed() -> None:
    """Numbers that are drawn at random must not be the same in every attempt; `random` and `tempfile` see to it by themselves."""
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()


def tell_modules(fd: int, prefixes: list[str]) -> None:
    """Write the names of the loaded modules that belong to the toolchain."""
    names: list[str] = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if name == getattr(spec, "name", None) and (origin in ("built-in", "frozen") or is_below(origin, prefixes)):
            names.append(name)
    text = json.dumps(names).encode()
    while text:
        text = text[os.write(fd, text) :]


def is_below(path: object, prefixes: list[str]) -> bool:
    """Whether a file lies in one of the folders."""
    return isinstance(path, str) and any(path.startswith(each + "/") for each in prefixes)


def import_all(names: list[str], prefixes: list[str]) -> dict[str, str]:
    """Import modules of the toolchain; the first that starts a thread is named, since forking is not safe any more then."""
    for name in names:
        if name in sys.modules:
            continue
        try:
            spec = importlib.util.find_spec(name)
            if spec is not None and (spec.origin in ("built-in", "frozen") or is_below(spec.origin, prefixes)):
                importlib.import_module(name)
        except BaseException:  # noqa: BLE001, S112  # a package may do anything while it is imported; then it is not loaded
            continue
        if threads() > 1:
            return {"threads": name}
    return {}


def load(module: str) -> None:
    """Load the tool. For pytest, an empty session in an empty folder loads its plugins as pytest wants them loaded."""
    import logging
    import warnings

    if module != "pytest":
        importlib.import_module(module)
        return
    kept = (list(sys.path), list(sys.meta_path), dict(os.environ), os.getcwd(), list(warnings.filters), list(logging.root.handlers))
    import pytest

    os.makedirs("/tmp/empty")  # noqa: S108  # inside
    os.chdir("/tmp/empty")  # noqa: S108  # the same
    open("/tmp/empty/pytest.ini", "w").close()  # noqa: S108  # the same
    pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", "-c", "/tmp/empty/pytest.ini", "/tmp/empty"])  # noqa: S108  # the same
    sys.path[:], sys.meta_path[:] = kept[0], kept[1]
    os.environ.clear()
    os.environ.update(kept[2])
    os.chdir(kept[3])
    warnings.filters[:] = kept[4]  # type: ignore[index]  # its type says less than it is
    getattr(warnings, "_filters_mutated", int)()
    logging.root.handlers[:] = kept[5]


def loaded() -> dict[str, list[str]]:
    """The top-level names of what is loaded."""
    return {"names": sorted({name.partition(".")[0] for name in sys.modules})}


def threads() -> int:
    """How many this process has."""
    return len(os.listdir("/proc/self/task"))


def settle() -> None:
    """Leave what is loaded alone when garbage is collected, so that forks go on sharing it; and no output to be printed by them."""
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    gc.freeze()
