"""Real dependency drift through suture: `python tests/bench/bench_drift.py CASES --out DIR [--only ID] [--python 3.12=/path/to/python]`.

Every case of the folder is rebuilt (`drift_cases`), shown to fail by `suture check`, and repaired by `suture fix` with a scripted policy
that plays upstream's change, computed from the two releases. Each claim is then proven once more outside suture. DIR gets `drift.json` and
a plot. Exit code 1 where a case that could be rebuilt was not proven; a case that cannot be rebuilt here is named with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from drift_cases import CannotRebuild, Case, deletes_public_names, load, rebuild

PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")
BUDGET = 900


def main() -> None:
    """Run the cases, print a table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=lambda text: Path(text).resolve())
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--python", action="append", default=[], metavar="VERSION=PATH")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pythons = dict(item.split("=", 1) for item in options.python)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-drift-") as folder:
        for case in load(options.cases):
            if not options.only or case.id in options.only:
                results.append(measured(case, Path(folder), pythons, (options.out / "cache").resolve()))
                print(line(results[-1]), flush=True)
    (options.out / "drift.json").write_text(json.dumps({"cases": results}, indent=1) + "\n")
    plot(results, options.out / "drift.svg")
    rebuilt = [result for result in results if result["outcome"] != "not rebuilt"]
    proven = [result for result in rebuilt if result["outcome"] == "proven"]
    absent = len(results) - len(rebuilt)
    print(f"{len(proven)} of {len(rebuilt)} rebuilt cases failed and were then proven; {absent} could not be rebuilt here")
    sys.exit(0 if rebuilt and len(proven) == len(rebuilt) else 1)


def measured(case: Case, folder: Path, pythons: dict[str, str], cache: Path) -> dict[str, Any]:
    """What became of one case, with seconds of wall time."""
    cache.mkdir(parents=True, exist_ok=True)
    root, began = folder / case.id, time.monotonic()
    result: dict[str, Any] = {"id": case.id, "kind": case.table["kind"], "moved": case.table["drift"]["moved"]}
    try:
        turns = rebuild(case, root, pythons, cache)
    except (CannotRebuild, OSError) as error:
        return {**result, "outcome": "not rebuilt", "reason": str(error)}
    result["seconds_rebuild"] = round(time.monotonic() - began, 2)
    script = folder / f"{case.id}.jsonl"
    script.write_text("\n".join(turns) + "\n")
    environ = own_environment(folder, case)
    if deletes_public_names(case, root, turns):
        environ["SUTURE_GUARD__ALLOW_DELETIONS"] = "true"
    result["allowed"] = sorted(name.partition("__")[2].lower() for name in environ if name.startswith("SUTURE_GUARD"))
    checked, result["seconds_check"] = run(["check", "--json"], root, environ)
    failing = [entry for entry in checked if entry["event"] == "check" and entry["name"] == "tests" and entry["status"] == "failed"]
    result["findings"] = sum(entry["findings"] for entry in failing)
    if not failing:
        return {**result, "outcome": "did not fail", "reason": said(checked)}
    fixed, result["seconds_fix"] = run(["fix", "--json", "--apply", "--check", "tests", "--policy", f"scripted:{script}"], root, environ)
    summary = next((entry for entry in fixed if entry["event"] == "summary"), {})
    result |= {key: summary.get(key) for key in ("problems", "fixed", "unfixed", "infrastructure", "environment")}
    verdicts = [entry for entry in fixed if entry["event"] == "verdict" and entry["passed"]]
    result["tests_fixed"] = sum(len(entry["fixed"]) for entry in verdicts)
    if not verdicts or summary.get("unfixed") or summary.get("infrastructure"):
        return {**result, "outcome": "not proven", "reason": said(fixed)}
    again, result["seconds_plain"] = plain(case, root)
    return {**result, "outcome": "proven" if again == "" else "false claim", "reason": again}


def own_environment(folder: Path, case: Case) -> dict[str, str]:
    """Settings, data and journal of this case alone. Where upstream changed setup.py, the user allows edits of configuration."""
    places = {name: str(folder / f"{case.id}-{name}") for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUTURE_", "PYTHONDONTWRITE"))}
    allowed = {"SUTURE_GUARD__ALLOW_CONFIGURATION_EDITS": "true"} if "setup.py" in case.table["gold"]["files"] else {}
    return {**kept, **places, **allowed, "XDG_CACHE_HOME": str(folder / "cache")}


def run(arguments: list[str], root: Path, environ: dict[str, str]) -> tuple[list[dict[str, Any]], float]:
    """The program's JSON lines and its seconds."""
    began = time.monotonic()
    done = subprocess.run([*PROGRAM, *arguments], cwd=root, env=environ, capture_output=True, text=True, timeout=BUDGET, check=False)
    lines = [json.loads(text) for text in done.stdout.splitlines()]
    return [*lines, {"event": "stderr", "text": done.stderr[-2000:], "code": done.returncode}], round(time.monotonic() - began, 2)


def plain(case: Case, root: Path) -> tuple[str, float]:
    """The case's own command on the applied result, without suture; empty where it passes, else what it says."""
    path = f"{root / '.venv' / 'bin'}:/usr/bin:/bin"
    environ = {**case.table["env"], "PATH": path, "HOME": str(root.parent), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    began = time.monotonic()
    done = subprocess.run(
        ["sh", "-c", case.table["command"]], cwd=root, env=environ, capture_output=True, text=True, timeout=BUDGET, check=False
    )
    return ("" if done.returncode == 0 else (done.stdout + done.stderr)[-500:]), round(time.monotonic() - began, 2)


def said(entries: list[dict[str, Any]]) -> str:
    """Why a run did not do what it should, as it says itself."""
    told = [
        str(entry.get("reason") or entry.get("guard") or entry.get("text")) for entry in entries if entry["event"] in ("repair", "stderr")
    ]
    refused = [str(entry["guard"]) for entry in entries if entry["event"] == "verdict" and entry.get("guard")]
    return " | ".join([*refused, *told])[-1500:]


def line(result: dict[str, Any]) -> str:
    """One row of the table."""
    seconds = "  ".join(f"{name} {result.get(f'seconds_{name}', 0):6.1f} s" for name in ("rebuild", "check", "fix", "plain"))
    reason = f"\n    {result['reason']}" if result.get("reason") else ""
    reason += f"\n    allowed by the user: {', '.join(result['allowed'])}" if result.get("allowed") else ""
    return f"{result['id']:16} {result['outcome']:12} {result.get('tests_fixed', 0):4} fixed  {seconds}{reason}"


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Seconds of each step, a bar a case."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [result for result in results if result["outcome"] != "not rebuilt"]
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(shown) + 1.2))
    left = [0.0] * len(shown)
    for step in ("rebuild", "check", "fix", "plain"):
        widths = [float(result.get(f"seconds_{step}", 0)) for result in shown]
        axes.barh([f"{result['id']} ({result['outcome']})" for result in shown], widths, left=left, label=step)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel("seconds of wall time")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    if shutil.which("git") is None:
        sys.exit("git is needed")
    main()
