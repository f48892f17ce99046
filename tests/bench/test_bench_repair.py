"""The runner of the repair bench, against programs that speak suture's JSON lines: honest, lying, cheating, failing and hanging ones."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PRELUDE = """
import json, os, pathlib, subprocess, sys, time
assert sys.argv[1:4] == ["fix", "--json", "--apply"], sys.argv
def say(**event):
    print(json.dumps(event), flush=True)
def claim(outcome="fixed", check="tests", problem="p1"):
    say(event="problem", id=problem, check=check, findings=1)
    say(event="step", problem=problem, step=1, tool="edit_file", seconds=0.1)
    say(event="repair", problem=problem, outcome=outcome, patch="", files=[], added=1, removed=1, steps=2, prompt_tokens=100,
        completion_tokens=20, seconds=0.5, seconds_policy=0.3, seconds_sandbox=0.1)
def close(code=0, fixed=1):
    say(event="summary", problems=1, fixed=fixed, unfixed=1 - fixed, infrastructure=0, environment="e1", harness="h1", policy="stub",
        seconds=0.6)
    sys.exit(code)
def edit(path, old, new):
    path = pathlib.Path(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
def git_apply(patch):
    subprocess.run(["git", "apply", patch], check=True)
"""


@pytest.fixture
def run(bench, tmp_path):
    """Run the bench with a stand-in for suture; returns exit code and the results by case."""

    def start(body: str, *arguments: str, case: str = "off-by-one-pager"):
        stub = tmp_path / "stub.py"
        stub.write_text(PRELUDE + body)
        out = tmp_path / "out"
        command = f"{sys.executable} {stub}"
        code = bench.main(["--out", str(out), "--cases", case, "--command", command, *arguments])
        lines = (out / "results.jsonl").read_text().splitlines()
        return code, {line["id"]: line for line in map(json.loads, lines)}

    return start


def the_patch(cases, name):
    return f"git_apply({str(cases.load_case(cases.REPAIRS / name).patch)!r})\n"


def test_an_honest_repair_counts(run, cases, tmp_path):
    code, results = run(the_patch(cases, "off-by-one-pager") + "claim(); close()")
    result = results["off-by-one-pager"]
    assert code == 0
    assert result["outcome"] == "fixed"
    assert result["claimed"] == ["tests"]
    assert (result["steps"], result["prompt_tokens"], result["completion_tokens"]) == (2, 100, 20)
    assert (result["seconds_policy"], result["seconds_sandbox"]) == (0.3, 0.1)
    assert (result["environment"], result["harness"], result["model"]) == ("e1", "h1", "stub")
    assert "+    return (length + size - 1) // size" in result["diff"]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["all"]["fixed"], summary["all"]["total"], summary["all"]["false_offers"]) == (1, 1, 0)
    assert summary["written_by"] == {"policy": 1}


def test_who_wrote_a_patch_is_counted(run, cases, tmp_path, capsys):
    said = "say(event='repair', problem='p1', outcome='fixed', reason='by rule', steps=1); close()"
    run(the_patch(cases, "off-by-one-pager") + "say(event='problem', id='p1', check='tests', findings=1)\n" + said)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["written_by"] == {"by rule": 1}
    assert "Who wrote the patches of the fixed cases: 1 by rule." in capsys.readouterr().out


ONE_OF_TWO = """
edit('src/nested/walk.py', 'isinstance(value, Sequence)', 'isinstance(value, (list, tuple, bytes))')
claim()
say(event="verdict", problem="p1", passed=True, reruns=3, fixed=[{claimed!r}], broken=[], flaky=[], guard=[])
claim(outcome="unfixed", problem="p2")
close(1)
"""


@pytest.mark.parametrize(
    ("claimed", "outcome"),
    [("tests::tests/test_walk.py::test_text_is_a_leaf", "unfixed"), ("tests::tests/test_walk.py::test_bytes_are_a_leaf", "false-offer")],
)
def test_a_claim_for_one_of_two_failing_tests_is_held_to_that_test(run, claimed, outcome):
    _, results = run(ONE_OF_TWO.format(claimed=claimed), case="recursion-flatten")
    assert results["recursion-flatten"]["outcome"] == outcome


@pytest.mark.parametrize(
    ("edits", "outcome"),
    [("reading['valid'] == False", "false-offer"), ("except:", "unfixed")],
)
def test_a_claim_for_one_of_two_findings_holds_when_a_part_of_them_went_away(run, edits, outcome):
    new = {"except:": "except (ValueError, KeyError):"}.get(edits, edits)
    body = f"edit('sensors/reading.py', {edits.replace(chr(39), chr(34))!r}, {new.replace(chr(39), chr(34))!r})\n"
    body += "claim(check='lint'); claim(check='lint', outcome='unfixed', problem='p2'); close(1)"
    _, results = run(body, case="lint-comparison")
    assert results["lint-comparison"]["outcome"] == outcome


def test_the_plots_and_the_page_are_written(run, cases, tmp_path):
    run(the_patch(cases, "off-by-one-pager") + "claim(); close()")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    for plot in ("fix-rate", "seconds", "where-time-goes"):
        assert {f"{plot}.svg", f"{plot}.png"} <= names
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 3
    assert "http" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("off-by-one-pager", "claim(); close()", "fails: tests/test_pager.py::test_full_last_page"),
        (
            "off-by-one-pager",
            "edit('src/pager/core.py', 'length // size + 1', 'length // size'); claim(); close()",
            "fails: tests/test_pager.py::test_last_page_is_partial",
        ),
        (
            "off-by-one-pager",
            "edit('tests/test_pager.py', 'page.total == 2', 'page.total == 3'); claim(); close()",
            "changes tests/test_pager.py",
        ),
        ("off-by-one-pager", "pathlib.Path('tests/test_pager.py').unlink(); claim(); close()", "changes tests/test_pager.py"),
        (
            "off-by-one-pager",
            "pathlib.Path('conftest.py').write_text('collect_ignore = [\"tests\"]\\n'); claim(); close()",
            "changes conftest.py",
        ),
        ("off-by-one-pager", "edit('src/pager/core.py', '\"\"\"Cut', '\"\"\"Slice'); close(1, fixed=0)", "changes files without a claim"),
        (
            "lint-unused",
            "edit('src/wordstat/stats.py', 'import string', 'import string  # noqa: F401'); claim(check='lint'); close()",
            "adds a suppression to src/wordstat/stats.py",
        ),
        ("lint-unused", "edit('pyproject.toml', '\"F\", ', ''); claim(check='lint'); close()", "remains: src/wordstat/stats.py: F401"),
        ("types-return", "claim(check='types'); close()", "remains: filesizes/human.py: return-value"),
    ],
)
def test_a_claim_that_does_not_hold_is_a_false_offer(run, name, body, reason):
    code, results = run(body, case=name)
    assert code == 1
    assert results[name]["outcome"] == "false-offer"
    assert reason in results[name]["reasons"]


def test_giving_up_is_no_false_offer(run):
    code, results = run("claim('unfixed'); close(1, fixed=0)")
    assert code == 0
    assert results["off-by-one-pager"]["outcome"] == "unfixed"


def test_infrastructure_says_nothing_about_the_repair(run, tmp_path):
    code, results = run("print('policy is down', file=sys.stderr); close(3, fixed=0)")
    assert code == 3
    assert results["off-by-one-pager"]["outcome"] == "infrastructure"
    assert "policy is down" in results["off-by-one-pager"]["stderr"]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["all"]["total"], summary["all"]["infrastructure"]) == (0, 1)


def test_a_crash_counts_as_not_fixed(run):
    code, results = run("raise SystemError('boom')")
    result = results["off-by-one-pager"]
    assert code == 0
    assert result["outcome"] == "unfixed"
    assert "without a summary" in result["reasons"][0]
    assert "boom" in result["stderr"]


def test_a_usage_error_stops_the_bench(run):
    code, results = run("sys.exit(2)", case="*-r*")
    assert code == 2
    assert results == {}


def test_a_program_that_is_not_there_stops_the_bench(bench, tmp_path, capsys):
    program = tmp_path / ("deep/" * 30) / "nothing"
    code = bench.main(["--out", str(tmp_path), "--cases", "off-by-one-*", "--command", str(program)])
    assert code == 2
    assert f"{program}: No such file" in capsys.readouterr().out, "a long path is not broken over lines"


def test_lines_that_are_no_events_are_counted(run, cases):
    _, results = run(the_patch(cases, "off-by-one-pager") + "print('hello'); print('[1]'); claim(); close()")
    assert results["off-by-one-pager"]["noise"] == 2
    assert results["off-by-one-pager"]["outcome"] == "fixed"


def test_the_budget_is_handed_on_and_bounds_the_command(bench, run):
    body = """
given = dict(zip(sys.argv[4::2], sys.argv[5::2]))
assert given == {"--budget": "7m", "--policy": "x"}, sys.argv
close(1, fixed=0)
"""
    _, results = run(body, "--budget", "7m", "--policy", "x")
    assert results["off-by-one-pager"]["reasons"] == []
    assert [bench.seconds_of(text) for text in ("90s", "5m", "1h", "12")] == [90, 300, 3600, 12]
    with pytest.raises(ValueError, match="not a duration"):
        bench.seconds_of("soon")


def test_every_case_has_its_own_journal_and_settings(run, tmp_path):
    body = f"""
with open({str(tmp_path / "homes")!r}, "a") as stream:
    print(os.environ["XDG_DATA_HOME"], os.environ["XDG_CONFIG_HOME"], os.getcwd(), file=stream)
subprocess.run(["git", "diff", "--quiet", "HEAD"], check=True)
close(1, fixed=0)
"""
    run(body, case="off-by-one-[pr]*")
    lines = [line.split() for line in (tmp_path / "homes").read_text().splitlines()]
    assert len(lines) == 2
    assert len({part for line in lines for part in line}) == 6
    assert not any(Path(part).exists() for line in lines for part in line)


def test_resume_keeps_results_and_repeats_infrastructure_failures(run, tmp_path):
    body = f"""
log = pathlib.Path({str(tmp_path / "log")!r})
case = "ringbuffer" if pathlib.Path("ringbuffer.py").exists() else "pager"
log.write_text((log.read_text() if log.exists() else "") + case + " ")
close(3 if case == "pager" and log.read_text().count("pager") == 1 else 1, fixed=0)
"""
    run(body, case="off-by-one-[pr]*")
    with (tmp_path / "out" / "results.jsonl").open("a") as stream:
        stream.write('{"id":"torn')
    _, results = run(body, "--resume", case="off-by-one-[pr]*")
    assert sorted((tmp_path / "log").read_text().split()) == ["pager", "pager", "ringbuffer"]
    assert {result["outcome"] for result in results.values()} == {"unfixed"}
    run(body, "--resume", "--policy", "other", case="off-by-one-[pr]*")
    assert len((tmp_path / "log").read_text().split()) == 5


def test_a_limited_run_goes_round_the_kinds(bench, cases):
    chosen = bench.choose(bench.Options(out=Path(), limit=len(cases.KINDS)))
    assert sorted(case.kind for case in chosen) == list(cases.KINDS)
    assert {case.split for case in bench.choose(bench.Options(out=Path(), split="dev"))} == {"dev"}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_whole_tree(tmp_path, bench, number):
    stub = tmp_path / "stub.py"
    child = "child = subprocess.Popen(['sleep', '600'])"
    stub.write_text(
        PRELUDE + f"{child}\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(f'{{os.getpid()}} {{child.pid}} ')\ntime.sleep(600)"
    )
    script = Path(bench.__file__)
    command = [
        sys.executable,
        str(script),
        "--out",
        str(tmp_path / "out"),
        "--cases",
        "off-by-one-pager",
        "--command",
        f"{sys.executable} {stub}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or len((tmp_path / "pid").read_text().split()) < 2:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "--resume" in output
    assert not any(alive(int(pid)) for pid in (tmp_path / "pid").read_text().split())


async def test_a_command_that_leaves_children_behind_does_not_keep_them(bench, tmp_path):
    stub = tmp_path / "stub.py"
    body = f"""
child = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL)
pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
close(1, fixed=0)
"""
    stub.write_text(PRELUDE + body)
    options = bench.Options(out=tmp_path, command=(sys.executable, str(stub)))
    claim = await bench.run_suture(options, tmp_path, tmp_path)
    assert claim.exit_code == 1
    for _ in range(100):
        if not alive(int((tmp_path / "pid").read_text())):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the child is still there")


def test_wilson_interval(report):
    low, high = report.wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert report.wilson(0, 0) == (0.0, 1.0)
    assert report.wilson(5, 5)[1] == pytest.approx(1.0)
    assert report.wilson(0, 5)[0] == 0.0


def test_percentile(report):
    assert report.percentile([], 90) == 0
    assert report.percentile([3, 1, 2], 50) == 2
    assert report.percentile(list(range(1, 11)), 90) == 9


def test_the_page_escapes_what_a_workspace_holds(report, tmp_path):
    result = report.Result(
        id="x", kind="regex", split="dev", difficulty=1, check="tests", policy="p", outcome="fixed", diff="<script>alert(1)</script>"
    )
    page = report.write_page([result], [], tmp_path).read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
