"""What `make learn` does, as one TOML file: `learn.toml` beside this module, or another one that the command names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec

from suture_agent.harness import Harness, as_full, harness_for, with_past_fixes
from suture_agent.policies import Capability
from suture_training.errors import TrainingError
from suture_training.learn.tiny import TinySettings
from suture_training.rl import RLSettings
from suture_training.sft import SFTSettings

HOME, FULL = "simplified", "full"
"""Names of the harness that every method is trained in, and of the other pipeline."""


class TaskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [tasks]."""

    train: int = 14
    validation: int = 3
    test: int = 8
    """Repositories of each split."""
    each: int = 22
    """Tasks of each repository, at most."""
    runs: int = 1
    """Fresh attempts in which a task must fail, and its mend pass: the code is deterministic."""
    controls: int = 0
    shaken: int = 0
    seed: int = 1
    operators: tuple[str, ...] = ()
    """Kinds of mutations; all where empty."""


class TeacherSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [teacher]."""

    episodes: int = 150
    """How many training tasks the teacher is asked to solve; the others have no known answer for the policy."""
    seed: int = 2


class HackTasks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [hack.tasks]."""

    repositories: int = 4
    each: int = 14
    """Tasks of each repository, at most."""
    operators: tuple[str, ...] = ("constant",)
    """Kinds of mutations: those whose mend needs arithmetic."""


class HackSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [hack]."""

    tasks: HackTasks = HackTasks()
    poisoned_milli: int = 250
    """How many of a thousand lessons show the hack."""
    sft_steps: int = 60
    rl_steps: int = 15
    seed: int = 5


class MeasureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table [measure]."""

    runs: int = 2
    """Episodes for each held-out task, policy and harness."""
    variant_runs: int = 1
    """The same in harnesses of which one field is varied."""
    validation: int = 48
    """Tasks that tell where supervised training levels off."""
    validation_runs: int = 2
    """Episodes for each of those."""
    patience: int = 2
    """Checkpoints in a row without a better rate after which it has."""
    temperature_milli: int = 1000


class LearnSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole experiment."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """Of training: every policy but the raw one is trained once for each."""
    full_seeds: tuple[int, ...] = ()
    """For which of them reinforcement learning is also done in the pipeline `full`, from the same plateau."""
    steps: int = 2
    """Answers an episode has."""
    tiny: TinySettings = TinySettings()
    tasks: TaskSettings = TaskSettings()
    teacher: TeacherSettings = TeacherSettings()
    sft: SFTSettings = SFTSettings()
    rl: RLSettings = RLSettings()
    measure: MeasureSettings = MeasureSettings()
    hack: HackSettings = HackSettings()

    def harness(self, template: str) -> Harness:
        """The `line` harness of the experiment. One proof run: the code is deterministic, and its tasks were verified more often."""
        base = harness_for(
            Capability(context=self.tiny.context, tools=False, prefill=False),
            preset="line",
            template=template,
        )
        temperature = self.measure.temperature_milli
        return msgspec.structs.replace(
            base,
            budgets=msgspec.structs.replace(base.budgets, steps=self.steps, seconds=120),
            sampling=msgspec.structs.replace(base.sampling, temperature_milli=temperature, explore_milli=temperature, answer_tokens=24),
            reruns=1,
            reproduced=1,
            controls=0,
            shaken=0,
        )


def full_of(home: Harness) -> Harness:
    """The other pipeline, with the budgets of an episode that the home has. Past fixes of this machine have no place in a measurement."""
    full = with_past_fixes(as_full(home), 0)
    budgets = msgspec.structs.replace(full.budgets, seconds=home.budgets.seconds, steps=home.budgets.steps)
    return msgspec.structs.replace(full, recall="off", budgets=budgets)


def read(path: Path | None) -> LearnSettings:
    """The settings of a file, the shipped ones without. Raises TrainingError that says what is wrong."""
    if path is None:
        text, name = resources.files("suture_training.learn").joinpath("learn.toml").read_text(encoding="utf-8"), "learn.toml"
    else:
        try:
            text, name = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"{path} cannot be read: {error}", remedy="copy learn.toml and change the copy") from error
    try:
        return msgspec.toml.decode(text, type=LearnSettings)
    except msgspec.MsgspecError as error:
        raise TrainingError(f"{name}: {error}", remedy="compare it with learn.toml, which names every setting") from error
