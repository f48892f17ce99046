"""The page of one evaluation: a policy in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from suture_training.evaluation.groups import column_of, label_of
from suture_training.evaluation.outcomes import outcomes_of
from suture_training.evaluation.records import Evaluation, Run, load
from suture_training.evaluation.resampling import rate
from suture_training.evaluation.scores import Scores, scores_of
from suture_training.ledger import read_lines
from suture_training.report.episodes import best_and_worst, drawn, listed
from suture_training.report.estimates import basis, losses
from suture_training.report.page import Mood, banner, fields, folded, note, page, plots, section, table, tiles
from suture_training.report.plots import Bar, Line, bars, histogram, intervals, lines
from suture_training.report.text import number, percent, seconds
from suture_training.transcript import FILE as EPISODES
from suture_training.transcript import Transcript

READ_BY_HAND = 8
"""Passes that a person should read: the guard finds what its rules know."""
MOST_REPOSITORIES = 24


def evaluation_page(folder: Path) -> str:
    """The page of the evaluation in a folder. Raises LedgerError."""
    found = load(folder)
    scores = scores_of([found])
    label, manifest = label_of(found), found.manifest
    seed = f", training seed {manifest.subject.seed}" if manifest.subject.seed else ""
    return page(
        "evaluation",
        f"{manifest.subject.policy.name} in {column_of(found)}",
        f"{label.name}{seed}: {len(manifest.tasks)} tasks, {manifest.runs} runs each",
        [
            *_warnings(found, scores),
            _tiles(found, scores),
            section("What it solves", plots(_curve(scores), _by_task(found), _by_repository(found), _with_and_without(scores))),
            section("How it works", plots(*_behaviour(found.runs))),
            section("Hacks", *_hacks(scores)),
            section("Cost", _cost(scores)),
            section("Controls", _controls(found)),
            section("Lost runs", _lost(found)),
            *_episodes(found),
            section("Identity", *(folded(kind, fields(tree)) for kind, tree in manifest.named.items())),
        ],
        made=max((run.at for run in found.runs), default=0.0) or None,
    )


def _warnings(found: Evaluation, scores: Scores) -> list[str]:
    told = [
        banner(f"The environment drifted: {each.kind} control of task {each.task} after {each.after} runs: {each.reason}", "bad")
        for each in found.drifted
    ]
    if found.unsteady:
        told.append(banner(f"{len(found.unsteady)} controls held only the second time: the environment is not quite steady."))
    if found.missing:
        told.append(banner(f"It is not finished: {found.missing} runs are missing."))
    if lost := losses(scores):
        told.append(banner(f"{lost[0].upper()}{lost[1:]}."))
    return told


def _tiles(found: Evaluation, scores: Scores) -> str:
    gap = scores.unguarded.value - scores.passed.value
    items: list[tuple[str, str, Mood]] = [
        (percent(scores.passed.value), f"pass@1, 95 % interval {100 * scores.passed.low:.1f} to {100 * scores.passed.high:.1f}", "good"),
        *((percent(each.value), f"pass@{k}", "") for k, each in list(scores.at_k.items())[-1:]),
        *((percent(each.value), f"pass^{k}: all of {k} runs", "") for k, each in list(scores.all_k.items())[-1:]),
        (percent(scores.unguarded.value), "passes the failing check alone, guard or not", "bad" if gap > 0.005 else ""),
        (percent(scores.hacks.rate.value), "of the last patches refused by the guard", "bad" if scores.hacks.rate.value > 0.02 else ""),
        (seconds(scores.cost.seconds.median), f"a run in the median, 90 % below {seconds(scores.cost.seconds.p90)}", ""),
    ]
    held = sum(each.holds is True for each in found.controls)
    items.append((f"{held} of {len(found.controls)}", "controls held", "" if held == len(found.controls) else "warn"))
    return tiles(*items) + note(basis(scores.passed))


def _curve(scores: Scores) -> str:
    if not scores.at_k:
        return ""
    ks = [1, *scores.at_k]
    at, every = [scores.passed, *scores.at_k.values()], [scores.passed, *scores.all_k.values()]
    curves = [
        Line(label=name, x=ks, y=[each.value for each in row], low=[each.low for each in row], high=[each.high for each in row], marks=True)
        for name, row in (("pass@k: any of k runs", at), ("pass^k: all of k runs", every))
    ]
    return lines("More runs", "k", curves, percent=True, x="k", note="Unbiased estimates; bands are 95 % intervals.")


def _by_task(found: Evaluation) -> str:
    shares = [solved / ended for solved, ended in _counts(found.runs).values() if ended]
    return histogram("Tasks by share of solved runs", "tasks", shares, x="share of runs that solve a task")


def _by_repository(found: Evaluation) -> str:
    homes = {task.id: task.repository for task in found.manifest.tasks}
    names = sorted({homes[run.task] for run in found.runs})
    if len(names) < 2:
        return ""
    rows: list[Bar] = []
    for name in names:
        mine = [("", run.task, name, run.solved) for run in found.runs if homes[run.task] == name]
        estimate = rate(outcomes_of(mine))
        rows.append(Bar(label=name, value=estimate.value, low=estimate.low, high=estimate.high))
    rows.sort(key=lambda row: -row.value)
    remark = f"The {MOST_REPOSITORIES} of {len(rows)} repositories with the highest rates." if len(rows) > MOST_REPOSITORIES else ""
    return intervals("By repository", "repositories", rows[:MOST_REPOSITORIES], x="pass@1, %", note=remark)


def _with_and_without(scores: Scores) -> str:
    rows = [
        Bar(label="passed, and no hack", value=scores.passed.value, low=scores.passed.low, high=scores.passed.high),
        Bar(
            label="the failing check alone", value=scores.unguarded.value, low=scores.unguarded.low, high=scores.unguarded.high, strong=True
        ),
    ]
    return intervals(
        "With and without the guard", "guard", rows, x="pass@1, %", note="What lies between them are hacks that would have paid."
    )


def _behaviour(runs: Sequence[Run]) -> list[str]:
    tools: Counter[str] = Counter()
    for run in runs:
        tools.update(run.tools)
    ended = [run for run in runs if run.solved is not None]
    limits = Counter(run.limit or ("solved" if run.solved else "by itself, unsolved") for run in ended)
    return [
        bars("Tools that were called", "tools", dict(tools)),
        bars("How runs ended", "limits", {name: count / len(ended) for name, count in limits.items()} if ended else {}, percent=True),
        histogram("Requests a run", "requests", [run.requests for run in ended], x="requests"),
        histogram("Tokens a run", "tokens", [run.completion_tokens for run in ended], x="generated tokens"),
        histogram("Seconds a run", "seconds", [run.seconds for run in ended], x="seconds"),
    ]


def _hacks(scores: Scores) -> list[str]:
    hacks = scores.hacks
    if not hacks.tried and not hacks.rules:
        return [note("The guard refused nothing.")]
    rules = sorted({*hacks.tried, *hacks.rules}, key=lambda rule: (-hacks.rules.get(rule, 0), rule))
    return [
        table(
            ("rule", "last patches refused", "proposals refused on the way"),
            ((rule, str(hacks.rules.get(rule, 0)), str(hacks.tried.get(rule, 0))) for rule in rules),
            numbers=(1, 2),
        ),
        note(
            f"{hacks.passing} refused last patches pass the failing check: a reward that looks at the check alone would have paid for them."
        ),
    ]


def _cost(scores: Scores) -> str:
    cost = scores.cost
    rows = [
        ("requests a run", number(cost.requests)),
        ("prompt tokens a run", number(cost.prompt_tokens)),
        ("generated tokens a run", number(cost.completion_tokens)),
        ("generated tokens for each solved run", number(cost.tokens_a_solution)),
        ("wall time a run: mean, median, 90 %", " / ".join(map(seconds, (cost.seconds.mean, cost.seconds.median, cost.seconds.p90)))),
        ("of it the policy", seconds(cost.seconds_policy)),
        ("of it the sandbox", seconds(cost.seconds_sandbox)),
        ("all runs together", f"{cost.hours:.2f} h"),
        ("runs that ended only after further attempts", str(scores.retried)),
    ]
    return table(("what", "how much"), rows, numbers=(1,))


def _controls(found: Evaluation) -> str:
    words = {True: "holds", False: "does not hold", None: "the machine failed"}
    counted = Counter((each.kind, words[each.holds]) for each in found.controls)
    wrong = [each for each in found.controls if each.holds is not True]
    rows = [(kind, held, str(count)) for (kind, held), count in sorted(counted.items())]
    listed_ = table(
        ("control", "task", "after runs", "what was seen"), ((e.kind, e.task, str(e.after), e.reason) for e in wrong), numbers=(2,)
    )
    return table(("control", "outcome", "times"), rows, numbers=(2,)) + listed_


def _lost(found: Evaluation) -> str:
    return table(
        ("task", "run", "attempts", "why"),
        ((run.task, str(run.run + 1), str(run.attempts), run.reason) for run in found.lost[:50]),
        numbers=(1, 2),
    )


def _episodes(found: Evaluation) -> list[str]:
    episodes = list(read_lines(found.folder / EPISODES, Transcript))
    best, worst = best_and_worst(episodes)
    passes = [each for each in episodes if each.reward == 1]
    return [
        section(
            "Passes to read by hand", note("A random sample: the guard finds what its rules know."), listed(drawn(passes, READ_BY_HAND))
        )
        if passes
        else "",
        section("Best episodes", listed(best)),
        section("Worst episodes", listed(worst)),
    ]


def _counts(runs: Sequence[Run]) -> Mapping[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for run in runs:
        solved, ended = found.get(run.task, (0, 0))
        found[run.task] = solved + (run.solved is True), ended + (run.solved is not None)
    return found
