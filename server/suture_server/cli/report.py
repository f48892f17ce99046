"""`suture report`."""

from __future__ import annotations

from pathlib import Path

import click

from suture_server.cli.common import Output, options
from suture_server.cli.training import extras, training


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to write it (DIR/report.html).")
@options
def report(folder: Path, out: Path | None, output: Output) -> int:
    r"""Write one self-contained HTML page about a training run, an evaluation, a matrix or an attribution.

    Nothing in the page runs, and nothing is fetched: it can be mailed and kept.

    \b
    Examples:
      suture report runs/rl-1
      suture report matrix --out matrix.html
    """
    with extras():
        path: Path = training("report.build:write_report")(folder, out)
    output.line({"event": "summary", "path": str(path), "bytes": path.stat().st_size})
    output.say(str(path))
    return 0
