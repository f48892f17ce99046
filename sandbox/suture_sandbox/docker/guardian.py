"""The guardian: a small process that outlives suture for a moment, and clears away what a kill -9 leaves.

A container ends by itself when its agent loses suture, and the daemon removes it. What escapes that: a container that was made and not
started yet, and the folder with the sockets. The guardian waits on a pipe that only suture holds; when it reads as ended without a
farewell, it removes both. It runs nothing that a workspace or a policy wrote, and is started as a file of its own, so that nothing of
suture is loaded unless there is something to clear away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

_ROUNDS, _PAUSE_SECONDS = 4, 1.0  # a request that suture sent before it died may still be on its way


class Guardian:
    """Started with the first container, dismissed with the backend."""

    def __init__(self, address: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, address, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd="/",
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Say farewell and wait for its end; idempotent."""
        if self._process.returncode is None:
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate(b"farewell\n")


def _main(address: str, folder: str) -> None:
    if os.read(0, 16):
        return
    from suture_sandbox.docker.daemon import Daemon
    from suture_sandbox.docker.reaper import sweep
    from suture_sandbox.errors import SandboxFloorError

    shutil.rmtree(folder, ignore_errors=True)
    for _ in range(_ROUNDS):
        with contextlib.suppress(SandboxFloorError):  # a daemon that is down has nothing running either; the next suture reaps
            sweep(Daemon(address), Path(folder).name)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    _main(*sys.argv[1:3])
