"""All stages of `make learn`, one after the other."""

from __future__ import annotations

from suture_training.learn.experiment import Experiment
from suture_training.learn.hack import hack
from suture_training.learn.measure import Contestant, lay_out, measure_all
from suture_training.learn.overview import write_overview
from suture_training.learn.settings import FULL

UNTIL = ("tasks", "sft", "rl", "measure", "hack")
"""Stages after which a run may end."""


def run(experiment: Experiment, until: str = UNTIL[-1]) -> None:
    """Make everything that is not there yet, up to a stage."""
    experiment.prepare()
    if until == "tasks":
        return
    lessons = experiment.lessons()
    contestants = [Contestant(method="raw", folder=experiment.base)]
    for seed in experiment.settings.seeds:
        plateau = experiment.sft(seed, lessons)
        contestants.append(Contestant(method="sft", seed=str(seed), folder=plateau))
        if until == "sft":
            continue
        contestants.append(Contestant(method="rl", seed=str(seed), folder=experiment.rl(seed, plateau)))
        contestants.append(Contestant(method="more", seed=str(seed), folder=experiment.more(seed, plateau, lessons)))
        if seed in experiment.settings.full_seeds:
            elsewhere = experiment.rl(seed, plateau, FULL)
            contestants.append(Contestant(method="rl", seed=str(seed), trained_in=FULL, folder=elsewhere))
    if until in ("sft", "rl"):
        return
    measured = measure_all(experiment, contestants)
    lay_out(experiment, measured)
    write_overview(experiment, measured)
    if until == "measure":
        return
    hack(experiment, contestants[1].folder)
    write_overview(experiment, measured)
