"""`suture tasks make | list | verify`. What they do is in suture_training, which is named here and imported when a command is called."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from suture_server.cli.common import Output, options, run_async, workspace_root
from suture_server.cli.fix import Duration

if TYPE_CHECKING:
    from rich.status import Status

SOURCES = click.Choice(["mutation", "history", "written", "drift", "journal"])
SPLITS = click.Choice(["train", "validation", "test"])


def training(name: str) -> Any:  # noqa: ANN401  # the server's floor knows no type of the training floor
    """A function or class of the training floor by `module:name`, below `suture_training`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(f"suture_training.{module}"), attribute)


@click.group()
def tasks() -> None:
    """Build repair tasks from a healthy workspace, and look at what a task set holds.

    A task is a failure with a known mend, proven in the pinned sandbox: it fails every time, the mend passes every time, doing nothing
    never does.
    """


@tasks.command()
@click.argument("workspace", required=False)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder of the task set.")
@click.option("--from", "sources", multiple=True, type=SOURCES, help="Where tasks come from; may be given several times (mutation).")
@click.option("--operator", "operators", multiple=True, metavar="NAME", help="Only this kind of mutation; may be given several times.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Tasks to keep.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides which candidates come first.")
@click.option(
    "--runs", type=click.IntRange(1, 20), default=3, show_default=True, help="How often a task has to fail, and its mend to pass."
)
@click.option("--initial-build-below", "below", type=Duration(), metavar="TIME", help="Only tasks whose check takes less, such as 100s.")
@click.option("--include", multiple=True, metavar="GLOB", help="Files that git ignores and the checks need; may be given several times.")
@click.option("--repository", default="", metavar="NAME", help="What the project is called; as its configuration says.")
@click.option("--policy", metavar="SPEC", help="Who writes bugs (--from written): as for suture fix.")
@click.option("--resume", is_flag=True, help="Go on with a set: one whose run was interrupted, or to add to it.")
@options
def make(workspace: str | None, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's signature
    r"""Make repair tasks from a workspace whose checks pass.

    mutation: small mistakes put into code that tests run. history: commits that touch tests and source, with the source as it was before.
    written: bugs that a policy writes. drift: commits that move a dependency. journal: fixes that this machine's journal has.

    \b
    Examples:
      suture tasks make ~/src/shop --out shop-tasks --count 200
      suture tasks make --out tasks --from history --from mutation --initial-build-below 100s
      suture tasks make --out tasks --from written --policy http://gpu-host:8000/v1
      suture tasks make ~/src/other --out tasks --resume
    """
    return run_async(_make(workspace, output, chosen))


@tasks.command("list")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--split", type=SPLITS, help="Only of this split.")
@click.option("--from", "source", type=SOURCES, help="Only from this source.")
@options
def list_(folder: Path, output: Output, split: str | None, source: str | None) -> int:
    r"""List the tasks of a set.

    \b
    Examples:
      suture tasks list shop-tasks
      suture tasks list shop-tasks --split test --json
    """
    from msgspec import to_builtins

    task_set = training("tasks.store:TaskSet").read(folder)
    fields, text = training("tasks.telling:task_fields"), training("tasks.telling:task_text")
    count = 0
    for task in task_set.iterate():
        if split in (None, task.split) and source in (None, task.origin.kind):
            count += 1
            output.line({"event": "task", **fields(task)})
            output.say(text(task))
    info = task_set.info
    output.line({"event": "summary", "tasks": count, "finished": info.finished, "set": info.identity, **to_builtins(info)})
    unfinished = "" if info.finished else "; its run did not come to its end: suture tasks make --resume goes on"
    output.say(f"{count} tasks, {len(info.workspaces)} workspaces, set {info.identity[:12]}{unfinished}", style="green")
    return 0


@tasks.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--runs", type=click.IntRange(1, 20), default=3, show_default=True, help="How often a task has to fail, and its mend to pass."
)
@click.option("--task", "names", multiple=True, metavar="ID", help="Only this task; may be given several times, and cut short.")
@click.option("--allow-mismatch", "allow", multiple=True, metavar="FIELD", help="A field in which the environment may differ.")
@click.option("--drop", is_flag=True, help="Take out of the set what does not hold any more.")
@options
def verify(folder: Path, output: Output, runs: int, names: tuple[str, ...], allow: tuple[str, ...], drop: bool) -> int:
    r"""Verify the tasks of a set anew: each fails, its mend passes, doing nothing does not. Exit code 1 where one does not hold.

    \b
    Examples:
      suture tasks verify shop-tasks
      suture tasks verify shop-tasks --runs 5 --drop
    """
    return run_async(_verify(folder, output, runs, names, allow, drop=drop))


async def _make(workspace: str | None, output: Output, chosen: dict[str, Any]) -> int:
    from suture_agent.places import cache_folder

    policy = _policy(workspace, chosen.pop("policy"))
    sources = tuple(dict.fromkeys(chosen.pop("sources"))) or ("mutation",)
    asked = training("tasks.make:Asked")(workspace=workspace_root(workspace), sources=sources, **{**chosen, "below": chosen["below"] or 0})
    told = _Told(output, asked.count)
    try:
        with told:
            done = await training("tasks.make:make_tasks")(asked, cache_folder(), told.event, policy=policy)
    finally:
        if policy is not None:
            await policy.close()
    info = done.task_set.info
    output.line(training("tasks.telling:made_line")(info, done.counts, done.environment, done.seconds))
    output.say(training("tasks.telling:made_text")(info, done.counts, done.seconds), style="green" if done.counts.kept else "yellow")
    if done.counts.lost and done.counts.kept < asked.count:
        return 3
    return 0 if done.counts.kept else 1


def _policy(workspace: str | None, spec: str | None) -> Any:  # noqa: ANN401  # imported late
    """The policy that is named, as the user's settings reach it; None where none is."""
    if spec is None:
        return None
    import os

    from suture_agent.places import user_configuration
    from suture_agent.policies.registry import open_policy
    from suture_agent.settings import load
    from suture_agent.workspace import models_folder

    root = workspace_root(workspace)
    settings = load(root, user_file=user_configuration(), environ=os.environ, overrides={"policy.spec": spec}).settings
    key = os.environ.get(settings.policy.api_key_variable)
    return open_policy(spec, api_key=key, timeout_seconds=settings.policy.timeout_seconds, models=models_folder(settings))


async def _verify(folder: Path, output: Output, runs: int, names: tuple[str, ...], allow: tuple[str, ...], *, drop: bool) -> int:
    from suture_agent.places import cache_folder
    from suture_sandbox.errors import InfrastructureError

    line, text = training("tasks.telling:shown_line"), training("tasks.telling:shown_text")
    count = {"good": 0, "bad": 0, "infrastructure": 0}

    def heard(task: Any, shown: Any) -> None:  # noqa: ANN401  # records of the training floor
        if isinstance(shown, InfrastructureError):
            count["infrastructure"] += 1
            output.line({"event": "lost", "id": task.id, "reason": str(shown)})
            output.note(f"{task.id}  the machine failed: {shown}", style="magenta")
            return
        count["good" if shown.proof.good else "bad"] += 1
        output.line(line(task, shown))
        output.say(text(task, shown), style=None if shown.proof.good else "red")

    verify_set = training("tasks.again:verify_set")
    bad = await verify_set(folder, cache_folder(), runs, heard, names=names, allow=allow, progress=output.note)
    if drop and bad:
        training("tasks.again:drop_tasks")(folder, bad)
    output.line({"event": "summary", **count, "dropped": len(bad) if drop else 0})
    gone = f"; {len(bad)} taken out of the set" if drop and bad else ""
    output.say(f"{count['good']} hold, {count['bad']} do not{gone}", style="red" if bad else "green")
    return 3 if count["infrastructure"] else 1 if bad else 0


class _Told:
    """Shows the events of a run as they come."""

    def __init__(self, output: Output, count: int) -> None:
        self._output = output
        self._wanted = count
        self._kept = self._candidates = 0
        self._line, self._text = training("tasks.telling:event_line"), training("tasks.telling:event_text")
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if not self._output.quiet and self._output.progress.is_terminal:
            self._status = self._output.progress.status("opening the workspace")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def event(self, event: Any) -> None:  # noqa: ANN401  # a record of the training floor
        """Show one event."""
        line = self._line(event)
        if line is not None:
            self._output.line(line)
            self._candidates += line["event"] != "lost"
            self._kept += line["event"] == "task"
        text, detail = self._text(event)
        if not detail or self._output.verbose:
            self._output.note(text)
        if self._status is not None:
            self._status.update(f"{self._kept} of {self._wanted} tasks, {self._candidates} candidates")
