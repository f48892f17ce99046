"""Training runs as they are asked for: one commented TOML, one folder with all that came of it.

::

    OUT/run.toml            the settings, as they were read
    OUT/identity.json       environment and harness of what was learnt from, with their named fields, and the data's digest
    OUT/metrics.jsonl       what the trainer told
    OUT/checkpoints/        what an interrupted run goes on from
    OUT/rollouts.jsonl      reinforcement learning: every group of episodes
    OUT/adapter/ or model/  what was trained
    OUT/done.json           what came of it, once it is finished

A run in the same folder with the same settings goes on where it stopped, a finished one is left as it is; with others it is refused.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from suture_agent.adapters.files import write
from suture_agent.harness import Harness, Pipeline, Preset, harness_for, with_past_fixes
from suture_agent.places import cache_folder
from suture_agent.policies import Capability, Policy
from suture_training.distributed import Plan, RaySettings, open_workers
from suture_training.encode import Encoded, encode
from suture_training.errors import TrainingError
from suture_training.metrics import MetricsLog
from suture_training.model import ModelSettings, base_digest, load_model
from suture_training.policy import LocalPolicy
from suture_training.prefer import PreferSettings, as_row, fitting, train_prefer, weighted
from suture_training.rendering import template_of
from suture_training.rl import RLSettings, train_rl
from suture_training.rollout import Site
from suture_training.sft import SFTSettings, train_sft
from suture_training.tasks.task import Task

if TYPE_CHECKING:
    from suture_training.data.build import Summary

Method = Literal["sft", "rl", "prefer"]
Say = Callable[[str], None]
Ready = Callable[[Any], None]
"""Given TRL's trainer before the first rollout."""


class HarnessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [harness]: what rollouts run in; leave it out for data that was collected already."""

    preset: Preset = "agent"
    pipeline: Pipeline = "simplified"
    steps: int = 30
    tokens: int = 60_000
    seconds: int = 5400
    answer_tokens: int = 4096
    reruns: int = 1
    controls: int = 0
    shaken: int = 0

    def harness(self, capability: Capability, template: str) -> Harness:
        """The harness, with prompts and tools hashed in; drawn at temperature 1, as policy gradients need."""
        base = harness_for(capability, preset=self.preset, template=template, pipeline=self.pipeline)
        return msgspec.structs.replace(
            with_past_fixes(base, 0),
            recall="off",
            edits_by_rule="off",
            rules="",
            budgets=msgspec.structs.replace(base.budgets, steps=self.steps, tokens=self.tokens, seconds=self.seconds),
            sampling=msgspec.structs.replace(
                base.sampling,
                temperature_milli=1000,
                explore_milli=1000,
                top_p_milli=1000,
                top_k=0,
                min_p_milli=0,
                candidates=1,
                answer_tokens=self.answer_tokens,
            ),
            reruns=self.reruns,
            controls=self.controls,
            shaken=self.shaken,
            reproduced=1,
        )


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run's TOML."""

    model: ModelSettings
    data: str = ""
    """Folder of a dataset (sft, prefer); `suture journal export` makes one."""
    tasks: str = ""
    """Folder of a task set (rl); `suture tasks make` makes one."""
    allow_mismatch: tuple[str, ...] = ()
    """Fields in which the machine's environment may differ from that of the tasks; recorded."""
    harness: HarnessSettings = HarnessSettings()
    sft: SFTSettings = SFTSettings()
    rl: RLSettings = RLSettings()
    prefer: PreferSettings = PreferSettings()
    ray: RaySettings | msgspec.UnsetType = msgspec.UNSET
    """For rl.rollouts = "ray"."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    folder: str
    """Where the weights lie."""
    kind: Literal["adapter", "model"]
    method: Method
    base: str
    """Digest of the base weights."""
    rows: int
    """Examples, or episodes."""
    figures: Mapping[str, float]
    """The last values that were told."""


def read_run(path: Path) -> RunSettings:
    """The settings of a file. Raises TrainingError that names what is wrong."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=RunSettings)
    except (OSError, msgspec.MsgspecError) as error:
        raise TrainingError(f"{path}: {error}", remedy="compare it with the files in suture_training/configs") from error


def train(method: Method, settings: RunSettings, out: Path, *, say: Say) -> Trained:
    """Carry out a run; goes on where one in `out` was interrupted, and leaves a finished one as it is. Raises TrainingError."""
    _same_run(method, settings, out)
    done = out / "done.json"
    if done.exists():
        say(f"{out} holds this run, finished; name a new folder for another one")
        return msgspec.json.decode(done.read_bytes(), type=Trained)
    log = MetricsLog(out / "metrics.jsonl")
    last: dict[str, float] = {}

    def tell(step: int, values: Mapping[str, float]) -> None:
        log.add(step, **values)
        last.update(values)
        shown = {name: values[name] for name in ("loss", "solve_rate", "reward") if name in values}
        if shown:
            say(f"{method}: step {step}: " + ", ".join(f"{name} {value:.4g}" for name, value in shown.items()))

    say(f"loading {settings.model.path}")
    model, tokenizer = load_model(settings.model)
    carry = {"sft": _sft, "rl": _rl, "prefer": _prefer}[method]
    try:
        rows = carry(model, tokenizer, settings, out, tell, say)
    finally:
        log.close()
    kind: Literal["adapter", "model"] = "adapter" if settings.model.lora is not None else "model"
    folder = out / kind
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    trained = Trained(folder=str(folder), kind=kind, method=method, base=base_digest(settings.model.path), rows=rows, figures=last)
    write(done, msgspec.json.encode(trained))
    return trained


def examples(tokenizer: Any, rows: Iterable[Any]) -> Iterator[Encoded]:  # noqa: ANN401  # a transformers tokenizer; data.rows.Episode
    """Rows as the trainer takes them."""
    for row in rows:
        yield encode(tokenizer, row.messages, row.tools, masked=row.masked, prefill=row.prefill, thinking=row.thinking)


def _same_run(method: Method, settings: RunSettings, out: Path) -> None:
    """Refuse to go on with a run that was begun with other settings."""
    out.mkdir(parents=True, exist_ok=True)
    mark = out / "run.toml"
    text = msgspec.toml.encode({"method": method, **_said(msgspec.to_builtins(settings))})
    if mark.exists() and mark.read_bytes() != text:
        raise TrainingError(f"{out} holds a run with other settings", remedy="give the name of a new folder, or the old settings")
    mark.write_bytes(text)


def _note_identity(out: Path, summary: Summary) -> None:
    """Keep what a dataset is, and what it was made in, for an adapter that is registered later."""
    identity = msgspec.to_builtins(summary.identity)
    (out / "identity.json").write_bytes(msgspec.json.encode({**identity, "digest": summary.digest}))


def _said(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what is None: TOML has no word for it."""
    return {
        name: _said(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for name, value in table.items()
        if value is not None
    }


def _sft(model: Any, tokenizer: Any, settings: RunSettings, out: Path, tell: Any, say: Say) -> int:  # noqa: ANN401  # transformers'
    from suture_training.data.load import rows, summary_of

    folder = _needed(settings.data, "data", "suture journal export FOLDER makes a dataset")
    summary = summary_of(folder)
    _note_identity(out, summary)
    made = list(examples(tokenizer, rows(folder)))
    say(f"{len(made)} conversations, {sum(len(each.input_ids) for each in made)} tokens")
    train_sft(model, tokenizer, made, settings.sft, out, tell=tell)
    return len(made)


def _prefer(model: Any, tokenizer: Any, settings: RunSettings, out: Path, tell: Any, say: Say) -> int:  # noqa: ANN401  # transformers'
    from suture_training.data.load import rows, summary_of
    from suture_training.data.rows import Pair, Preference

    folder = _needed(settings.data, "data", "suture journal export FOLDER --kind kto makes a dataset")
    summary = summary_of(folder)
    if summary.kind != settings.prefer.method:
        raise TrainingError(f"{folder} is made for {summary.kind}", remedy=f"export it with --kind {settings.prefer.method}")
    _note_identity(out, summary)
    found = list(rows(folder))
    by_weight: Sequence[Preference | Pair] = weighted([row for row in found if isinstance(row, Preference)])
    made = [as_row(row) for row in by_weight or found if isinstance(row, Preference | Pair)]
    fit = fitting(tokenizer, made, settings.prefer.longest)
    too_long = f", {len(made) - len(fit)} of them too long" if len(fit) < len(made) else ""
    say(f"{len(found)} decisions, {len(made)} rows by their weights{too_long}")
    train_prefer(model, tokenizer, fit, settings.prefer, out, tell=tell)
    return len(found)


def _rl(model: Any, tokenizer: Any, settings: RunSettings, out: Path, tell: Any, say: Say) -> int:  # noqa: ANN401  # transformers'
    from suture_training.tasks.sites import open_sites
    from suture_training.tasks.store import TaskSet

    found = TaskSet.read(_needed(settings.tasks, "tasks", "suture tasks make WORKSPACE --out FOLDER makes a task set"))
    tasks = found.split("train")
    if not tasks:
        raise TrainingError(f"{found.folder} has no tasks to train on", remedy="make more, or look at its splits: suture tasks list")
    policy, ready = _policy(model, tokenizer, settings)
    harness = settings.harness.harness(policy.capability, template_of(tokenizer))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            stack.push_async_callback(policy.close)
            opening = open_sites(found, cache_folder(), allow=settings.allow_mismatch, progress=say)
            sites = runner.run(stack.enter_async_context(opening))
            (out / "identity.json").write_bytes(msgspec.json.encode(_identity_of(found.identity, tasks, sites, harness)))
            episodes = None
            if settings.rl.rollouts == "ray" and _collects():
                plan = runner.run(_plan(found.folder, policy, harness, settings))
                ray = settings.ray or RaySettings()
                episodes = runner.run(stack.enter_async_context(open_workers(plan, policy, ray, parallel=settings.rl.parallel)))
            train_rl(
                model,
                tokenizer,
                policy,
                tasks,
                sites,
                harness,
                settings.rl,
                out,
                tell=tell,
                loop=runner.get_loop(),
                episodes=episodes,
                ready=ready,
            )
        finally:
            runner.run(stack.aclose())
    with (out / "rollouts.jsonl").open("rb") as file:
        return sum(1 for _ in itertools.filterfalse(lambda line: not line.strip(), file)) * settings.rl.group_size


def _collects() -> bool:
    """Whether this is the process that has the rollouts run (`rl`): the first of those that train together."""
    return int(os.environ.get("RANK", "0")) == 0


async def _plan(tasks: Path, policy: Policy, harness: Harness, settings: RunSettings) -> Plan:
    """What the workers have to know."""
    return Plan(
        tasks=str(tasks.resolve()),  # noqa: ASYNC240  # one look
        cache=str(cache_folder()),
        allow=settings.allow_mismatch,
        harness=harness,
        masking=settings.rl.masking,
        longest=settings.rl.longest,
        reward=settings.rl.reward,
        server=_address(settings.rl.server),
        identity=await policy.start(),
        capability=policy.capability,
        slots=(settings.ray or RaySettings()).cores,
    )


def _address(server: str) -> str:
    return f"{server.rstrip('/')}/v1" if server else ""


def _identity_of(digest: str, tasks: Sequence[Task], sites: Mapping[str, Site], harness: Harness) -> dict[str, Any]:
    """What rollouts ran in. Several environments have no one identity: their fields are left out, and no adapter is registered for them."""
    environments = {task.environment: sites[task.workspace].sandbox.environment for task in tasks}
    only = next(iter(environments.values())) if len(environments) == 1 else None
    return {
        "digest": digest,
        "environment": only.identity if only is not None else sorted(environments),
        "harness": harness.identity,
        "fields": {"environment": only.fields if only is not None else None, "harness": harness},
    }


def _policy(model: Any, tokenizer: Any, settings: RunSettings) -> tuple[Policy, Ready]:  # noqa: ANN401  # transformers'
    """What draws, and what it needs of the trainer: the model itself, or an engine or a server that gets its weights."""
    name, base = Path(settings.model.path).name, base_digest(settings.model.path)
    if settings.rl.server:
        from suture_agent.policies.openai_compatible import OpenAIPolicy

        return OpenAIPolicy(_address(settings.rl.server), "", tokens=True), _as_it_is
    if settings.rl.colocate:
        from suture_training.colocated import Colocated

        draws = Colocated(end=tokenizer.eos_token_id)
        policy = LocalPolicy(model, tokenizer, name=name, base=base, batch=settings.rl.parallel, draws=draws)
        return policy, lambda trainer: draws.attach(trainer.vllm_generation.llm)
    return LocalPolicy(model, tokenizer, name=name, base=base), _as_it_is


def _as_it_is(_trainer: Any) -> None:  # noqa: ANN401  # TRL's
    """Nothing is needed."""


def _needed(path: str, name: str, remedy: str) -> Path:
    if not path:
        raise TrainingError(f"the run names no {name}", remedy=remedy)
    return Path(path)
