"""Freezing the clock inside attempts, where `environment.frozen_time` asks for it: libfaketime, preloaded into every program.

Only what time it is stands still. Clocks that measure (monotonic) run on, so that sleeping and time-outs work; dates of files are real.
What it deliberately is not: it does not reach programs that are linked statically or ask the kernel themselves (Go), nor set-user-id ones.
The instant is a variable and the library's content a field of the toolchain, so both are part of the identity.

The library is that of the PyPI package libfaketime, else the distribution's. Each is tried on the environment's interpreter before it is
taken: releases before 0.9.11, which Debian 12 has, make `time.sleep` fail.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from suture_sandbox.capture.files import hash_file
from suture_sandbox.environment import Runtime
from suture_sandbox.errors import ConfigurationError

PRELOAD = "LD_PRELOAD"
SYSTEM_LIBRARIES = ("lib/*/faketime", "lib64/faketime", "lib/faketime", "local/lib/faketime", "local/lib/*/faketime")
"""Folders below /usr that distributions put it into."""

_LATEST = 4102444800  # 2100-01-01: beyond, 32 bits and file formats make trouble that has nothing to do with the workspace
_PROBE_SECONDS = 20
PROBE = "import os, time; time.sleep(0.001); time.monotonic(); print(os.getpid(), time.time())"
_SHARED = ("faketime_shm_{}", "sem.faketime_sem_{}")


def frozen(runtime: Runtime, moment: str, base: Path) -> Runtime:
    """The runtime with its clock standing at `moment`; raises ConfigurationError where that is no instant or no library does it here."""
    seconds = epoch_of(moment)
    for library in libraries():
        variables = variables_for(str(library), seconds)
        if _works(base, variables, seconds):
            note = f"time stands still at {moment} (libfaketime: {library})"
            return msgspec.structs.replace(
                runtime,
                variables={**runtime.variables, **variables},
                readonly=tuple(dict.fromkeys((*runtime.readonly, str(library.parent)))),
                notes=(*runtime.notes, note),
            )
    raise ConfigurationError(
        f"environment.frozen_time = {moment!r}: there is no libfaketime here that works with {base}",
        remedy="install it beside suture: pip install libfaketime (in suture's own environment)",
    )


def epoch_of(moment: str) -> int:
    """Seconds since 1970; raises ConfigurationError for anything that is not an instant with its zone in whole seconds."""
    try:
        parsed = dt.datetime.fromisoformat(moment)
    except ValueError as error:
        raise _refused(moment, "it is no instant") from error
    if parsed.tzinfo is None or parsed.microsecond:
        raise _refused(moment, "it has no zone" if parsed.tzinfo is None else "it has a part of a second")
    seconds = int(parsed.timestamp())
    if not 0 < seconds < _LATEST:
        raise _refused(moment, "it is not between 1970 and 2100")
    return seconds


def libraries() -> Iterator[Path]:
    """Where libfaketime lies on this machine, the likeliest first; nothing is imported."""
    from importlib.util import find_spec

    with contextlib.suppress(ImportError, ValueError):
        spec = find_spec("libfaketime")
        if spec is not None and spec.origin is not None:
            yield from sorted(Path(spec.origin).parent.glob("vendor/libfaketime/src/libfaketime.so*"))
    for folder in SYSTEM_LIBRARIES:
        yield from sorted(Path("/usr").glob(f"{folder}/libfaketime.so.1"))


def preloaded_fields(variables: Mapping[str, str]) -> dict[str, str]:
    """The toolchain's field for what is preloaded into every program; none where nothing is."""
    library = variables.get(PRELOAD)
    return {"preloaded": hash_file(library)} if library else {}


def variables_for(library: str, seconds: int) -> dict[str, str]:
    """What lets the clock of programs stand still."""
    # as seconds, so that a program's own TZ moves nothing
    fixed = {"FAKETIME": str(seconds), "FAKETIME_FMT": "%s", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    return {**fixed, PRELOAD: library}


def _works(base: Path, variables: Mapping[str, str], seconds: int) -> bool:
    """Whether the interpreter, which lies outside the workspace, starts with it, can sleep and tells that time."""
    command = [str(base), "-I", "-S", "-c", PROBE]
    try:
        done = subprocess.run(command, env=dict(variables), capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    process, _, told = done.stdout.partition(" ")
    for name in _SHARED:  # what the library leaves behind where nothing is thrown away
        with contextlib.suppress(OSError):
            (Path("/dev/shm") / name.format(process)).unlink()  # noqa: S108  # its own place, by the number of our own process
    return done.returncode == 0 and told.strip() == f"{seconds}.0"


def _refused(moment: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"environment.frozen_time = {moment[:60]!r}: {reason}", remedy='write it with its zone: frozen_time = "2024-01-01T00:00:00Z"'
    )
