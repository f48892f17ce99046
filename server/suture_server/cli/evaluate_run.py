"""`suture eval run`: open task set, policy and sandboxes, measure, say what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from suture_server.cli.common import Output, options, run_async
from suture_server.cli.fix import Duration
from suture_server.cli.training import extras, training

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from suture_agent.harness import Harness, Pipeline
    from suture_agent.policies import Policy, PolicyIdentity

POSITIVE = click.IntRange(1, 1000)


@click.command()
@click.argument("tasks", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="TASKS")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder of the evaluation.")
@click.option("--policy", "spec", metavar="SPEC", help="Who is measured: as for suture fix, or checkpoint:DIR.")
@click.option("--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True)
@click.option("--runs", type=POSITIVE, default=4, show_default=True, help="Of each task.")
@click.option("--pipeline", type=click.Choice(["full", "simplified"]), help="Of the harness.")
@click.option("--harness", "preset", type=click.Choice(["agent", "direct", "line"]), help="Instead of the preset that fits the policy.")
@click.option("--thinking", is_flag=True, help="Let the policy think.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="Of the first answer: at 0 the runs of a task are nearly alike.")
@click.option("--variant", metavar="NAME", help="Vary one factor of the harness, for suture eval attribute; `list` names them.")
@click.option("--initial-build-below", "below", type=Duration(), metavar="TIME", help="Only tasks whose check takes less, such as 100s.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tasks, by their names.")
@click.option("--method", default="raw", show_default=True, help="How the policy was trained: raw, sft, rl, ...: the row of a matrix.")
@click.option("--trained-in", default="", metavar="NAME", help="Where it was trained, as --tested-in names it.")
@click.option("--training-seed", "label", default="", metavar="LABEL", help="Which of several trainings it is.")
@click.option("--tested-in", default="", metavar="NAME", help="Name of what it is measured in: the column (the pipeline's name).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What the seeds of runs are counted from.")
@click.option("--jobs", type=click.IntRange(0, 1024), default=0, help="Runs at a time; as many as policy and processors allow.")
@click.option("--controls", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="Runs between two controls.")
@click.option("--allow-mismatch", "allow", multiple=True, metavar="FIELD", help="A field in which the environment may differ; recorded.")
@click.option("--resume", is_flag=True, help="Go on with an evaluation that was interrupted; lost runs are tried again.")
@options
def run(tasks: Path, out: Path, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Measure a policy on the tasks of a set: n runs a task, with gold and no-op controls between them.

    Runs are kept as they end: an interrupted evaluation goes on with --resume. Exit code 1 where runs were lost, 3 where the environment
    drifted or the policy stays silent. checkpoint:DIR measures what was trained before a server serves it: the folder of a run, of an
    adapter or of whole weights, which answers from this process.

    \b
    Examples:
      suture eval run shop-tasks --policy embedded --out evaluations/embedded
      suture eval run tasks --policy vllm --method rl --trained-in simplified --training-seed 1 --out evaluations/rl-1
      suture eval run tasks --policy checkpoint:runs/sft-1 --method sft --training-seed 1 --out evaluations/sft-1
      suture eval run tasks --policy vllm --pipeline full --out evaluations/raw-full --resume
    """
    with extras():
        return run_async(_run(tasks, out, output, chosen))


async def _run(folder: Path, out: Path, output: Output, chosen: dict[str, Any]) -> int:
    from suture_agent.places import cache_folder

    task_set = training("tasks.store:TaskSet").read(folder)
    picked, selection = _picked(task_set.split(chosen["split"]), chosen)
    policy = _policy(chosen["spec"])
    try:
        identity = await policy.start()
        harness = _harness(policy, identity, chosen)
        subject = training("evaluation.records:Subject")(
            policy=identity, method=chosen["method"], trained_in=chosen["trained_in"], seed=chosen["label"]
        )
        keys = ("runs", "seed", "jobs", "controls")
        plan = training("evaluation.run:Plan")(**{key: chosen[key] for key in keys}, other_environment=bool(chosen["allow"]))
        opened = training("tasks.sites:open_sites")(task_set, cache_folder(), allow=chosen["allow"], progress=output.note)
        async with opened as sites:
            with _Told(output, len(picked) * chosen["runs"]) as told:
                found = await training("evaluation.run:evaluate")(
                    picked,
                    sites,
                    policy,
                    harness,
                    out,
                    plan=plan,
                    subject=subject,
                    tested_in=chosen["tested_in"],
                    selection=selection,
                    resume=chosen["resume"],
                    progress=told.ended,
                )
    finally:
        await policy.close()
    return _close(found, output)


def _picked(tasks: Any, chosen: Mapping[str, Any]) -> tuple[list[Any], dict[str, str | int]]:  # noqa: ANN401  # tasks of the training floor
    """The tasks to measure on, and how they were chosen."""
    selection: dict[str, str | int] = {"split": chosen["split"]}
    kept = sorted(tasks, key=lambda task: task.id)
    if chosen["below"]:
        selection["initial_build_seconds_below"] = chosen["below"]
        kept = [task for task in kept if task.proof.seconds < chosen["below"]]
    if chosen["limit"]:
        selection["limit"] = chosen["limit"]
        kept = kept[: chosen["limit"]]
    return kept, selection


def _policy(spec: str | None) -> Policy:
    """The policy that is named, or the user's own; `checkpoint:DIR` is what was trained, in this process."""
    import os

    if spec is not None and spec.startswith("checkpoint:"):
        opened: Policy = training("checkpoint:open_checkpoint")(spec)
        return opened

    from suture_agent.places import user_configuration
    from suture_agent.policies.registry import open_policy
    from suture_agent.settings import load
    from suture_agent.workspace import models_folder

    overrides = {} if spec is None else {"policy.spec": spec}
    settings = load(Path.cwd(), user_file=user_configuration(), environ=os.environ, overrides=overrides).settings
    key = os.environ.get(settings.policy.api_key_variable)
    wanted = settings.policy
    return open_policy(wanted.spec, api_key=key, timeout_seconds=wanted.timeout_seconds, models=models_folder(settings))


def _harness(policy: Policy, identity: PolicyIdentity, chosen: Mapping[str, Any]) -> Harness:
    """The preset that fits the policy, with what the options change. Nothing is recalled: the journal may hold the tasks' own fixes."""
    import msgspec

    from suture_agent.harness import harness_for, with_past_fixes

    pipeline: Pipeline = chosen["pipeline"] or "simplified"
    preset = harness_for(policy.capability, preset=chosen["preset"], template=identity.template, pipeline=pipeline)
    base, sampling = with_past_fixes(preset, 0), preset.sampling
    if chosen["temperature"] is not None:
        sampling = msgspec.structs.replace(sampling, temperature_milli=round(1000 * chosen["temperature"]))
    harness = msgspec.structs.replace(base, thinking=chosen["thinking"], recall="off", sampling=sampling)
    if not chosen["variant"]:
        return harness
    variants = training("evaluation.variants:variants")
    if chosen["variant"] == "list":
        listed = "\n".join(f"  {each.name:<18} {each.factor}: {each.says}" for each in variants(harness))
        raise click.UsageError(f"variants of the preset {harness.preset}:\n{listed}")
    varied: Harness = variants(harness, [chosen["variant"]])[0].harness
    return varied


def _close(found: Any, output: Output) -> int:  # noqa: ANN401  # a record of the training floor
    import msgspec

    scores = training("evaluation.scores:scores_of")([found])
    output.line(
        {
            "event": "summary",
            "folder": str(found.folder),
            "identity": found.manifest.identity,
            "tasks": len(found.manifest.tasks),
            "runs": len(found.runs),
            "drifted": len(found.drifted),
            "unsteady": len(found.unsteady),
            **msgspec.to_builtins(scores),
        }
    )
    for name, value in training("report.estimates:scores_in_words")(scores):
        output.say(f"{name}: {value}")
    return 1 if scores.lost else 0


class _Told:
    """Shows runs and controls as they end: JSON lines, or a bar on a terminal."""

    def __init__(self, output: Output, total: int) -> None:
        self._output, self._total = output, total
        self._solved = self._seen = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if not self._output.quiet and self._output.progress.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=self._output.progress)
            self._bar.start()
            self._task = self._bar.add_task("measuring", total=self._total)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def ended(self, done: int, total: int, what: Any) -> None:  # noqa: ANN401  # a run or a control
        """Show one run or control."""
        import msgspec

        event = "run" if hasattr(what, "run") else "control"
        self._output.line({"event": event, "done": done, "total": total, **msgspec.to_builtins(what)})
        if event == "control":
            if what.holds is not True:
                self._output.note(f"{what.kind} control of task {what.task}: {what.reason}", style="yellow")
            return
        self._seen += what.solved is not None
        self._solved += what.solved is True
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=f"{self._solved} of {self._seen} solved")
        elif self._output.verbose or done * 10 // total > (done - 1) * 10 // total:
            self._output.note(f"{done} of {total} runs, {self._solved} of {self._seen} solved")
