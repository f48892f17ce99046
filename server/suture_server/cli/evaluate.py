"""`suture eval run | matrix | attribute | compare | power`. What they do is in suture_training, imported when a command is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from suture_server.cli.common import Output, options
from suture_server.cli.evaluate_run import run
from suture_server.cli.training import extras, training

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
VARY = click.option("--vary", "named", multiple=True, metavar="FIELD", help="A field in which they may differ; may be given several times.")


class Folders(click.ParamType[tuple[Path, ...]]):
    """One folder, or several with commas between them: the training seeds of one policy."""

    name = "folders"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Path, ...]:  # noqa: ANN401  # click's signature
        """Folders that are there."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType]  # what this made before
        return tuple(FOLDER.convert(part, param, ctx) for part in str(value).split(",") if part)


@click.group("eval")
def evaluate() -> None:
    """Measure policies on held-out tasks, in fresh sandboxes, over the path that repairs take in editors.

    A measurement carries every named field of its environment, harness and policy; measurements that differ in a field that nobody named
    are not compared.
    """


evaluate.add_command(run)


@evaluate.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="DIR...")
@VARY
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep it there, for suture report.")
@options
def matrix(folders: tuple[Path, ...], named: tuple[str, ...], out: Path | None, output: Output) -> int:
    r"""Lay evaluations out as trained in x tested in, with the test of whether training pays more where it was done.

    Within a column only the policy and whether it thinks may differ; between columns only the fields that --vary names.

    \b
    Examples:
      suture eval matrix evaluations/* --vary harness.pipeline --vary harness.budgets --out matrix
      suture report matrix
    """
    with extras():
        found = training("evaluation.matrix:matrix")(_loaded(folders), named=named)
        _keep(found, out, "evaluation.matrix:FILE")
        for cell in found.cells:
            output.line({"event": "cell", **_builtins(cell)})
        for kind, family in (("interaction", found.interactions), ("against_raw", found.against_raw)):
            for each in family:
                output.line({"event": kind, **_builtins(each)})
        output.line({"event": "summary", "rows": found.rows, "columns": found.columns, "cells": len(found.cells), "missing": found.missing})
        if not output.json:
            _show_matrix(found, output)
    return 0


@evaluate.command()
@click.argument("folders", nargs=-1, required=True, type=FOLDER, metavar="DIR...")
@click.option(
    "--base", "bases", multiple=True, required=True, type=FOLDER, metavar="DIR", help="Measured where it was trained; one a seed."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep it there, for suture report.")
@options
def attribute(folders: tuple[Path, ...], bases: tuple[Path, ...], out: Path | None, output: Output) -> int:
    r"""Say what each single mismatch between training and use costs: evaluations that differ from the base in one factor each.

    Measurements of the raw policy in base and variants take off what a variant makes harder for everybody.

    \b
    Examples:
      suture eval run tasks --policy vllm --variant half-steps --out evaluations/rl-half-steps
      suture eval attribute --base evaluations/rl evaluations/rl-half-steps evaluations/rl-plain-prompt --out attribution
    """
    with extras():
        found = training("evaluation.attribution:attribute")(_loaded(bases), _loaded(folders))
        _keep(found, out, "evaluation.attribution:FILE")
        in_words, name_of = training("report.estimates:difference_in_words"), training("report.attribution:name_of")
        for cost in found.costs:
            output.line({"event": "cost", **_builtins(cost)})
            output.say(f"{name_of(cost):<40} {in_words(cost.cost):>26} points   p {cost.p:.3f}")
        output.line({"event": "summary", "row": found.row, "base": found.base, "costs": len(found.costs), "tasks": found.tasks})
    return 0


@evaluate.command()
@click.argument("first", type=Folders(), metavar="A")
@click.argument("second", type=Folders(), metavar="B")
@VARY
@options
def compare(first: tuple[Path, ...], second: tuple[Path, ...], named: tuple[str, ...], output: Output) -> int:
    r"""Compare two policies on the tasks that both were measured on, B minus A. Several training seeds: folders with commas between them.

    Only the policy may differ unless --vary names another field.

    \b
    Examples:
      suture eval compare evaluations/raw evaluations/sft
      suture eval compare raw rl-1,rl-2,rl-3 --json
      suture eval compare plain thinking --vary harness.thinking
    """
    with extras():
        allowed = (*training("evaluation.compare:BETWEEN_POLICIES"), *named)
        found = training("evaluation.compare:compare")(_loaded(first), _loaded(second), named=allowed)
        output.line({"event": "summary", **_builtins(found)})
        if not output.json:
            _show_comparison(found, output)
    return 0


@evaluate.command()
@click.option("--tasks", type=click.IntRange(2, 100_000), default=300, show_default=True)
@click.option("--runs", type=click.IntRange(1, 1000), default=4, show_default=True, help="Of each task.")
@click.option("--difference", type=click.FloatRange(0.1, 90), default=5.0, show_default=True, metavar="POINTS", help="In pass@1.")
@click.option("--like", type=FOLDER, metavar="DIR", help="Tasks as hard as this evaluation found them.")
@click.option("--interaction", is_flag=True, help="For the test of a matrix, which needs more.")
@click.option("--wanted", type=click.FloatRange(0.1, 0.99), default=0.8, show_default=True, help="Power that is wanted.")
@options
def power(output: Output, like: Path | None, difference: float, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Say how likely a difference is to be seen with so many tasks and runs, and how many it takes.

    The spread between training seeds and between repositories comes on top.

    \b
    Examples:
      suture eval power --tasks 300 --runs 4 --difference 5
      suture eval power --like evaluations/raw --difference 7 --interaction
    """
    with extras():
        if like is not None:
            chosen["shape"] = training("evaluation.power:fitted")(training("evaluation.records:load")(like).outcomes())
        found = training("evaluation.power:sizing")(difference=difference / 100, **chosen)
    output.line({"event": "summary", **_builtins(found)})
    what = "an interaction" if found.interaction else "a difference"
    output.say(f"{found.tasks} tasks with {found.runs} runs each see {what} of {difference:g} points with a power of {found.power:.0%}")
    for line in _needs(found):
        output.say(f"  {line}")
    return 0


def _loaded(folders: Sequence[Path]) -> list[Any]:
    load = training("evaluation.records:load")
    return [load(folder) for folder in folders]


def _builtins(record: Any) -> dict[str, Any]:  # noqa: ANN401  # a record of the training floor
    import msgspec

    made: dict[str, Any] = msgspec.to_builtins(record)
    return made


def _keep(record: Any, out: Path | None, file: str) -> None:  # noqa: ANN401  # the same
    if out is not None:
        training("ledger:write_json")(out / training(file), record)


def _show_matrix(found: Any, output: Output) -> None:  # noqa: ANN401  # the same
    from rich.table import Table

    table = Table("", *found.columns)
    for row in found.rows:
        cells = [found.cell(row, column) for column in found.columns]
        table.add_row(row, *(_cell(cell) for cell in cells))
    output.console.print(table)
    in_words = training("report.estimates:difference_in_words")
    for each in found.interactions:
        output.say(f"{each.name}: {in_words(each.estimate)} points, p {each.p:.3f} (Holm)", style="green" if each.p <= 0.05 else None)
    for line in found.missing:
        output.note(f"not made: {line}")


def _cell(cell: Any) -> str:  # noqa: ANN401  # the same
    if cell is None:
        return "-"
    passed = cell.scores.passed
    lost = f", {cell.scores.lost} lost" if cell.scores.lost else ""
    seeds = f" x {len(cell.seeds)}" if len(cell.seeds) > 1 else ""
    return f"{100 * passed.value:.1f} ({100 * passed.low:.1f} to {100 * passed.high:.1f})\nn = {cell.tasks} x {cell.runs}{seeds}{lost}"


def _show_comparison(found: Any, output: Output) -> None:  # noqa: ANN401  # the same
    in_words, rate = training("report.estimates:difference_in_words"), training("report.estimates:rate_in_words")
    for name, scores in zip(found.names, found.scores, strict=True):
        output.say(f"{name}: {rate(scores.passed)}")
    style = "green" if found.difference.low > 0 else "red" if found.difference.high < 0 else None
    output.say(f"difference: {in_words(found.difference)} points, p {found.difference.p:.3f}", style=style)
    output.say(f"  {training('report.estimates:basis')(found.difference)}")
    for k, each in found.at_k.items():
        output.say(f"  pass@{k}: {in_words(each)}")
    for k, each in found.all_k.items():
        output.say(f"  pass^{k}: {in_words(each)}")
    output.say(f"  without the guard: {in_words(found.unguarded)}")
    if any(scores.lost for scores in found.scores):
        output.say(f"  with the lost runs at their worst: {100 * found.bounds.low:+.1f} to {100 * found.bounds.high:+.1f}")
    if found.mcnemar is not None:
        output.say(f"  McNemar, exact: {found.mcnemar.gained} gained, {found.mcnemar.lost} lost, p {found.mcnemar.p:.3f}")
    output.say(f"  tasks with more solved runs: {len(found.gained)}, with fewer: {len(found.lost)}")
    for line in _needs(found.size):
        output.say(f"  {line}")


def _needs(size: Any) -> list[str]:  # noqa: ANN401  # the same
    """What a size sees, and what it takes to see the difference."""
    wanted = f"{size.wanted:.0%}"
    smallest = f"{100 * size.smallest:.1f} points" if size.smallest == size.smallest else "none that the model knows"
    tasks = "more than a hundred thousand" if size.tasks_needed is None else f"{size.tasks_needed:,}"
    runs = "no number of" if size.runs_needed is None else f"{size.runs_needed:,}"
    return [
        f"smallest difference that is seen with {wanted}: {smallest}",
        f"for {100 * size.difference:.1f} points with {wanted}: {tasks} tasks with {size.runs} runs each",
        f"or, with {size.tasks} tasks: {runs} runs each",
    ]
