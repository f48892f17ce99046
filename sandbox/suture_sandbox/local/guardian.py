"""The guardian: one small shell per backend that outlives suture for a moment, and clears away what a kill -9 leaves.

Bubblewrap ties itself to suture with a signal at its parent's death. Two things escape that: a bubblewrap that was between two system calls
when suture died, whose child then waits for ever, and the empty folders of the control groups. The guardian waits on a pipe that only
suture holds; when it reads as ended without a farewell, it kills by title what is left and removes the folders. It runs nothing that a
workspace or a policy wrote.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading

from suture_sandbox.local.cgroups import PREFIX
from suture_sandbox.local.start import TITLE

_SCRIPT = """
owner=$1; shift
read -r farewell && exit 0
for round in 1 2 3; do
    for file in $(grep -lsz "^$0$owner\\$" /proc/[0-9]*/cmdline); do
        process=${file#/proc/}
        kill -9 "${process%/cmdline}"
    done
    sleep 0.1
    for parent in "$@"; do rmdir "$parent$owner"-*; done
done
"""


class Guardian:
    """Started with the first attempt, dismissed with the backend."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self, parents: tuple[str, ...]) -> None:
        """Start it once; `parents` are the folders in which this process makes control groups."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _SCRIPT, TITLE, str(os.getpid()), *(f"{parent}/{PREFIX}" for parent in parents)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={"PATH": "/usr/bin:/bin"},
                    cwd="/",
                    start_new_session=True,
                )

    def dismiss(self) -> None:
        """Say farewell and wait for its end; idempotent."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(BrokenPipeError):
                process.communicate(b"farewell\n")
