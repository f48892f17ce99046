"""The command line. Commands are files beside this one; `group.py` has the table of them."""

from __future__ import annotations

import sys

EDITORS = (["lsp"], ["lsp", "--stdio"])
"""How editors start the language server. They wait for it, so nothing of a command line is loaded for these."""


def main() -> None:
    """Entry point of the `suture` program: runs a command and turns what it raises into an exit code (CLI.md)."""
    if sys.argv[1:] in EDITORS:
        from suture_server.lsp.entry import stdio

        raise SystemExit(stdio())
    from suture_server.cli.boundary import run
    from suture_server.cli.group import cli

    raise SystemExit(run(cli))
