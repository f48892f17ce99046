"""`make learn`: base -> tasks -> teacher's episodes -> SFT to its plateau -> GRPO, beside as much more SFT -> matrix -> report.

The raw model, SFT, RL and the control are measured on held-out repositories in fresh sandboxes, in the harness that they were trained in
and in another one, in which RL can be done too. Nothing is chosen by what the held-out tasks say: the validation repositories tell where
SFT has levelled off.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from suture_agent.harness import Harness
from suture_training.encode import Encoded, encode
from suture_training.errors import TrainingError
from suture_training.learn.settings import FULL, HOME, LearnSettings, full_of
from suture_training.learn.stages import Stage
from suture_training.learn.teacher import Lesson, ToldTeacher, conversation, gold_answer, is_shown
from suture_training.learn.tiny import digest, load, make_tiny
from suture_training.libraries import library
from suture_training.metrics import MetricsLog
from suture_training.policy import LocalPolicy
from suture_training.rendering import template_of
from suture_training.rl import train_rl
from suture_training.rollout import Remembering, Rollout, Site, roll_out
from suture_training.sft import train_sft
from suture_training.tasks.task import Task

if TYPE_CHECKING:
    from suture_training.tasks.store import TaskSet

logger = logging.getLogger(__name__)

Say = Callable[[str], None]


class Experiment:
    """One run of it, in one folder; use within one thread."""

    def __init__(self, settings: LearnSettings, out: Path, say: Say) -> None:
        self.settings = settings
        self.out = out
        self.say = say
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self.tasks: tuple[Task, ...] = ()
        self.sites: Mapping[str, Site] = {}
        self.base = out / "base"

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the sandboxes belong to."""
        return self._runner.get_loop()

    def close(self) -> None:
        """Stop what is kept warm."""
        self._runner.run(self._open.aclose())
        self._runner.close()

    def prepare(self) -> None:
        """Base model, tasks and sites."""
        settings = self.settings
        self.say("base: a Qwen3 of its own, pretrained on text about broken functions")
        library("transformers").utils.logging.disable_progress_bar()
        log = MetricsLog(self.out / "base.metrics.jsonl")
        make_tiny(settings.tiny, self.base, tell=lambda step, values: log.add(step, **values))
        stage = Stage(self.out, "tasks", [settings.tasks])
        if not stage.done:
            self.say("tasks: repositories are written, broken and verified")
        folder = stage.run(lambda place: self._make_tasks(place / "set", place / "repositories"))
        from suture_training.learn.tasks import split_tasks

        found, self.sites = self.opened(folder / "set")
        self.tasks, away = split_tasks(found, lambda task: has_words(task, self.sites[task.workspace]))
        train, validation, test = (len(self.split(split)) for split in ("train", "validation", "test"))
        self.say(f"tasks: {train} to train on, {validation} to validate, {test} held out; {away} gave one of those away and are left out")

    def opened(self, folder: Path) -> tuple[TaskSet, Mapping[str, Site]]:
        """A task set and its sites, which stay open until `close`."""
        from suture_training.tasks.sites import open_sites
        from suture_training.tasks.store import TaskSet

        found = TaskSet.read(folder)
        return found, self._runner.run(self._open.enter_async_context(open_sites(found, self.out / "cache")))

    def split(self, name: str) -> list[Task]:
        """The tasks of a split that one line can mend."""
        return [task for task in self.tasks if task.split == name]

    def harness(self, tokenizer: Any, place: str = HOME) -> Harness:  # noqa: ANN401  # a transformers tokenizer
        """What every method is trained in, or the other pipeline."""
        home = self.settings.harness(template_of(tokenizer))
        return full_of(home) if place == FULL else home

    def lessons(self) -> list[Lesson]:
        """The teacher's proven episodes."""
        stage = Stage(self.out, "lessons", [self.settings.tasks, self.settings.teacher, self.settings.steps])
        if not stage.done:
            self.say(f"teacher: {self.settings.teacher.episodes} episodes")
        folder = stage.run(self._teach)
        return msgspec.json.decode((folder / "lessons.json").read_bytes(), type=list[Lesson])

    def sft(self, seed: int, lessons: Sequence[Lesson]) -> Path:
        """SFT until the validation rate levels off; the folder of the best weights."""
        settings = self.settings
        stage = Stage(
            self.out, f"sft-{seed}", [settings.tiny, settings.tasks, settings.teacher, settings.sft, settings.measure, settings.steps, seed]
        )
        if not stage.done:
            self.say(f"SFT, seed {seed}")
        return stage.run(lambda folder: self._sft(folder, seed, lessons)) / "best"

    def rl(self, seed: int, start: Path, place: str = HOME) -> Path:
        """GRPO from the plateau, in one of the two pipelines; the folder of the last weights."""
        recipe = [digest(start), self.settings.tasks, self.settings.rl, self.settings.steps, seed]
        stage = Stage(self.out, f"rl-{seed}" if place == HOME else f"rl-{place}-{seed}", recipe)
        if not stage.done:
            self.say(f"RL in {place}, seed {seed}")
        return stage.run(lambda folder: self._rl(folder, seed, start, place)) / "last"

    def more(self, seed: int, start: Path, lessons: Sequence[Lesson]) -> Path:
        """The control: from the same plateau as many updates on as many sequences, of SFT; the folder of the last weights."""
        stage = Stage(self.out, f"more-{seed}", [digest(start), self.settings.sft, self.settings.rl, seed])
        if not stage.done:
            self.say(f"more SFT, seed {seed}")
        return stage.run(lambda folder: self._more(folder, seed, start, lessons)) / "last"

    def policy(self, folder: Path, name: str, template: str = "") -> LocalPolicy:
        """A trained model as a policy, served with its own chat template or another one."""
        model, tokenizer = self.loaded(folder)
        if template:
            tokenizer.chat_template = template
        return LocalPolicy(model, tokenizer, name=name, base=digest(self.base), adapter="" if folder == self.base else digest(folder))

    def loaded(self, folder: Path) -> tuple[Any, Any]:
        """Model and tokenizer."""
        return load(folder)

    def rate(self, policy: LocalPolicy, tasks: Sequence[Task], harness: Harness, runs: int) -> float:
        """Share of episodes that solve their task; training's own yardstick, never the held-out one's."""
        done = self.roll([(task, remembering(self.sites[task.workspace]), policy, run) for task in tasks for run in range(runs)], harness)
        scored = [rollout.solved for rollout in done if rollout.solved is not None]
        return sum(scored) / len(scored) if scored else 0.0

    def run(self, work: Any) -> Any:  # noqa: ANN401  # any coroutine
        """Run a coroutine on the loop that the sandboxes belong to."""
        return self._runner.run(work)

    def roll(self, jobs: Sequence[tuple[Task, Site, Any, int]], harness: Harness) -> list[Rollout]:
        """Episodes side by side: task, site, policy and seed of each."""
        gate = asyncio.Semaphore(self.settings.rl.parallel)

        async def one(task: Task, site: Site, policy: Any, seed: int) -> Rollout:  # noqa: ANN401  # a Policy
            async with gate:
                return await roll_out(task, site, policy, harness, seed=seed)

        async def every() -> list[Rollout]:
            return list(await asyncio.gather(*(one(*job) for job in jobs)))

        return self._runner.run(every())

    def _make_tasks(self, target: Path, repositories: Path) -> None:
        from suture_training.learn.tasks import make

        self._runner.run(make(self.settings.tasks, target, repositories, self.out / "cache", self.say))

    def _teach(self, folder: Path) -> None:
        train = self.split("train")
        random.Random(f"teacher {self.settings.teacher.seed}").shuffle(train)  # noqa: S311  # reproducible, not secret
        chosen = train[: self.settings.teacher.episodes]
        _, tokenizer = load(self.base)
        told = [ToldTeacher(gold_answer(task, self.sites[task.workspace].healthy)) for task in chosen]
        jobs = [(task, remembering(self.sites[task.workspace]), teacher, 0) for task, teacher in zip(chosen, told, strict=True)]
        done = self.roll(jobs, self.harness(tokenizer))
        lessons = [Lesson(task=rollout.task.id, messages=conversation(rollout)) for rollout in done if rollout.solved]
        if not lessons:
            raise TrainingError("no episode of the teacher was proven", remedy=f"look at why: {done[0].repair.reason}")
        self.say(f"teacher: {len(lessons)} of {len(done)} episodes proven")
        (folder / "lessons.json").write_bytes(msgspec.json.encode(lessons))

    def _sft(self, folder: Path, seed: int, lessons: Sequence[Lesson]) -> None:
        model, tokenizer = load(self.base)
        policy, harness = LocalPolicy(model, tokenizer, name="in training"), self.harness(tokenizer)
        log = MetricsLog(folder / "metrics.jsonl")
        tasks = self.split("validation")[: self.settings.measure.validation]
        best, since = -1.0, 0

        def has_levelled_off(step: int) -> bool:
            nonlocal best, since
            rate = self.rate(policy, tasks, harness, self.settings.measure.validation_runs)
            log.add(step, validation_rate=rate)
            self.say(f"SFT, seed {seed}: step {step}, {rate:.0%} of the validation tasks")
            since += 1
            if rate > best:
                best, since = rate, 0
                model.save_pretrained(folder / "best")
                tokenizer.save_pretrained(folder / "best")
            return since >= self.settings.measure.patience

        settings = msgspec.structs.replace(self.settings.sft, seed=seed)
        train_sft(
            model,
            tokenizer,
            encoded(tokenizer, lessons),
            settings,
            folder,
            tell=lambda step, values: log.add(step, **values),
            after=has_levelled_off,
        )

    def _rl(self, folder: Path, seed: int, start: Path, place: str) -> None:
        model, tokenizer = load(start)
        policy, harness = LocalPolicy(model, tokenizer, name="in training"), self.harness(tokenizer, place)
        log = MetricsLog(folder / "metrics.jsonl")
        tasks = self.split("train")
        sites = {name: remembering(site) for name, site in self.sites.items()}

        def tell(step: int, values: Mapping[str, float]) -> None:
            log.add(step, **values)
            if "solve_rate" in values and step % 5 == 0:
                self.say(f"RL in {place}, seed {seed}: step {step}, {values['solve_rate']:.0%} of the rollouts solved")

        settings = msgspec.structs.replace(self.settings.rl, seed=seed)
        train_rl(model, tokenizer, policy, tasks, sites, harness, settings, folder, tell=tell, loop=self.loop)
        model.save_pretrained(folder / "last")
        tokenizer.save_pretrained(folder / "last")

    def _more(self, folder: Path, seed: int, start: Path, lessons: Sequence[Lesson]) -> None:
        model, tokenizer = load(start)
        log, rl = MetricsLog(folder / "metrics.jsonl"), self.settings.rl
        settings = msgspec.structs.replace(
            self.settings.sft,
            seed=seed,
            steps=rl.steps,
            batch=rl.groups * rl.group_size,
            micro_batch=rl.groups * rl.group_size,
            learning_rate=self.settings.sft.learning_rate / 5,
            schedule="constant",
            warmup=0,
            checkpoint_every=rl.checkpoint_every,
        )
        train_sft(model, tokenizer, encoded(tokenizer, lessons), settings, folder, tell=lambda step, values: log.add(step, **values))
        model.save_pretrained(folder / "last")
        tokenizer.save_pretrained(folder / "last")


def has_words(task: Task, site: Site) -> bool:
    """Whether the `line` harness can say the task's mend, and shows the function that it is in."""
    return gold_answer(task, site.healthy) is not None and is_shown(task, site)


def remembering(site: Site) -> Site:
    """The site for training, where a check that ran on equal content is not run again; never for measuring."""
    return msgspec.structs.replace(site, sandbox=Remembering.of(site.sandbox))


def encoded(tokenizer: Any, lessons: Sequence[Lesson]) -> list[Encoded]:  # noqa: ANN401  # a transformers tokenizer
    """Lessons as the trainer takes them."""
    return [encode(tokenizer, lesson.messages) for lesson in lessons]
