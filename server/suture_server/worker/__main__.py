"""Entry of the worker process: `python -P -m suture_server.worker FD ROOT`, where FD is its end of a socket pair."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve until the socket ends or a signal comes."""
    descriptor, root, parent = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # a language server that is killed takes its worker with it
    if os.getppid() != parent:
        return  # it was killed before that was said
    logging.basicConfig(
        level=os.environ.get("SUTURE_LOG", "WARNING"), stream=sys.stderr, format="worker: %(levelname)s %(name)s: %(message)s"
    )
    os.dup2(2, 1)
    gc.disable()
    from suture_server.worker.service import serve

    gc.enable()
    gc.freeze()
    with socket.socket(fileno=descriptor) as connection:
        connection.setblocking(False)
        asyncio.run(serve(connection, root))


if __name__ == "__main__":
    main()
