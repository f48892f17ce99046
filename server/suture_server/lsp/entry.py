"""Starting the language server: what it loads, in an order that an editor does not wait for longer than it must."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable


def stdio(verbose: int = 0) -> int:
    """Serve one client over standard input and output; returns the exit code."""
    _prepare(verbose)
    from suture_server.lsp.server import serve_stdio

    return serve_stdio()


def tcp(host: str, port: int, listening: Callable[[int], None], verbose: int = 0) -> int:
    """Serve clients over TCP; `listening` is called with the port. Returns the exit code."""
    _prepare(verbose)
    from suture_server.lsp.server import serve_tcp

    return serve_tcp(host, port, listening)


def _prepare(verbose: int) -> None:
    """Collect no garbage while thousands of generated classes are made, and load them; set logging.

    `server` collects again: of those classes none dies.
    """
    gc.disable()
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    if verbose < 2:
        for noisy in ("pygls", "asyncio"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
    from suture_server.lsp.generated import import_protocol

    import_protocol()
