"""One side of the bench of rollouts, in a process of its own: `rollout_worker.py suture|trl JSON`. A line on stdin asks for a round."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from rollout_ground import Clock, CountedSlots, Spell, harness, is_wrong, told

from suture_training.collect import Collector, Log
from suture_training.curriculum import Curriculum
from suture_training.learn.teacher import ToldTeacher
from suture_training.rollout import Site, roll_out
from suture_training.tasks.sites import open_sites
from suture_training.tasks.store import TaskSet


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is to do."""

    folder: str
    cache: str
    tasks: int
    size: int
    """Rollouts of a task in a round."""
    rounds: int
    parallel: int
    slots: int
    group: str = ""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What a round was."""

    rollouts: int
    solved: int
    failed: int
    """Ended by the machine."""
    spell: Spell


class Worker:
    """What both sides share: tasks, sites and the lines to the bench."""

    def __init__(self, asked: Asked, answer: Callable[[bytes], Any]) -> None:
        self.asked = asked
        self.runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self._answer = answer
        self.folder, slots = Path(asked.folder), CountedSlots(asked.slots)
        found = TaskSet.read(self.folder / "set")
        opening = open_sites(found, Path(asked.cache), slots=slots, allow=("dependencies.suture",))
        self.sites = self.runner.run(self._open.enter_async_context(opening))
        self.harness = harness()
        self.policy, by_prompt = self.runner.run(told(found, self.sites, self.harness, asked.tasks))
        self.tasks = tuple(by_prompt.values())
        self.prompts = {task.id: prompt for prompt, task in by_prompt.items()}
        self.clock = Clock(Path(asked.group) if asked.group else None, slots)

    def wait(self) -> None:
        """Say that it is ready, and wait to be asked."""
        self._answer(b"ready")
        if not sys.stdin.readline():
            raise SystemExit(0)
        self.clock.spell()

    def tell(self, outcomes: list[str]) -> None:
        """Hand over a round."""
        failed = sum(outcome not in ("fixed", "unfixed") for outcome in outcomes)
        done = Round(rollouts=len(outcomes), solved=outcomes.count("fixed"), failed=failed, spell=self.clock.spell())
        self._answer(msgspec.json.encode(done))

    def close(self) -> None:
        """Stop what is kept warm."""
        self.runner.run(self._open.aclose())
        self.runner.close()


def suture(worker: Worker) -> None:
    """Rounds of a training step's rollouts, as `train_rl` collects them."""
    asked = worker.asked
    path = worker.folder / f"rollouts-{os.getpid()}.jsonl"
    log = Log(path, checkpoint=-1)
    collector = Collector(
        worker.tasks,
        worker.sites,
        worker.policy,
        worker.harness,
        log,
        curriculum=Curriculum([task.id for task in worker.tasks], flat=True),
        group_size=asked.size,
        parallel=asked.parallel,
        refills=0,
    )
    for number in range(asked.rounds):
        worker.wait()
        groups = worker.runner.run(collector.step(number, asked.tasks))
        worker.tell([sample.outcome for group in groups for sample in group.samples])
    log.close()
    path.unlink()


def trl(worker: Worker) -> None:
    """Rounds of TRL's own way: an environment whose one tool runs the same episode with the answer that the model gives."""
    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    sys.path.append(str(Path(sys.prefix, "train")))
    from datasets import Dataset
    from transformers.utils.logging import disable_progress_bar
    from trl import GRPOConfig, GRPOTrainer
    from trl.chat_template_utils import qwen3_chat_template

    from suture_training.learn.tiny import TinySettings, load, make_tiny

    disable_progress_bar()
    asked, by_id = worker.asked, {task.id: task for task in worker.tasks}
    smallest = TinySettings(vocabulary=400, width=16, layers=1, heads=2, context=8192, steps=1, batch=2, length=64)
    model, tokenizer = load(make_tiny(smallest, worker.folder / "smallest"))
    tokenizer.chat_template = qwen3_chat_template

    class Repairing:
        """An environment of TRL: the episode of a task, told by one call of a tool."""

        def reset(self, task: str, **_more: object) -> str:
            """Begin with a task; what the policy is shown."""
            self._task, self._outcome, self._reason = by_id[task], "", ""
            return worker.prompts[task]

        def mend(self, answer: str) -> str:
            """Change one line and prove that the test passes.

            Args:
                answer: NUMBER: OLD => NEW
            """
            site: Site = worker.sites[self._task.workspace]
            done = worker.runner.run(roll_out(self._task, site, ToldTeacher(answer), worker.harness))
            self._outcome, self._reason = done.repair.outcome, done.repair.reason
            return self._reason or self._outcome

        def get_reward(self) -> float:
            """1 for a proven patch."""
            return float(self._outcome == "fixed")

        def _ended(self) -> str:
            return self._outcome or "nothing was called"

    class Forced(GRPOTrainer):
        """TRL's trainer with one method replaced: what would be generated is written down beforehand. The tool loop is TRL's."""

        def _generate_single_turn(self, prompt_ids: Any, *_more: Any, **_named: Any) -> tuple[list[list[int]], None]:
            begins, self.begins = self.begins, False
            texts = [call_of(number) for number in range(len(prompt_ids))] if begins else ["done<|im_end|>"] * len(prompt_ids)
            return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts], None

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            worker.wait()
            self.begins = True
            return super()._generate_and_score_completions(inputs)

        def _calculate_rewards(self, *given: Any, **named: Any) -> Any:
            rewards = super()._calculate_rewards(*given, **named)
            worker.tell([environment._ended() for environment in self.environments])
            return rewards

    def call_of(number: int) -> str:
        task = trainer.environments[number]._task
        answer = worker.policy.answers[worker.prompts[task.id]][is_wrong(number)]
        call = msgspec.json.encode({"name": "mend", "arguments": {"answer": answer}}).decode()
        return f"<tool_call>\n{call}\n</tool_call><|im_end|>"

    whole = asked.tasks * asked.size
    rows = [{"prompt": [{"role": "user", "content": "Repair."}], "task": task.id} for task in worker.tasks] * asked.rounds
    trainer = Forced(
        model=model,
        args=GRPOConfig(
            output_dir=str(worker.folder / "trl"),
            max_steps=asked.rounds,
            per_device_train_batch_size=whole,
            num_generations=asked.size,
            steps_per_generation=1,
            gradient_accumulation_steps=1,
            max_completion_length=4096,
            bf16=False,
            shuffle_dataset=False,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        environment_factory=Repairing,
    )
    trainer.train()


def main() -> None:
    """Do it; what the libraries print goes to stderr."""
    lines = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    worker = Worker(msgspec.json.decode(sys.argv[2], type=Asked), lambda line: lines.write(line + b"\n"))
    with contextlib.closing(worker):
        {"suture": suture, "trl": trl}[sys.argv[1]](worker)


if __name__ == "__main__":
    main()
