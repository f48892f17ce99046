"""Measuring what `make learn` made: every policy on the held-out tasks, in the harness that it was trained in and in others.

Fresh sandboxes, gold and no-op controls in between, results on the disk as they come (`suture_training.evaluation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from suture_agent.harness import Harness
from suture_sandbox.identity import differences
from suture_training.evaluation.attribution import FILE as ATTRIBUTION
from suture_training.evaluation.attribution import attribute
from suture_training.evaluation.matrix import FILE as MATRIX
from suture_training.evaluation.matrix import matrix
from suture_training.evaluation.records import Evaluation, Subject, load
from suture_training.evaluation.run import Plan, evaluate
from suture_training.evaluation.variants import variants
from suture_training.learn.experiment import Experiment
from suture_training.learn.settings import FULL, HOME, full_of
from suture_training.ledger import write_json
from suture_training.rendering import digest_of

VARIED = ("half-steps", "plain-prompt", "greedy")
"""Variants that mean something for the preset `line`."""
COSTS_OF = ("raw", "rl")
"""Kinds that are measured in variants; the raw policy says what a variant makes harder for everybody."""


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """One trained model."""

    method: str
    """`raw`, `sft`, `rl` or `more` (as much more SFT)."""
    seed: str = ""
    trained_in: str = HOME
    """Nowhere, for the raw one, whatever stands here."""
    folder: Path

    @property
    def kind(self) -> str:
        """What it is, whatever its seed: `rl`, or `rl-full` where it was trained in the other pipeline."""
        return self.method if self.trained_in == HOME else f"{self.method}-{self.trained_in}"

    @property
    def name(self) -> str:
        """Of its folder of evaluations."""
        return f"{self.kind}-{self.seed}" if self.seed else self.kind


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a policy is measured."""

    name: str
    harness: Harness
    runs: int
    template: str = ""
    """Chat template that serves instead of the one of training; empty for that."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """All evaluations of an experiment."""

    found: Mapping[str, Mapping[str, Sequence[Evaluation]]]
    """Place -> kind of contestant -> an evaluation a training seed."""

    def of(self, place: str, *kinds: str) -> list[Evaluation]:
        """The evaluations of some kinds in a place, all without a name."""
        there = self.found.get(place, {})
        return [each for kind in kinds or there for each in there.get(kind, ())]


def on_one_line(template: str) -> str:
    """A chat template that differs in one sign from the project's own: the role and the text stand on one line."""
    return template.replace("message.role + '\\n'", "message.role + ': '").replace("assistant\\n'", "assistant: '")


def places(home: Harness, template: str, runs: int, variant_runs: int) -> list[Place]:
    """The harness of training, the other pipeline, and the variants of one named field each."""
    other = on_one_line(template)
    served = msgspec.structs.replace(home, template=digest_of(other))
    return [
        Place(name=HOME, harness=home, runs=runs),
        Place(name=FULL, harness=full_of(home), runs=1),
        *(Place(name=each.name, harness=each.harness, runs=variant_runs) for each in variants(home, VARIED)),
        Place(name="other-template", harness=served, runs=variant_runs, template=other),
    ]


def measure_all(experiment: Experiment, contestants: Sequence[Contestant]) -> Measured:
    """Every policy at home and in the other pipeline; some with one field varied too. Goes on where it was interrupted."""
    _, tokenizer = experiment.loaded(experiment.base)
    home = experiment.harness(tokenizer)
    found: dict[str, dict[str, list[Evaluation]]] = {}
    wanted = experiment.settings.measure
    for place in places(home, str(tokenizer.chat_template), wanted.runs, wanted.variant_runs):
        for contestant in contestants:
            if place.name in (HOME, FULL) or contestant.kind in COSTS_OF:
                made = _measure(experiment, contestant, place)
                found.setdefault(place.name, {}).setdefault(contestant.kind, []).append(made)
    return Measured(found=found)


def lay_out(experiment: Experiment, measured: Measured) -> None:
    """The matrix and the attribution, each in a folder that `suture report` makes a page of."""
    both = [*measured.of(HOME), *measured.of(FULL)]
    home, full = (msgspec.convert(measured.of(place)[0].manifest.harness, Harness) for place in (HOME, FULL))
    named = sorted({f"harness.{each.field.split('.')[0]}" for each in differences(home, full)} | {"evaluation"})
    write_json(experiment.out / "matrix" / MATRIX, matrix(both, named=named))
    others = [each for place in measured.found if place not in (HOME, FULL) for each in measured.of(place)]
    write_json(experiment.out / "attribution" / ATTRIBUTION, attribute(measured.of(HOME, *COSTS_OF), others))


def _measure(experiment: Experiment, contestant: Contestant, place: Place) -> Evaluation:
    folder = experiment.out / "evaluations" / contestant.name / place.name
    policy = experiment.policy(contestant.folder, contestant.method, template=place.template)

    async def work() -> None:
        subject = Subject(
            policy=await policy.start(),
            method=contestant.method,
            trained_in="" if contestant.method == "raw" else contestant.trained_in,
            seed=contestant.seed,
        )
        try:
            await evaluate(
                experiment.split("test"),
                experiment.sites,
                policy,
                place.harness,
                folder,
                plan=Plan(runs=place.runs, jobs=experiment.settings.rl.parallel, controls=100),
                subject=subject,
                tested_in=place.name,
                selection={"split": "test"},
                resume=True,
            )
        finally:
            await policy.close()

    experiment.run(work())
    made = load(folder)
    scored = [run.solved for run in made.runs if run.solved is not None]
    experiment.say(f"{contestant.name} in {place.name}: {sum(scored)} of {len(scored)} runs solved")
    return made
