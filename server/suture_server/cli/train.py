"""`suture train sft | rl | prefer | plan | config`.

Training is the other half of floor 3, which this one does not import: a command names the function that does its work as a string, and
imports it when it is called. Each command is one small function that turns click's options into a call and the answer into output.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from suture_server.cli.choosing import choice_of, choosing
from suture_server.cli.common import Output, options

PLAN = "suture_training.plan.command:planned"
CONFIGS = "suture_training.configs:names"
CONFIG = "suture_training.configs:text"
RUN = "suture_training.command:command"


@click.group()
def train() -> None:
    """Train an adapter on what the journal or a task set holds, and plan what that takes.

    Needs the training libraries (pip install 'suture[train]'), but for plan and config.
    """


def imported(name: str) -> Any:  # noqa: ANN401  # a function of the training floor
    """The function that `module:name` names. A training library that is missing is a usage error with the command that installs it."""
    module, _, function = name.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("suture"):
            raise
        raise click.UsageError(f"{error.name} is not installed; pip install 'suture[train]'") from error


@train.command()
@click.option("--gpus", required=True, metavar="COUNTxKIND", help="Such as 8xH200, 1xH100, 4xA100.")
@click.option(
    "--model", default="Qwen/Qwen3-32B", show_default=True, metavar="NAME|FOLDER", help="A known model, or a folder with a config.json."
)
@click.option("--method", type=click.Choice(["sft", "rl", "prefer"]), default="sft", show_default=True, help="How it is trained.")
@click.option("--lora", "rank", type=click.IntRange(1, 1024), metavar="RANK", help="Train a LoRA of that rank instead of all weights.")
@click.option("--context", type=click.IntRange(1024, 1_048_576), default=8192, show_default=True, help="Longest sequence, in tokens.")
@click.option("--rows", type=click.IntRange(1), help="sft, prefer: conversations (default 10000).")
@click.option("--average", type=click.IntRange(1), help="sft, prefer: tokens of a conversation (default: half of the context).")
@click.option("--epochs", type=click.IntRange(1), help="sft, prefer: how often all of them are gone through (default 1).")
@click.option("--steps", type=click.IntRange(1), help="rl: updates (default 200).")
@click.option("--prompts", type=click.IntRange(1), help="rl: tasks in a step (default 64).")
@click.option("--generations", type=click.IntRange(2), help="rl: attempts at each task (default 8).")
@click.option("--cores", type=click.IntRange(1), help="rl: processors for sandboxes, on all machines together.")
@click.option("--host-memory", "host_gib", type=click.IntRange(1), metavar="GIB", help="Memory of the machine that trains.")
@click.option("--utilisation", type=click.IntRange(1, 100), help="Per cent of the GPUs' peak that training reaches (default 35, assumed).")
@options
def plan(output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Say how much memory of each GPU a run takes, how many sandboxes, and how many hours, with all that is assumed.

    What does not fit is refused, with what would. Nothing is measured or downloaded, and no training library is needed.

    \b
    Examples:
      suture train plan --gpus 8xH200
      suture train plan --gpus 1xH100 --lora 16 --context 7168
      suture train plan --gpus 8xH200 --method rl --lora 32 --context 32768 --cores 512
    """
    lines, data = imported(PLAN)(chosen)
    for line in lines:
        output.say(line)
    output.line({"event": "summary", **data})
    return 0


@train.command()
@click.argument("name", required=False)
@options
def config(name: str | None, output: Output) -> int:
    r"""Print a configuration of accelerate or DeepSpeed for Qwen3-32B; without a name, list them.

    \b
    Example:
      suture train config zero3_offload_8x80.yaml > zero3_offload_8x80.yaml
    """
    known: tuple[str, ...] = imported(CONFIGS)()
    text = imported(CONFIG)(name) if name is not None else "\n".join(known)
    output.say(text.rstrip("\n"))
    output.line({"event": "summary", "name": name, "text": text} if name is not None else {"event": "summary", "names": known})
    return 0


def _run(method: str, config: Path, output: Output, **given: Any) -> int:  # noqa: ANN401  # click's options, passed on
    """A run, with where the journal lies where it is to be learnt from, and what of it."""
    from suture_agent.journal.queries import NoSuchRecord

    if method != "rl":
        given |= _from_journal(choice_of(given), given)
    try:
        done: dict[str, Any] = imported(RUN)(method, config, say=output.note, **given)
    except NoSuchRecord as error:
        raise click.UsageError(f"{error}; {error.remedy}") from error
    output.line({"event": "summary", **done})
    output.say(f"{done['kind']}: {done['folder']}")
    return 0


def _from_journal(choice: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What --from-journal adds to a call; nothing without it."""
    from suture_agent.workspace import journal_path
    from suture_sandbox.errors import ConfigurationError
    from suture_server.cli.journal_open import settings
    from suture_server.cli.journal_view import short

    if not given.pop("from_journal"):
        if any(choice.values()):
            raise click.UsageError("what is chosen of the journal needs --from-journal")
        return {}
    if given["data"]:
        raise click.UsageError("--data and --from-journal exclude each other")
    path = journal_path(settings())
    if not path.exists():
        raise ConfigurationError(
            f"nothing is recorded yet: there is no {short(path)}",
            remedy="repair something first, and decide about it: suture lsp, suture fix",
        )
    return {"journal": path, **choice}


CONFIGURED = click.argument("config", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="RUN.toml")
OUT = click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder of the run; goes on with one."
)
DATA = click.option("--data", default="", metavar="DIR", help="Dataset, instead of the file's: suture journal export makes one.")
JOURNAL = click.option("--from-journal", is_flag=True, help="Make the dataset of this machine's journal.")
REGISTER = click.option("--register", default="", metavar="NAME", help="Put the adapter into the registry under this name.")


@train.command()
@CONFIGURED
@OUT
@DATA
@JOURNAL
@choosing
@REGISTER
@options
def sft(config: Path, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Learn from proven fixes, word by word.

    What is learnt from was made in one environment and one harness: choose them where the journal has several.

    \b
    Examples:
      suture train config sft.toml > run.toml
      suture train sft run.toml --out runs/sft-1 --from-journal --register first
      suture train sft run.toml --out runs/sft-2 --from-journal --workspace . --since 30d
    """
    return _run("sft", config, output, **chosen)


@train.command()
@CONFIGURED
@OUT
@click.option("--tasks", default="", metavar="DIR", help="Task set, instead of the file's: suture tasks make makes one.")
@REGISTER
@options
def rl(config: Path, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Learn from trying: episodes on tasks in the sandbox, rewarded by the verdict.

    \b
    Example:
      suture train rl run.toml --out runs/rl-1 --tasks shop-tasks
    """
    return _run("rl", config, output, **chosen)


@train.command()
@CONFIGURED
@OUT
@DATA
@JOURNAL
@choosing
@REGISTER
@options
def prefer(config: Path, output: Output, **chosen: Any) -> int:  # noqa: ANN401  # click's options, passed on
    r"""Learn from what people accepted, rejected and corrected.

    What is learnt from was made in one environment and one harness: choose them where the journal has several.

    \b
    Examples:
      suture train config prefer.toml > run.toml
      suture train prefer run.toml --out runs/kto-1 --from-journal
      suture train prefer run.toml --out runs/kto-2 --from-journal --environment 8f2c --register liked
    """
    return _run("prefer", config, output, **chosen)
