"""The pages: what stands in them, and that nothing in them runs, is fetched, or is more than text."""

from __future__ import annotations

import math
import subprocess
import sys

import msgspec
import pytest
from evaluations import HOSTILE, transcript, written

from suture_training.evaluation.attribution import FILE as ATTRIBUTION
from suture_training.evaluation.attribution import attribute
from suture_training.evaluation.matrix import FILE as MATRIX
from suture_training.evaluation.matrix import matrix
from suture_training.evaluation.records import Control, load
from suture_training.ledger import Ledger, LedgerError, write_json
from suture_training.metrics import MetricsLog
from suture_training.report.build import write_report
from suture_training.report.episodes import best_and_worst, diff, drawn
from suture_training.report.plots import Bar, Line, bars, histogram, intervals, lines, moving, stacked
from suture_training.transcript import FILE as EPISODES


def share(solved, tasks=12):
    return ["yn"] * solved + ["nn"] * (tasks - solved)


# --- training runs


def test_a_training_runs_page_has_what_was_learnt_and_what_it_cost(training_run, page_of):
    episodes = [transcript("t1"), transcript("t2", reward=0.0, hacks=("suppressions-comment",), step=3)]
    page = page_of(write_report(training_run(episodes=episodes)))
    assert page.headings == [
        "rl-1",
        "Learning",
        "Episodes in numbers",
        "Time",
        "Everything else that was logged",
        "Best episodes",
        "Worst episodes",
        "Identity",
        "Settings",
    ]
    labels = [attributes["aria-label"].split(":")[0] for tag, attributes in page.elements if tag == "svg"]
    assert {"Solved rollouts", "Held-out rate", "Reward", "Loss", "Refused by the guard", "Length of episodes"} <= set(labels)
    assert {"Time per phase", "Tools that were called", "Tools over time", "grad_norm", "rollouts"} <= set(labels)
    for said in ("30 steps, training seed 3", "960 rollouts", "14 % → 68 %", "rl training run", "suppressions-comment", "preset line"):
        assert said in page.text
    assert "95 % interval of each step" in page.text


def test_a_run_of_nothing_but_metrics_has_a_page(tmp_path, page_of):
    with MetricsLog(tmp_path / "sft" / "metrics.jsonl") as log:
        log.add(1, loss=2.0)
        log.add(2, loss=math.nan)
        log.add(3, loss=1.0)
    page = page_of(write_report(tmp_path / "sft"))
    assert "loss was not a number at step 2" in page.text
    assert "Best episodes" not in page.headings


def test_what_was_taken_back_is_not_shown(tmp_path, page_of):
    with MetricsLog(tmp_path / "sft" / "metrics.jsonl") as log:
        log.add(1, loss=2.0)
        log.add(900, loss=1.0)
        log.rewind(1)
    assert "1 steps" in page_of(write_report(tmp_path / "sft")).text


def test_a_run_that_learns_to_hack_says_so_at_its_head(tmp_path, page_of):
    with MetricsLog(tmp_path / "rl" / "metrics.jsonl") as log:
        log.add(1, hack_rate=0.5, loss=1.0)
    assert "The guard refused 50.0 % of the last rollouts" in page_of(write_report(tmp_path / "rl")).text


def test_groups_of_rollouts_stand_in_for_transcripts(tmp_path, page_of):
    folder = tmp_path / "rl"
    with MetricsLog(folder / "metrics.jsonl") as log:
        log.add(1, loss=1.0)
    sample = {"seed": 1, "trace": {"env_mask": [1, 1, 0]}, "reward": 1.0, "outcome": "fixed", "answers": ["2: a => b"], "seconds": 1.0}
    with Ledger(folder / "rollouts.jsonl") as ledger:
        ledger.add({"step": 4, "place": 0, "task": "t7", "samples": [sample, {**sample, "reward": None, "masked": "the machine"}]})
    page = page_of(write_report(folder))
    assert "2: a => b" in page.text
    assert "step 4 · fixed · 1 requests" in page.text
    assert "Worst episodes" not in page.headings


# --- evaluations, matrices, attributions


def test_an_evaluations_page_has_its_rates_controls_hacks_and_cost(tmp_path, page_of):
    folder = written(
        tmp_path / "rl",
        ["yy", "yn", "nh", "hh", "xn", "nn"] * 4,
        controls=[Control(kind="gold", task="t000", holds=False, reason="once"), Control(kind="gold", task="t000", holds=True)],
    )
    with Ledger(folder / EPISODES) as ledger:
        ledger.add(*(transcript(f"t{at:03}", reward=float(at % 2)) for at in range(24)))
    page = page_of(write_report(folder))
    assert page.headings[1:] == [
        *("What it solves", "How it works", "Hacks", "Cost", "Controls", "Lost runs"),
        *("Passes to read by hand", "Best episodes", "Worst episodes", "Identity"),
    ]
    for said in (
        "1 controls held only the second time",
        "4 lost runs: pass@1 lies between",
        "12 refused last patches pass the failing check",
        "24 tasks of 4 repositories, 44 runs",
        "pass^2",
    ):
        assert said in page.text


def test_a_drifted_or_unfinished_evaluation_says_so_at_its_head(tmp_path, page_of):
    wrong = [Control(kind="gold", task="t000", holds=False, reason="it is 2031")] * 2
    page = page_of(write_report(written(tmp_path / "a", ["yyy", "y"], controls=wrong)))
    assert "The environment drifted: gold control of task t000 after 0 runs: it is 2031" in page.text
    assert "It is not finished: 2 runs are missing" in page.text


def test_a_matrix_page_is_laid_out_as_the_seeds_table(tmp_path, page_of):
    rl = {"method": "rl", "trained_in": "simplified", "seed": "1", "policy": {"adapter": "a"}}
    full = {"tested_in": "full", "harness": {"pipeline": "full"}}
    folders = [
        written(tmp_path / "raw", share(2)),
        written(tmp_path / "rl", share(9), **rl),
        written(tmp_path / "raw-full", share(3), **full),
        written(tmp_path / "rl-full", ["xx", *share(3, 11)], **rl, **full),
        written(tmp_path / "rl-thinks", share(5), **rl | {"harness": {"thinking": True}}),
    ]
    write_json(tmp_path / "matrix" / MATRIX, matrix([load(each) for each in folders], named=["harness.pipeline"]))
    page = page_of(write_report(tmp_path / "matrix"))
    cells = [" ".join(text.split()) for text in page.texts if text.strip()]
    grid = cells[cells.index("policy") : cells.index("Does training pay more where it was done?")]
    assert grid[:3] == ["policy", "full, test", "simplified, test"]
    assert [each for each in grid if each.startswith(("raw", "RL"))] == ["raw", "RL (simplified)", "RL (simplified) *"]
    assert "37.5" in grid
    assert "n = 12 \N{MULTIPLICATION SIGN} 2" in grid
    assert sum("matched" in (attributes.get("class") or "") for tag, attributes in page.elements if tag == "td") == 2
    assert "RL (simplified) in full, test: 2 lost runs" in page.text
    assert "harness.pipeline" in page.text


def test_an_attribution_page_has_every_cost_with_its_interval(tmp_path, page_of):
    rl = {"method": "rl", "trained_in": "simplified", "seed": "1", "policy": {"adapter": "a"}}
    short = {"harness": {"budgets": {"steps": 2, "tokens": 400, "retries": 3}}}
    found = attribute(
        [load(written(tmp_path / "rl", share(9), **rl)), load(written(tmp_path / "raw", share(2)))],
        [load(written(tmp_path / "short", share(4), **rl, **short)), load(written(tmp_path / "raw-short", share(1), **short))],
    )
    write_json(tmp_path / "attribution" / ATTRIBUTION, found)
    page = page_of(write_report(tmp_path / "attribution"))
    for said in ("What each mismatch costs RL (simplified)", "budget: steps 2", "harness.budgets.steps", "+16.7 ("):
        assert said in page.text
    assert "Without the raw policy" not in page.text


def test_empty_results_have_pages_too(tmp_path, page_of):
    page_of(write_report(written(tmp_path / "lost", ["xx"])))
    write_json(tmp_path / "attribution" / ATTRIBUTION, attribute([load(written(tmp_path / "raw", ["y"]))], []))
    assert "No variant was measured" in page_of(write_report(tmp_path / "attribution")).text


# --- hostile text


def test_hostile_text_is_text_wherever_it_stands(tmp_path, training_run, page_of):
    said = {"text": HOSTILE, "reason": HOSTILE, "hacks": (HOSTILE,)}
    run = training_run(episodes=[transcript(HOSTILE, reward=reward, **said) for reward in (0.0, 1.0)])
    with MetricsLog(run / "metrics.jsonl") as log:
        log.add(31, **{HOSTILE: 1.0, f"tools/{HOSTILE}": 2.0, "$x^2$": 1.0, "_hidden": 1.0})
        log.add(32, **{HOSTILE: 1.0, "$x^2$": 1.0, "_hidden": 1.0})
    (run / "identity.json").write_bytes(msgspec.json.encode({HOSTILE.replace("\x00", ""): {HOSTILE: HOSTILE}}))
    page = page_of(write_report(run))
    assert "<script>alert(1)</script>" in page.text
    assert "⟨U+202E⟩gnp.exe" in page.text

    control = Control(kind="gold", task="t000", holds=None, reason=HOSTILE)
    evaluation = written(
        tmp_path / "hostile",
        ["yx", "hn"] * 3,
        controls=[control],
        policy={"name": HOSTILE},
        harness={"judge": HOSTILE},
        environment={"checks": {HOSTILE: {"command": [HOSTILE]}}},
        method=HOSTILE,
        trained_in=HOSTILE,
        tested_in=HOSTILE,
    )
    assert "<script>alert(1)</script>" in page_of(write_report(evaluation)).text
    write_json(tmp_path / "matrix" / MATRIX, matrix([load(evaluation)]))
    assert "<script>alert(1)</script>" in page_of(write_report(tmp_path / "matrix")).text


# --- the rest


def test_a_folder_of_nothing_is_refused_with_what_would_do(tmp_path):
    with pytest.raises(LedgerError, match="nothing to report on") as error:
        write_report(tmp_path)
    assert "evaluation.json" in error.value.remedy
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(LedgerError, match="no metric"):
        write_report(tmp_path)


def test_a_page_goes_where_it_is_told_and_is_the_same_every_time(training_run, tmp_path):
    folder = training_run()
    first = write_report(folder, tmp_path / "one.html").read_text()
    assert write_report(folder, tmp_path / "two.html").read_text() == first
    assert not (folder / "report.html").exists()


def test_matplotlib_keeps_its_settings(training_run):
    """Whoever writes a report from a program of their own finds matplotlib as it was."""
    folder = training_run()
    program = (
        "import sys, matplotlib as mpl\n"
        "before = dict(mpl.rcParams)\n"
        "from pathlib import Path\n"
        "from suture_training.report.build import write_report\n"
        "write_report(Path(sys.argv[1]))\n"
        "assert dict(mpl.rcParams) == before\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_best_and_worst_are_of_different_tasks_and_in_order():
    episodes = [
        transcript("a", requests=3),
        transcript("a", requests=1),
        transcript("b", requests=2),
        transcript("c", reward=0.0, requests=9),
        transcript("d", reward=0.0, requests=1, hacks=("x",)),
        transcript("e", reward=None),
    ]
    best, worst = best_and_worst(episodes)
    assert [(each.task, each.requests) for each in best] == [("a", 1), ("b", 2)]
    assert [each.task for each in worst] == ["d", "c"]
    assert len(best_and_worst([transcript(f"t{at}") for at in range(50)])[0]) == 6


def test_a_sample_is_random_and_the_same_every_time():
    episodes = [transcript(f"t{at}") for at in range(50)]
    found = drawn(episodes, 5)
    assert found == drawn(episodes, 5)
    assert [each.task for each in found] != [f"t{at}" for at in range(5)]
    assert len(drawn(episodes[:3], 5)) == 3


def test_a_diffs_lines_are_marked_and_its_heads_are_not():
    made = diff("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n")
    assert made.count('class="added"') == made.count('class="removed"') == made.count('class="place"') == 1
    assert made.count('class="same"') == 3


def test_figures_without_values_are_left_out():
    assert lines("t", "n", [Line(label="a", x=[1], y=[math.nan])]) == ""
    assert lines("t", "n", []) == ""
    assert stacked("t", "n", [], {}, y="s") == ""
    assert bars("t", "n", {}) == ""
    assert histogram("t", "n", [math.nan], x="x") == ""
    assert intervals("t", "n", [Bar(label="a", value=math.nan, low=0, high=1)], x="x") == ""
    assert "All 3 are 2." in histogram("t", "n", [2, 2, 2], x="x")


def test_a_moving_mean_leaves_gaps_out():
    assert moving([1.0, math.nan, 3.0]) == [1.0, 2.0, 3.0]
    assert math.isnan(moving([math.nan])[0])
    assert moving([2.0] * 100) == [2.0] * 100


def test_nothing_heavy_is_loaded_with_the_pages_code():
    program = "import sys, suture_training.report.build, suture_training.evaluation.run; print({'matplotlib', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
