"""Reinforcement learning: TRL's GRPO over the one path. The episodes, the sandboxes and the rewards are ours; loss and optimiser are TRL's.

TRL's own tool loop runs tools one after the other; here a step's episodes run side by side (`collect`), with the tokens that were drawn.
Dr. GRPO (Liu et al., "Understanding R1-Zero-Like Training", 2025): no division by the standard deviation or by the length; clip-higher
(Yu et al., DAPO, 2025); no KL term. The dataset that TRL wants is a row of numbers: which task a group works on is the curriculum's choice,
made when its turn comes, so that groups without variance can be replaced.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_agent.harness import Harness
from suture_agent.policies import Policy
from suture_training.collect import Collector, Episodes, Group, Log
from suture_training.conversations import Trace
from suture_training.curriculum import Curriculum
from suture_training.errors import TrainingError
from suture_training.libraries import library
from suture_training.rewards import Masking, Payment
from suture_training.rollout import Site
from suture_training.tasks.task import Task
from suture_training.telling import Tell, callback, last_checkpoint, plain, quiet, silent


class RLSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [rl] of a run's TOML."""

    steps: int = 200
    groups: int = 8
    """Tasks a step."""
    group_size: int = 8
    """Episodes of each."""
    learning_rate: float = 1e-6
    clip_low: float = 0.2
    clip_high: float = 0.28
    beta: float = 0.0
    """Weight of the KL term; 0 keeps no reference model."""
    weight_decay: float = 0.0
    refills: int = 1
    """How often groups without variance are replaced before a step takes them as they are."""
    masking: Masking = "asymmetric"
    reward: Payment = "verdict"
    """`check` pays whenever the failing check passes, guard or not. That teaches to hack, and is there to show it."""
    curriculum: bool = True
    """Draw tasks by pass rate; else all alike."""
    parallel: int = 32
    """Episodes at once."""
    micro_batch: int = 16
    """Sequences in one forward and backward pass of a device."""
    longest: int = 0
    """Tokens of an episode that is still learnt from; 0 for any."""
    checkpoint_every: int = 20
    hack_rate: float = 0.2
    """The run stops when this share of the last rollouts was refused by the guard."""
    hack_window: int = 512
    """How many rollouts that is measured over."""
    parity: float = 0.1
    """Largest mean difference, in nats, between the trainer's log-probabilities and those of the policy that drew."""
    seed: int = 0
    bf16: bool = False
    gradient_checkpointing: bool = True
    """Compute each block once more in the backward pass instead of keeping it: a third slower, and much less memory for long episodes."""
    vllm_importance_sampling: str = "token_truncate"
    """Correction for what a server draws with older or rounded weights; cap 2 (SkyRL, verl)."""
    server: str = ""
    """Address of a vLLM server that gets the weights after each step; empty for a policy of this process."""
    colocate: bool = False
    """Draw with a vLLM engine of this process, on the accelerator that trains. For one process; several share a server."""
    colocate_memory: float = 0.3
    """Share of the accelerator's memory that the engine may take, its copy of the weights included."""
    rollouts: Literal["local", "ray"] | msgspec.UnsetType = msgspec.UNSET
    """Where episodes run: in this process (unset, too), or on the workers of a Ray cluster (`distributed`, table [ray])."""


class HackRateExceeded(TrainingError):
    """The policy learns to pass checks without mending anything."""


class HackMonitor:
    """Share of the last rollouts that the guard refused."""

    def __init__(self, limit: float, window: int) -> None:
        self._limit = limit
        self._seen: deque[bool] = deque(maxlen=window)

    def told(self, group: Group) -> None:
        """Count a group."""
        self._seen.extend(bool(sample.hacks) for sample in group.samples)

    @property
    def rate(self) -> float:
        """Share so far; 0 before anything was seen."""
        return sum(self._seen) / len(self._seen) if self._seen else 0.0

    def check(self) -> None:
        """Raise HackRateExceeded once the window is full and the share above the limit."""
        if len(self._seen) == self._seen.maxlen and self.rate > self._limit:
            raise HackRateExceeded(
                f"the guard refused {self.rate:.0%} of the last {len(self._seen)} rollouts, the limit is {self._limit:.0%}",
                remedy="look at the report's worst episodes and mend the tasks that can be passed without a repair",
            )


def train_rl(
    model: Any,  # noqa: ANN401  # a transformers or peft model
    tokenizer: Any,  # noqa: ANN401  # its tokenizer
    policy: Policy,
    tasks: Sequence[Task],
    sites: Mapping[str, Site],
    harness: Harness,
    settings: RLSettings,
    out: Path,
    *,
    tell: Tell = silent,
    loop: asyncio.AbstractEventLoop | None = None,
    episodes: Episodes | None = None,
    ready: Callable[[Any], None] = lambda _trainer: None,
) -> Any:  # noqa: ANN401  # the trained model
    """Train `model`, which `policy` draws from; goes on where an interrupted run in `out` stopped. Returns the model.

    `loop`: the event loop that the sites' sandboxes belong to, not running. `episodes`: where rollouts run instead of on `sites`.
    `ready` is given TRL's trainer before the first rollout. Raises TrainingError.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = last_checkpoint(out / "checkpoints")
    finished = int(found.rsplit("-", 1)[1]) if found else 0
    log = Log(out / "rollouts.jsonl", checkpoint=finished - 1)
    collector = Collector(
        tasks,
        sites,
        policy,
        harness,
        log,
        curriculum=Curriculum([task.id for task in tasks], seed=settings.seed, flat=not settings.curriculum),
        group_size=settings.group_size,
        parallel=settings.parallel,
        refills=settings.refills,
        masking=settings.masking,
        longest=settings.longest,
        reward=settings.reward,
        episodes=episodes,
    )
    owned = loop or asyncio.new_event_loop()
    rollouts = _Rollouts(collector, HackMonitor(settings.hack_rate, settings.hack_window), settings, tell, owned)
    rollouts.learnt_from(log.done)
    try:
        trainer = _trainer(model, tokenizer, settings, out, rollouts, tell)
        ready(trainer)
        trainer.train(resume_from_checkpoint=found)
    finally:
        log.close()
        if loop is None:
            owned.close()
    return trainer.model


class _Rollouts:
    """The rollouts of each step, as TRL asks for them, with what is watched on the way."""

    def __init__(
        self, collector: Collector, monitor: HackMonitor, settings: RLSettings, tell: Tell, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._collector = collector
        self._monitor = monitor
        self._settings = settings
        self._tell = tell
        self._loop = loop

    def learnt_from(self, groups: Sequence[Group]) -> None:
        """Count what an interrupted run had before its checkpoint."""
        for group in groups:
            self._monitor.told(group)

    def make(self, prompts: list[Any], trainer: Any) -> dict[str, list[Any]]:  # noqa: ANN401  # TRL's
        """The samples of this process for one step. Raises TrainingError where the run must not go on."""
        step = int(trainer.state.global_step)
        groups = _everywhere(trainer, lambda: self._collected(step, _wanted(prompts, trainer)))
        self._tell(step, {**_figures(groups), "hack_rate": self._monitor.rate})
        self._monitor.check()
        mine = [sample for group in groups for sample in group.samples][_share(prompts, trainer)]
        self._compare(step, trainer, [sample.trace for sample in mine if sample.reward is not None][:4])
        return {
            "prompt_ids": [list(sample.trace.prompt_ids) for sample in mine],
            "completion_ids": [list(sample.trace.completion_ids) for sample in mine],
            "logprobs": [list(sample.trace.logprobs) for sample in mine],
            "env_mask": [list(sample.trace.env_mask) for sample in mine],
            "outcome_reward": [sample.reward for sample in mine],
        }

    def _collected(self, step: int, count: int) -> list[Group]:
        return self._loop.run_until_complete(self._collector.step(step, count, self._monitor.told))

    def _compare(self, step: int, trainer: Any, traces: Sequence[Trace]) -> None:  # noqa: ANN401  # TRL's
        """Refuse to go on with weights that are not those that drew."""
        distance = parity(trainer, traces)
        self._tell(step, {"parity": distance})
        if distance > self._settings.parity:
            raise TrainingError(
                f"the policy drew with log-probabilities that differ from the trainer's by {distance:.3f} nats a token",
                remedy="the weights were not handed over, or another chat template or precision serves: compare them before going on",
            )


def outcome_reward(*, outcome_reward: list[float | None], **_more: Any) -> list[float | None]:  # noqa: ANN401  # TRL's columns
    """The reward that the rollout brought with it; None leaves it out of the group's mean."""
    return outcome_reward


def parity(trainer: Any, traces: Sequence[Trace]) -> float:  # noqa: ANN401  # TRL's
    """Mean absolute difference, in nats a token, between the policy's log-probabilities and those that the trainer's model gives.

    A weight hand-over that failed, another template, another temperature show here before they spoil a run.
    """
    torch = library("torch")
    total, count = 0.0, 0
    model = trainer.model
    was = model.training
    model.eval()
    with torch.inference_mode():
        for trace in traces:
            ids = torch.tensor([[*trace.prompt_ids, *trace.completion_ids]], device=model.device)
            logits = model(input_ids=ids).logits[0, len(trace.prompt_ids) - 1 : -1].float() / trainer.args.temperature
            ours = torch.log_softmax(logits, -1).gather(1, ids[0, len(trace.prompt_ids) :, None])[:, 0].cpu()
            mask = torch.tensor(trace.env_mask, dtype=torch.bool)
            total += float((ours - torch.tensor(trace.logprobs)).abs()[mask].sum())
            count += int(mask.sum())
    model.train(was)
    return total / count if count else 0.0


def _trainer(model: Any, tokenizer: Any, settings: RLSettings, out: Path, rollouts: _Rollouts, tell: Tell) -> Any:  # noqa: ANN401  # a GRPOTrainer
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*rollout_func.*")
        made = library("trl").GRPOTrainer(
            model=model,
            reward_funcs=outcome_reward,
            args=_arguments(settings, out),
            train_dataset=_rows(settings),
            processing_class=tokenizer,
            rollout_func=rollouts.make,
            callbacks=[callback(tell)],
        )
    return quiet(made)


def _wanted(prompts: Sequence[Any], trainer: Any) -> int:  # noqa: ANN401  # TRL's
    return len(prompts) * int(trainer.accelerator.num_processes) // int(trainer.num_generations)


def _share(prompts: Sequence[Any], trainer: Any) -> slice:  # noqa: ANN401  # TRL's
    start = int(trainer.accelerator.process_index) * len(prompts)
    return slice(start, start + len(prompts))


def _everywhere(trainer: Any, make: Callable[[], list[Group]]) -> list[Group]:  # noqa: ANN401  # TRL's
    """What the main process collected, in every process: groups must not be torn apart, and one queue feeds the sandboxes."""
    if trainer.accelerator.num_processes == 1:
        return make()
    held = [msgspec.json.encode(make())] if trainer.accelerator.is_main_process else [b""]
    return msgspec.json.decode(library("accelerate.utils").broadcast_object_list(held)[0], type=list[Group])


def _figures(groups: Sequence[Group]) -> dict[str, float]:
    """What a step's rollouts say, in numbers."""
    samples = [sample for group in groups for sample in group.samples]
    scored = [sample.reward for sample in samples if sample.reward is not None]
    return {
        "solve_rate": sum(scored) / len(scored) if scored else 0.0,
        "rollouts": float(len(samples)),
        "masked": sum(sample.reward is None for sample in samples) / max(1, len(samples)),
        "refused": sum(bool(sample.hacks) for sample in samples) / max(1, len(samples)),
        "flat_groups": sum(not group.teaches for group in groups) / max(1, len(groups)),
        "tokens": sum(sum(sample.trace.env_mask) for sample in samples) / max(1, len(samples)),
        "seconds_policy": sum(sample.seconds_policy for sample in samples),
        "seconds_sandbox": sum(sample.seconds_sandbox for sample in samples),
    }


def _rows(settings: RLSettings) -> Any:  # noqa: ANN401  # a datasets.Dataset
    return library("datasets").Dataset.from_list([{"prompt": str(number)} for number in range(settings.steps * settings.groups)])


def _arguments(settings: RLSettings, out: Path) -> Any:  # noqa: ANN401  # a GRPOConfig
    whole, world = settings.groups * settings.group_size, int(os.environ.get("WORLD_SIZE", "1"))
    if whole % (settings.micro_batch * world):
        raise TrainingError(
            f"{whole} episodes a step cannot be cut into micro batches of {settings.micro_batch} on {world} devices",
            remedy="choose rl.micro_batch so that it divides groups * group_size / devices",
        )
    micro_batches = whole // (settings.micro_batch * world)
    return library("trl").GRPOConfig(
        output_dir=str(out / "checkpoints"),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=micro_batches,
        steps_per_generation=micro_batches,
        num_generations=settings.group_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        weight_decay=settings.weight_decay,
        loss_type="dr_grpo",
        scale_rewards="none",
        epsilon=settings.clip_low,
        epsilon_high=settings.clip_high,
        beta=settings.beta,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        max_completion_length=settings.longest or 4096,
        mask_truncated_completions=False,
        vllm_importance_sampling_mode=settings.vllm_importance_sampling,
        vllm_importance_sampling_clip_max=2.0,
        bf16=settings.bf16,
        gradient_checkpointing=settings.gradient_checkpointing,
        seed=settings.seed,
        save_steps=settings.checkpoint_every,
        save_total_limit=2,
        logging_steps=1,
        shuffle_dataset=False,
        remove_unused_columns=False,
        **_served(settings, world),
        **plain(),
    )


def _served(settings: RLSettings, world: int) -> dict[str, Any]:
    """Where TRL hands the weights of each step."""
    if settings.server and settings.colocate:
        raise TrainingError("rl.server and rl.colocate exclude each other", remedy="leave one of them out")
    if settings.colocate and world > 1:
        raise TrainingError(
            f"rl.colocate is for one process, and {world} train together",
            remedy="start a vLLM server on some of the devices and name it in rl.server",
        )
    if settings.server:
        return {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": settings.server}
    memory = settings.colocate_memory
    return {"use_vllm": True, "vllm_mode": "colocate", "vllm_gpu_memory_utilization": memory} if settings.colocate else {}
