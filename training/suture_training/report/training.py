"""The page of a training run: how it learned, what it learned, what it cost, and what its episodes look like.

It reads what trainers write into a run's folder: `metrics.jsonl`, and where they are there `run.toml` (the settings), `identity.json`
(named fields by kind), `rollouts.jsonl` (groups of a step) and `episodes.jsonl` (transcripts). Metrics are shown under the names that
trainers use, TRL's and ours; those that no figure knows get a small one of their own, so that nothing that was logged is left out.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_training import metrics
from suture_training.evaluation.statistics import wilson
from suture_training.ledger import LedgerError
from suture_training.report.episodes import best_and_worst, episodes_of, listed
from suture_training.report.page import Mood, banner, fields, folded, note, page, plots, section, tiles
from suture_training.report.plots import Line, bars, histogram, lines, stacked
from suture_training.report.text import NONE, number, percent, seconds
from suture_training.transcript import Transcript

Series = Mapping[int, float]

SOLVED = ("solve_rate", "solved", "validation_rate")
REWARD = ("reward", "rewards/outcome_reward/mean", "reward/mean")
LOSS = ("loss", "train_loss", "eval_loss")
VALIDATION = ("validation_rate",)
HACKS = ("hack_rate",)
LENGTH = ("tokens", "completions/mean_length", "num_tokens")
ROLLOUTS = ("rollouts",)
PHASES, TOOLS = ("seconds_", "seconds/"), ("tools/",)
AT_THE_END = 0.1
"""Share of the steps over which the last values are averaged."""
MOST_EPISODES = 50_000
"""Transcripts that are looked through."""


def training_page(folder: Path) -> str:
    """The page of the run in a folder. Raises LedgerError where there is nothing to show."""
    found = metrics.read(folder / metrics.FILE)
    settings = _settings(folder)
    method = str(settings.get("method", ""))
    if not found:
        raise LedgerError(f"{folder / metrics.FILE} holds no metric", remedy="name the folder of a run that has begun")
    episodes = _Looked()
    for each in itertools.islice(episodes_of(folder), MOST_EPISODES):
        episodes.add(each)
    best, worst = best_and_worst(episodes.kept)
    steps = max(step for series in found.values() for step in series)
    return page(
        f"{method} training run".strip(),
        folder.resolve().name,
        f"{steps:,} steps{_seed(settings, method)}",
        [
            *_warnings(found),
            _tiles(found, steps),
            section("Learning", plots(*_learning(found))),
            section("Episodes in numbers", plots(*_behaviour(found, episodes))),
            section("Time", plots(*_time(found))),
            section("Everything else that was logged", plots(*_others(found), small=True)),
            section("Best episodes", listed(best)),
            section("Worst episodes", note("Those that the guard refused come first."), listed(worst)) if worst else "",
            section("Identity", *(folded(kind, fields(tree)) for kind, tree in _identity(folder).items())),
            section("Settings", folded("as they were read", fields(settings))) if settings else "",
        ],
        made=(folder / metrics.FILE).stat().st_mtime,
    )


def _settings(folder: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or it is none: the figures are there all the same
        return {}


def _identity(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        found = msgspec.json.decode((folder / "identity.json").read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}
    return {kind: tree if isinstance(tree, dict) else {kind: tree} for kind, tree in found.items()}  # pyright: ignore[reportUnknownVariableType]  # JSON of unknown shape


def _seed(settings: Mapping[str, Any], method: str) -> str:
    own: Any = settings.get(method, {})
    seed = own.get("seed") if isinstance(own, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # TOML of unknown shape
    return "" if seed is None else f", training seed {seed}"


class _Looked:
    """What the transcripts say together; holds the best and worst candidates only."""

    def __init__(self) -> None:
        self.kept: list[Transcript] = []
        self.tools: Counter[str] = Counter()
        self.requests: list[float] = []
        self.tokens: list[float] = []

    def add(self, each: Transcript) -> None:
        self.kept.append(each)
        self.tools.update(each.tools)
        self.requests.append(each.requests)
        self.tokens.append(each.completion_tokens)
        if len(self.kept) > 400:
            best, worst = best_and_worst(self.kept)
            self.kept = [*best, *worst]


def _warnings(found: Mapping[str, Series]) -> list[str]:
    told: list[str] = []
    loss = _first(found, LOSS)
    if loss and any(math.isnan(value) for value in loss[1].values()):
        told.append(
            banner(f"{loss[0]} was not a number at step {next(step for step, value in loss[1].items() if math.isnan(value))}.", "bad")
        )
    hacks = _first(found, HACKS)
    if hacks and _last(hacks[1]) > 0.05:
        told.append(
            banner(
                f"The guard refused {percent(_last(hacks[1]))} of the last rollouts: what is learnt may be a way around the checks.", "bad"
            )
        )
    return told


def _tiles(found: Mapping[str, Series], steps: int) -> str:
    items: list[tuple[str, str, Mood]] = [(f"{steps:,}", "steps", "")]
    solved, validation, hacks, loss = (_first(found, names) for names in (SOLVED, VALIDATION, HACKS, LOSS))
    if solved:
        items.append(
            (f"{percent(_begin(solved[1]), 0)} → {percent(_end(solved[1]), 0)}", "solved, first and last tenth of the steps", "good")
        )
    if validation and validation != solved:
        items.append((percent(max(validation[1].values())), "best validation rate", ""))
    if hacks:
        items.append((percent(_end(hacks[1])), "refused by the guard, last tenth", "bad" if _end(hacks[1]) > 0.05 else ""))
    if loss:
        items.append((number(_end(loss[1])), "loss, last tenth", ""))
    rollouts = _first(found, ROLLOUTS)
    if rollouts:
        items.append((f"{sum(rollouts[1].values()):,.0f}", "rollouts", ""))
    spent = sum(sum(series.values()) for name, series in found.items() if name.startswith(PHASES))
    if spent:
        items.append((seconds(spent), "of policy and sandbox", ""))
    return tiles(*items)


def _learning(found: Mapping[str, Series]) -> list[str]:
    return [
        _solved(found),
        _plot("Held-out rate", "validation", found, VALIDATION, percent=True, marks=True),
        _plot("Reward", "reward", found, REWARD),
        _plot("Loss", "loss", found, LOSS),
        _plot("Refused by the guard", "hacks", found, HACKS, percent=True),
    ]


def _solved(found: Mapping[str, Series]) -> str:
    """The solve rate with the 95 % interval of each step's rollouts."""
    solved = _first(found, ("solve_rate", "solved"))
    if not solved:
        return ""
    name, series = solved
    counts = (_first(found, ROLLOUTS) or ("", {}))[1]
    ends = [wilson(value, counts[step]) if counts.get(step) and math.isfinite(value) else None for step, value in series.items()]
    known = bool(ends) and all(ends)
    curve = Line(
        label=name,
        x=list(series),
        y=list(series.values()),
        low=[each.low for each in ends if each] if known else (),
        high=[each.high for each in ends if each] if known else (),
        smooth=True,
    )
    remark = "Band: 95 % interval of each step's own rollouts. The strong line is a moving mean." if known else ""
    return lines("Solved rollouts", "solved", [curve], percent=True, note=remark)


def _behaviour(found: Mapping[str, Series], episodes: _Looked) -> list[str]:
    logged = {name.removeprefix("tools/"): sum(series.values()) for name, series in found.items() if name.startswith(TOOLS)}
    tools = logged or dict(episodes.tools)
    return [
        bars("Tools that were called", "tools", {name: count for name, count in tools.items() if count}),
        _over_time(found, TOOLS, "Tools over time", "tools-steps", "calls") if len(logged) > 1 else "",
        _plot("Length of episodes", "length", found, LENGTH, note="Tokens that the policy wrote, in the mean."),
        histogram("Requests an episode", "requests", episodes.requests, x="requests"),
        histogram("Tokens an episode", "tokens-each", episodes.tokens, x="tokens"),
    ]


def _time(found: Mapping[str, Series]) -> list[str]:
    return [_over_time(found, PHASES, "Time per phase", "phases", "seconds a step")]


def _over_time(found: Mapping[str, Series], prefixes: Sequence[str], title: str, name: str, y: str) -> str:
    parts = {each: series for each, series in found.items() if each.startswith(tuple(prefixes))}
    steps = sorted({step for series in parts.values() for step in series})
    values = {_bare(each, prefixes): [_plain(series.get(step, 0.0)) for step in steps] for each, series in parts.items()}
    return stacked(title, name, steps, values, y=y)


def _others(found: Mapping[str, Series]) -> list[str]:
    known = {*SOLVED, *REWARD, *LOSS, *VALIDATION, *HACKS, *LENGTH}
    left = [name for name in found if name not in known and not name.startswith((*PHASES, *TOOLS)) and len(found[name]) > 1]
    return [lines(name, f"other{at}", [_line(name, found[name])]) for at, name in enumerate(sorted(left))]


def _plot(
    title: str, name: str, found: Mapping[str, Series], names: Sequence[str], *, percent: bool = False, marks: bool = False, note: str = ""
) -> str:
    there = [each for each in names if each in found]
    curves = [_line(each, found[each], marks=marks, smooth=not marks) for each in there[:3]]
    return lines(title, name, curves, percent=percent, note=note)


def _line(name: str, series: Series, *, marks: bool = False, smooth: bool = True) -> Line:
    return Line(label=name, x=list(series), y=list(series.values()), marks=marks, smooth=smooth)


def _first(found: Mapping[str, Series], names: Sequence[str]) -> tuple[str, Series] | None:
    return next(((name, found[name]) for name in names if name in found), None)


def _bare(name: str, prefixes: Sequence[str]) -> str:
    for prefix in prefixes:
        name = name.removeprefix(prefix)
    return name or NONE


def _plain(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _part(series: Series, *, last: bool) -> float:
    values = [value for value in series.values() if math.isfinite(value)]
    count = max(1, round(AT_THE_END * len(values)))
    some = values[-count:] if last else values[:count]
    return sum(some) / len(some) if some else math.nan


def _begin(series: Series) -> float:
    return _part(series, last=False)


def _end(series: Series) -> float:
    return _part(series, last=True)


def _last(series: Series) -> float:
    return next((value for value in reversed(list(series.values())) if math.isfinite(value)), 0.0)
