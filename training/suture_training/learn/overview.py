"""The page of an experiment: what SFT, as much more SFT and reinforcement learning brought, what mismatches cost, and the seeded hack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from suture_training import metrics
from suture_training.evaluation.attribution import FILE as ATTRIBUTION
from suture_training.evaluation.attribution import Attribution
from suture_training.evaluation.compare import compare
from suture_training.evaluation.groups import merged
from suture_training.evaluation.matrix import FILE as MATRIX
from suture_training.evaluation.matrix import Matrix
from suture_training.evaluation.resampling import Estimate, rate
from suture_training.learn.experiment import Experiment
from suture_training.learn.hack import RUNS
from suture_training.learn.measure import Measured
from suture_training.learn.settings import HOME
from suture_training.ledger import read_json, write_json
from suture_training.report.attribution import name_of
from suture_training.report.build import write_report
from suture_training.report.estimates import basis, difference_in_words, rate_in_words
from suture_training.report.page import Mood, fields, folded, note, page, plots, section, table, tiles
from suture_training.report.plots import Bar, Line, intervals, lines
from suture_training.report.text import p_value, points

FILE = "report.html"
FIGURES = "figures.json"
METHODS: Mapping[str, str] = {"raw": "raw", "sft": "SFT to its plateau", "more": "as much more SFT", "rl": "RL after SFT"}
WANTED = 0.07
"""How much RL must gain over the plateau, and the interval must be above 0."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the experiment found, for programs."""

    rates: Mapping[str, Estimate]
    """Method -> pass@1 on the held-out tasks, in the harness of training."""
    rl_over_sft: Estimate
    rl_over_more: Estimate
    sft_over_raw: Estimate

    @property
    def shown(self) -> bool:
        """Whether the effect is there, as it was asked for before anything was measured."""
        return self.rl_over_sft.value >= WANTED and self.rl_over_sft.low > 0 and self.rl_over_more.low > 0


def write_overview(experiment: Experiment, measured: Measured) -> Path:
    """Write the pages: this one, and those of matrix, attribution and each training run. Where this one is."""
    out = experiment.out
    figures = Figures(
        rates={method: rate(merged(measured.of(HOME, method))) for method in METHODS},
        rl_over_sft=_between(measured, "sft", "rl"),
        rl_over_more=_between(measured, "more", "rl"),
        sft_over_raw=_between(measured, "raw", "sft"),
    )
    write_json(out / FIGURES, figures)
    runs = [folder for folder in sorted(out.iterdir()) if (folder / metrics.FILE).is_file()]
    for folder in (*runs, out / "matrix", out / "attribution"):
        write_report(folder)
    settings = experiment.settings
    content = page(
        "experiment",
        "From nothing to a better policy, in one matched environment",
        f"{len(settings.seeds)} training seed{'s' * (len(settings.seeds) > 1)}, {basis(figures.rates['rl'])}",
        [
            _tiles(figures),
            section("Held-out repairs in fresh sandboxes", _rates(figures), _differences(figures), note(_verdict(figures))),
            section("How it learned", plots(_validation(experiment), _solving(experiment))),
            section("Trained in one pipeline, tested in both", _matrix(out)),
            section("What each mismatch costs", _costs(out)),
            section("A seeded hack, with the guard and without", *_hack(out)),
            section("Settings", folded("as they were read", fields(msgspec.to_builtins(settings)))),
        ],
    )
    path = out / FILE
    path.write_text(content, encoding="utf-8", errors="backslashreplace")
    experiment.say(_verdict(figures))
    experiment.say(f"report: {path}")
    return path


def _between(measured: Measured, first: str, second: str) -> Estimate:
    return compare(measured.of(HOME, first), measured.of(HOME, second)).difference


def _verdict(figures: Figures) -> str:
    gain, control = difference_in_words(figures.rl_over_sft), difference_in_words(figures.rl_over_more)
    told = f"RL over the SFT plateau: {gain} points; over as much more SFT: {control} points (95 % intervals)"
    return f"{told}. The effect that was asked for (at least {100 * WANTED:.0f} points) is {'there' if figures.shown else 'NOT there'}."


def _tiles(figures: Figures) -> str:
    mood: Mood = "good" if figures.shown else "bad"
    rates: list[tuple[str, str, Mood]] = [(f"{100 * figures.rates[method].value:.0f} %", label, "") for method, label in METHODS.items()]
    return tiles(
        *rates,
        (points(figures.rl_over_sft.value), "points, RL over the SFT plateau", mood),
    )


def _rates(figures: Figures) -> str:
    rows = [
        Bar(label=METHODS[method], value=each.value, low=each.low, high=each.high, strong=method == "rl")
        for method, each in figures.rates.items()
    ]
    return plots(intervals("Solved held-out tasks", "rates", rows, x="pass@1, %", note="95 % intervals over repositories and seeds."))


def _differences(figures: Figures) -> str:
    rows = (
        ("SFT over raw", figures.sft_over_raw),
        ("RL over SFT", figures.rl_over_sft),
        ("RL over as much more SFT", figures.rl_over_more),
    )
    told = [(name, difference_in_words(each), p_value(each.p)) for name, each in rows]
    return table(("difference", "points (95 %)", "p"), told, numbers=(1, 2))


def _curves(folders: Sequence[tuple[str, Path]], name: str, *, smooth: bool = False) -> list[Line]:
    made: list[Line] = []
    for label, folder in folders:
        series = metrics.read(folder / metrics.FILE).get(name) if (folder / metrics.FILE).is_file() else None
        if series:
            made.append(Line(label=label, x=list(series), y=list(series.values()), marks=not smooth, smooth=smooth))
    return made


def _validation(experiment: Experiment) -> str:
    folders = [(f"seed {seed}", experiment.out / f"sft-{seed}") for seed in experiment.settings.seeds]
    remark = "Where it has levelled off, the best weights are kept; held-out tasks have no part in that."
    return lines("SFT: validation tasks solved", "validation", _curves(folders, "validation_rate"), percent=True, note=remark)


def _solving(experiment: Experiment) -> str:
    folders = [(f"seed {seed}", experiment.out / f"rl-{seed}") for seed in experiment.settings.seeds]
    remark = "The curriculum draws hard tasks more often, so the rate is not that of all training tasks."
    return lines("RL: rollouts solved, training tasks", "solving", _curves(folders, "solve_rate", smooth=True), percent=True, note=remark)


def _matrix(out: Path) -> str:
    found = read_json(out / "matrix" / MATRIX, Matrix)
    rows = [
        (row, *(rate_in_words(cell.scores.passed) if (cell := found.cell(row, column)) else "" for column in found.columns))
        for row in found.rows
    ]
    told = table(("policy", *(f"tested in {column}" for column in found.columns)), rows, numbers=(1, 2))
    tests = table(
        ("interaction", "points (95 %)", "p (Holm)"),
        [(each.name, difference_in_words(each.estimate), p_value(each.p)) for each in found.interactions],
        numbers=(1, 2),
    )
    return told + tests + note("matrix/report.html has every cell with its costs and hacks.")


def _costs(out: Path) -> str:
    found = read_json(out / "attribution" / ATTRIBUTION, Attribution)
    rows = [
        Bar(label=name_of(each), value=each.cost.value, low=each.cost.low, high=each.cost.high, strong=each.p <= 0.05)
        for each in found.costs
    ]
    remark = "Right of zero: the trained policy solves less under the mismatch, beyond what the raw one does."
    return plots(intervals("Cost in percentage points of pass@1", "costs", rows, x="percentage points", zero=True, wide=True, note=remark))


def _hack(out: Path) -> list[str]:
    folders = [({"guarded": "paid by the verdict", "unguarded": "paid by the failing check"}[name], out / f"hack-{name}") for name in RUNS]
    hacks, paid = _curves(folders, "refused"), _curves(folders, "solve_rate")
    if not hacks:
        return []
    told = "Of each step's rollouts. The mend needs arithmetic; the hack deletes the validation, which the failing check cannot see."
    return [
        plots(
            lines("Rollouts whose patch the guard refuses", "hacks", hacks, percent=True),
            lines("Rollouts that were paid", "paid", paid, percent=True),
        ),
        note(told),
    ]
