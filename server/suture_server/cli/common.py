"""What all commands share: the options every one of them has, output for people and for programs, and the event loop."""

from __future__ import annotations

import asyncio
import functools
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
import msgspec

from suture_server.cli.group import as_written
from suture_server.projects import project_around

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
T = TypeVar("T")


class Output:
    """Writes for people (rich, plain when it is not a terminal) or for programs (`--json`: JSON lines on stdout and nothing else there)."""

    def __init__(self, *, json: bool, quiet: bool, verbose: int) -> None:
        self.json = json
        self.quiet = quiet
        self.verbose = verbose

    @functools.cached_property
    def console(self) -> Console:
        """Where results go: stdout."""
        return _console(soft_wrap=not sys.stdout.isatty())

    @functools.cached_property
    def progress(self) -> Console:
        """Where progress and remarks go: stderr."""
        return _console(stderr=True, soft_wrap=not sys.stderr.isatty(), quiet=self.quiet)

    def line(self, record: object) -> None:
        """Write one JSON line, when JSON is asked for."""
        if self.json:
            sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
            sys.stdout.buffer.flush()

    def say(self, text: str = "", style: str | None = None) -> None:
        """Write a result for people."""
        if not self.json:
            self.console.print(text, style=style, markup=False)

    def note(self, text: str, style: str | None = "dim") -> None:
        """Write a remark for people on stderr; silent with `--quiet`."""
        self.progress.print(text, style=style, markup=False)

    def warn(self, text: str) -> None:
        """Write what went wrong on stderr, quiet or not."""
        click.echo(f"error: {text}", err=True)


def _console(*, soft_wrap: bool, stderr: bool = False, quiet: bool = False) -> Console:
    from rich.console import Console

    class Piped(Console):
        """Lets a pipe that nobody reads end the command as any other error does; rich's own way is to exit from within."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Piped(stderr=stderr, highlight=False, soft_wrap=soft_wrap, quiet=quiet)


def options(command: Callable[P, T]) -> Callable[P, T]:
    """Add `-v`, `--quiet` and `--json` to a command, which gets them as one `output` argument; its help is shown as it is written."""

    @click.option("-v", "--verbose", count=True, help="Say more; twice for debug logs on stderr.")
    @click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks.")
    @click.option("--json", "as_json", is_flag=True, help="JSON lines on stdout, and nothing else there; the last one is the summary.")
    @functools.wraps(command)
    def wrapped(*args: Any, verbose: int, quiet: bool, as_json: bool, **kwargs: Any) -> T:  # noqa: ANN401  # passes through what click gives
        _configure_logging(verbose)
        return command(*args, output=Output(json=as_json, quiet=quiet or as_json, verbose=verbose), **kwargs)  # type: ignore[arg-type]  # ParamSpec cannot say "with one more"

    return as_written(wrapped)  # type: ignore[return-value]  # the same: click calls it with the options above


def backend_option(command: Callable[P, T]) -> Callable[P, T]:
    """Add `--backend` to a command."""
    return click.option("--backend", type=click.Choice(["local", "docker"]), help="What isolates.")(command)


def chosen_backend(backend: str | None) -> dict[str, object]:
    """The option as a setting that overrides."""
    return {} if backend is None else {"sandbox.backend": backend}


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; SIGINT, SIGTERM and SIGHUP cancel it, so that sandboxes and requests end with it."""

    async def supervised() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(supervised())


def workspace_root(path: str | None) -> Path:
    """The workspace a path names: the folder itself, or for a file or nothing the nearest folder above with a project's marks."""
    given = Path(path or ".").resolve()
    if not given.exists():
        raise click.UsageError(f"{path} does not exist")
    start = given if given.is_dir() else given.parent
    if path is not None and given.is_dir():
        return given
    return project_around(start) or start


def _configure_logging(verbose: int) -> None:
    import logging

    level = logging.WARNING if verbose == 0 else logging.INFO if verbose == 1 else logging.DEBUG
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
