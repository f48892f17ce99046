"""`suture model list | pull | serve`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

import click

from suture_server.cli.common import Output, options, run_async

if TYPE_CHECKING:
    from suture_agent.policies.vllm import ServePlan


@click.group()
def model() -> None:
    """List, fetch and serve policies.

    Small models run here, without a GPU, by an engine that suture starts when it is needed. Large ones run behind vLLM.
    """


@model.command("list")
@options
def list_(output: Output) -> int:
    r"""List the models that suture knows and what is on this machine.

    \b
    Example:
      suture model list
    """
    import msgspec

    from suture_agent.models import DEFAULT_MODEL, list_models

    found = list_models()
    for status in found:
        known = status.model
        output.line(
            {
                "event": "model",
                "name": known.name,
                "state": status.state,
                "bytes": known.size,
                "present": status.present,
                "sha256": known.sha256,
                "licence": known.licence,
                "path": str(status.path),
            }
        )
        mark = "  (default)" if known.name == DEFAULT_MODEL else ""
        output.say(f"{known.name}{mark}", style="bold")
        output.say(f"  {known.origin}, {known.quantisation}, {known.size / 1e6:,.0f} MB, {known.licence}")
        output.say(
            f"  {status.state}: {status.path}" if status.present else f"  {status.state}; fetch it with: suture model pull {known.name}"
        )
    output.say("A server of your own: suture fix --policy http://HOST:8000/v1#MODEL", style="dim")
    output.line(
        {"event": "summary", "models": len(found), "default": DEFAULT_MODEL, "states": msgspec.to_builtins([each.state for each in found])}
    )
    return 0


@model.command()
@click.argument("name", required=False)
@options
def pull(name: str | None, output: Output) -> int:
    r"""Fetch a model's weights into the user's cache, and check them against their digest.

    An interrupted pull goes on where it stopped. Weights in a folder that SUTURE_MODELS names are taken from there.

    \b
    Examples:
      suture model pull
      suture model pull qwen2.5-coder-0.5b
    """
    return run_async(_pull(name, output))


async def _pull(name: str | None, output: Output) -> int:
    from suture_agent.models import DEFAULT_MODEL, model_named
    from suture_agent.models.pull import pull as fetch

    known = model_named(name or DEFAULT_MODEL)
    started = time.monotonic()
    output.note(f"{known.name}: {known.size / 1e6:,.0f} MB, {known.licence}")
    with _Bar(known.name, known.size, output) as bar:
        path = await fetch(known.name, progress=bar.move)
    seconds = time.monotonic() - started
    output.line({"event": "summary", "name": known.name, "path": str(path), "sha256": known.sha256, "seconds": round(seconds, 3)})
    output.say(f"{known.name} is ready: {path}  ({seconds:.1f} s)", style="green")
    return 0


class _Bar:
    """A progress bar on stderr; a line every ten per cent where that is no terminal."""

    def __init__(self, name: str, total: int, output: Output) -> None:
        self._name, self._total, self._output = name, total, output
        self._tenth = 0
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if self._output.progress.is_terminal and not self._output.quiet:
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=self._output.progress)
            self._progress.start()
            self._task = self._progress.add_task(self._name, total=self._total)
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def move(self, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are there."""
        self._output.line({"event": "progress", "done": done, "total": total})
        if self._progress is not None:
            self._progress.update(self._task, completed=done)
        elif done * 10 // max(total, 1) > self._tenth:
            self._tenth = done * 10 // max(total, 1)
            self._output.note(f"  {self._tenth * 10} %")


@model.command()
@click.argument("name", default="Qwen/Qwen3-32B")
@click.option("--dry-run", is_flag=True, help="Print the command and its environment, and start nothing.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--context", default=0, metavar="TOKENS", help="Longest prompt and answer together; as long as fits where it is not given.")
@click.option("--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True, help="cpu: for tests with tiny models.")
@click.option("--thinking", is_flag=True, help="Let the server separate thinking from answers.")
@click.option("--lora-rank", default=32, show_default=True, type=click.IntRange(1, 512), help="Highest rank of adapters.")
@click.option("--runtime-lora", is_flag=True, help="Let adapters be loaded while it runs; whoever reaches the port can then load files.")
@options
def serve(name: str, dry_run: bool, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Start a vLLM server with the flags that fit the GPUs of this machine, and run it in the foreground.

    \b
    Examples:
      suture model serve --dry-run
      suture model serve Qwen/Qwen3-32B --port 8000
      suture fix --policy vllm
    """
    return run_async(_serve(name, dry_run, output, chosen))


async def _serve(name: str, dry_run: bool, output: Output, chosen: dict[str, Any]) -> int:  # from click
    from suture_agent.policies.vllm import described, gpus, serve_command
    from suture_agent.policies.vllm import serve as run_server

    plan: ServePlan = serve_command(name, gpus=await gpus(), **chosen)
    output.line(
        {"event": "summary", "argv": list(plan.argv), "environment": dict(plan.environment), "url": plan.url, "notes": list(plan.notes)}
    )
    output.say(described(plan))
    if dry_run:
        return 0
    code = await run_server(plan, on_ready=lambda url: output.note(f"ready: suture fix --policy {url}#{name}", style="green"))
    return 3 if code else 0
