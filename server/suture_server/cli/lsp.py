"""`suture lsp`."""

from __future__ import annotations

import click

from suture_server.cli.group import as_written


@click.command()
@click.option("--stdio", is_flag=True, help="Speak over standard input and output (the default).")
@click.option("--tcp", metavar="HOST:PORT", help="Listen there instead; port 0 takes a free one, which is said on stderr.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for debug logs.")
@as_written
def lsp(stdio: bool, tcp: str | None, verbose: int) -> int:
    r"""Run the language server. Editors start it by themselves; docs/language-server.md says what it understands.

    \b
    Examples:
      suture lsp
      suture lsp --tcp 127.0.0.1:7654
    """
    if stdio and tcp:
        raise click.UsageError("--stdio and --tcp exclude each other")
    address = _address(tcp) if tcp else None
    from suture_server.lsp import entry

    if address is None:
        return entry.stdio(verbose)
    host, port = address
    return entry.tcp(host, port, lambda taken: click.echo(f"listening on {host}:{taken}", err=True), verbose)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"--tcp takes HOST:PORT, such as 127.0.0.1:7654, not {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)
