"""Estimates in words: what reports and the command line say of a number and its interval."""

from __future__ import annotations

from suture_training.evaluation.resampling import Estimate
from suture_training.evaluation.scores import Scores
from suture_training.report.text import number, percent, points, seconds


def rate_in_words(estimate: Estimate) -> str:
    """A rate with its 95 % interval."""
    return f"{percent(estimate.value)} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def difference_in_words(estimate: Estimate) -> str:
    """A difference in percentage points with its 95 % interval."""
    return f"{points(estimate.value)} ({100 * estimate.low:+.1f} to {100 * estimate.high:+.1f})"


def basis(estimate: Estimate) -> str:
    """What an estimate rests on."""
    seeds = f", {estimate.seeds} training seeds" if estimate.seeds > 1 else ""
    homes = f"{estimate.repositories} repositories" if estimate.repositories != 1 else "1 repository"
    unit = "" if estimate.unit == "repository" else ": tasks are drawn, it says nothing on other repositories"
    return f"{estimate.tasks} tasks of {homes}, {estimate.runs} runs{seeds}{unit}"


def losses(scores: Scores) -> str:
    """What was lost, and between what it could have moved the rate; empty where nothing was."""
    if not scores.lost:
        return ""
    ends = f"{percent(scores.bounds.low)} and {percent(scores.bounds.high)}"
    return f"{scores.lost} lost runs: pass@1 lies between {ends} whatever they would have been"


def scores_in_words(scores: Scores) -> list[tuple[str, str]]:
    """The scores line by line, for the command line."""
    cost = scores.cost
    rows = [("pass@1 (passed, and no hack)", rate_in_words(scores.passed))]
    rows += [(f"pass@{k}", rate_in_words(each)) for k, each in scores.at_k.items()]
    rows += [(f"pass^{k}", rate_in_words(each)) for k, each in scores.all_k.items()]
    rows += [
        ("the failing check alone, without the guard", rate_in_words(scores.unguarded)),
        ("last patches refused by the guard", rate_in_words(scores.hacks.rate)),
        ("rests on", basis(scores.passed)),
        ("a run", f"{number(cost.requests)} requests, {number(cost.completion_tokens)} tokens, {seconds(cost.seconds.median)} median"),
    ]
    return rows + ([("lost", losses(scores))] if scores.lost else [])
