"""`suture eval` and `suture report` as programs: what they print, keep, refuse, and their exit codes."""

from __future__ import annotations

import pytest

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

from evaluations import written  # it needs numpy, which comes with an extra


def share(solved, tasks=12):
    return ["yn"] * solved + ["nn"] * (tasks - solved)


@pytest.fixture
def folders(tmp_path):
    """Raw and RL, tested where RL was trained and elsewhere, and one variant of each."""
    rl = {"method": "rl", "trained_in": "simplified", "seed": "1", "policy": {"adapter": "a"}}
    full = {"tested_in": "full", "harness": {"pipeline": "full"}}
    short = {"harness": {"budgets": {"steps": 2, "tokens": 400, "retries": 3}}}
    made = {
        "raw": written(tmp_path / "raw", share(2)),
        "rl": written(tmp_path / "rl", share(9), **rl),
        "raw-full": written(tmp_path / "raw-full", share(3), **full),
        "rl-full": written(tmp_path / "rl-full", share(3), **rl, **full),
        "rl-short": written(tmp_path / "rl-short", share(4), **rl, **short),
    }
    return {name: str(path) for name, path in made.items()}


def test_compare_says_the_difference_and_what_it_rests_on(suture, folders):
    done = suture("eval", "compare", folders["raw"], folders["rl"])
    assert done.code == 0, done.err
    assert "difference: +29.2 (" in done.out
    assert "12 tasks of 4 repositories, 48 runs" in done.out
    assert "smallest difference that is seen with 80%" in done.out
    summary = suture("eval", "compare", folders["raw"], folders["rl"], "--json").summary
    assert summary["difference"]["value"] == pytest.approx(3.5 / 12)
    assert summary["mcnemar"] is None


def test_compare_takes_several_seeds_and_refuses_what_is_not_there(suture, folders, tmp_path):
    again = written(tmp_path / "rl2", share(10), method="rl", trained_in="simplified", seed="2", policy={"adapter": "b"})
    done = suture("eval", "compare", folders["raw"], f"{folders['rl']},{again}", "--json")
    assert done.summary["difference"]["seeds"] == 2
    missing = suture("eval", "compare", folders["raw"], "nowhere")
    assert missing.code == 2
    assert "nowhere" in missing.err
    empty = tmp_path / "empty"
    empty.mkdir()
    none = suture("eval", "compare", folders["raw"], empty)
    assert none.code == 2
    assert "evaluation.json" in none.err


def test_compare_refuses_other_fields_and_says_what_to_type(suture, folders):
    refused = suture("eval", "compare", folders["raw"], folders["rl-full"])
    assert refused.code == 2
    assert "harness.pipeline" in refused.err
    assert "--vary harness.pipeline" in refused.err
    assert suture("eval", "compare", folders["raw"], folders["rl-full"], "--vary", "harness.pipeline").code == 0


def test_a_matrix_is_shown_kept_and_made_a_page(suture, folders, tmp_path):
    four = [folders[name] for name in ("raw", "rl", "raw-full", "rl-full")]
    refused = suture("eval", "matrix", *four)
    assert refused.code == 2
    done = suture("eval", "matrix", *four, "--vary", "harness.pipeline", "--out", tmp_path / "matrix", "--json")
    assert done.code == 0, done.err
    assert done.summary["rows"] == ["raw", "RL (simplified)"]
    assert len(done.events("cell")) == 4
    (interaction,) = done.events("interaction")
    assert interaction["estimate"]["value"] == pytest.approx((4.5 - 1 - (1.5 - 1.5)) / 12)
    text = suture("eval", "matrix", *four, "--vary", "harness.pipeline").out
    assert "RL (simplified)" in text
    assert "37.5 (" in text
    page = suture("report", tmp_path / "matrix", "--json")
    assert page.code == 0, page.err
    assert page.summary["path"].endswith("report.html")
    assert "Trained in" in (tmp_path / "matrix" / "report.html").read_text()


def test_an_attribution_is_shown_and_kept(suture, folders, tmp_path):
    done = suture("eval", "attribute", folders["rl-short"], "--base", folders["rl"], "--out", tmp_path / "attribution")
    assert done.code == 0, done.err
    assert "budget: steps 2" in done.out
    assert "+20.8" in done.out
    assert suture("report", tmp_path / "attribution", "--out", tmp_path / "page.html").code == 0
    assert "What each mismatch costs" in (tmp_path / "page.html").read_text()
    both = suture("eval", "attribute", folders["rl-full"], folders["rl"], "--base", folders["rl"])
    assert both.code == 2
    assert "in nothing" in both.err


def test_power_says_what_is_needed(suture, folders):
    summary = suture("eval", "power", "--tasks", "200", "--runs", "4", "--difference", "5", "--json").summary
    assert summary["power"] == pytest.approx(0.77, abs=0.04)
    assert summary["tasks_needed"] > 200
    like = suture("eval", "power", "--like", folders["raw"], "--interaction")
    assert like.code == 0, like.err
    assert "see an interaction of 5 points" in like.out
    assert suture("eval", "power", "--tasks", "1").code == 2


def test_report_makes_pages_of_what_it_knows_only(suture, folders, tmp_path):
    done = suture("report", folders["raw"])
    assert done.code == 0, done.err
    assert (tmp_path / "raw" / "report.html").stat().st_size > 10_000
    other = tmp_path / "other"
    other.mkdir()
    refused = suture("report", other)
    assert refused.code == 2
    assert "nothing to report on" in refused.err
    assert "metrics.jsonl" in refused.err


def test_run_refuses_what_is_no_task_set(suture, tmp_path):
    pytest.importorskip("suture_training.tasks.store")
    (tmp_path / "tasks").mkdir()
    done = suture("eval", "run", tmp_path / "tasks", "--out", tmp_path / "out", "--policy", "scripted:none.jsonl")
    assert done.code == 2
    assert "no task set" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_task_set_is_measured_end_to_end(suture, shop, tmp_path, cache):
    """Tasks from a real workspace, a policy that plays answers, the real sandbox; then the page of it."""
    pytest.importorskip("suture_training.tasks.store")
    (shop / "cart.py").write_text((shop / "cart.py").read_text().replace("result = 1", "result = 0"))
    variables = {"XDG_CACHE_HOME": str(cache), "SUTURE_JOURNAL": "off"}
    made = suture("tasks", "make", shop, "--out", tmp_path / "set", "--count", "2", "--runs", "1", **variables)
    assert made.code in (0, 1), made.err
    script = tmp_path / "play.jsonl"
    script.write_text('{"text": "nonsense", "repeat": 0}\n')
    arguments = ("eval", "run", tmp_path / "set", "--policy", f"scripted:{script}", "--harness", "line", "--runs", "2", "--split", "train")
    done = suture(*arguments, "--out", tmp_path / "out", "--limit", "1", "--json", **variables)
    assert done.code == 0, done.err
    assert (done.summary["tasks"], done.summary["runs"], done.summary["drifted"]) == (1, 2, 0)
    assert done.summary["passed"]["value"] == 0
    assert {line["holds"] for line in done.events("control")} == {True}
    again = suture(*arguments, "--out", tmp_path / "out", "--limit", "1", **variables)
    assert again.code == 2
    assert "--resume" in again.err
    assert suture(*arguments, "--out", tmp_path / "out", "--limit", "1", "--resume", **variables).code == 0
    assert suture("report", tmp_path / "out").code == 0
