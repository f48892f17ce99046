"""Flaky tests: `python tests/bench/bench_flaky.py --out DIR [--tests 200] [--workspaces 50] [--seed N]`.

Two questions. How many of the injected flaky tests does a hunt find, and how many healthy ones does it accuse? And, end to end: does a
flaky test beside a real failure ever make or break an offer, when nothing is known of it beforehand? For the second a scripted policy mends
the real failure rightly, and offers a useless edit for every failure of a flaky test that it is asked about.

`DIR` gets `flaky.json` and `flaky.png`/`.svg`. What it does not show: the templates are written by the authors of the hunt, and small.
Exit code 1 when a flaky test made or broke an offer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from flaky_templates import HEAD, TEMPLATES, module

from suture_agent.batch import Options, fix_workspace
from suture_agent.events import Event, ProblemDropped, RepairDone, VerdictReached
from suture_agent.harness import harness_for
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, OnText, PolicyIdentity, ToolCall
from suture_agent.record import NoRecorder
from suture_sandbox.checks import Check
from suture_sandbox.detect.testing import PYTEST
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.flaky.hunt import Hunt, hunt
from suture_sandbox.flaky.perturb import STANDARD, Perturbation
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

PER_MODULE = 10
RATES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""How often a flaky test of the second part fails by itself."""
VARIABLES = {"PYTHONHASHSEED": "0", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "LC_ALL": "C.UTF-8"}
CHECK = Check(
    name="tests", kind="tests", command=(*PYTEST, "-p", "no:cacheprovider"), report="pytest", timeout=300, selectable=True, tool="pytest"
)


def sandbox() -> Sandbox:
    """This interpreter's environment with one check."""
    path = (f"{sys.prefix}/bin", "/usr/bin", "/bin")
    runtime = Runtime(python=sys.executable, search_path=path, readonly=(sys.prefix, sys.base_prefix), variables=VARIABLES)
    return Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": CHECK}), runtime, Limits(seconds=300)))


async def hunt_kind(
    kind: str, number: int, seed: int, folder: Path, *, say: bool = True, perturbations: Sequence[Perturbation] = STANDARD
) -> dict[str, Any]:
    """Inject so many flaky tests of a kind, each with its twin, and hunt."""
    for first in range(0, number, PER_MODULE):
        text = module(kind, range(first, min(number, first + PER_MODULE)), seed)
        (folder / f"test_part{first // PER_MODULE}.py").write_text(text)
    where = sandbox()
    began = time.monotonic()
    try:
        found = await hunt(where, CHECK, Snapshot(folder), perturbations=perturbations)
    finally:
        await where.close()
    figures = counted(kind, number, found) | {"seconds": round(time.monotonic() - began, 1)}
    if say:
        print(json.dumps({name: value for name, value in figures.items() if name != "missed"}), flush=True)
    return figures


def counted(kind: str, number: int, found: Hunt) -> dict[str, Any]:
    """Recall, false alarms and named kinds."""
    names = {each.test.rpartition("::")[2]: each for each in found.flaky}
    hits = [names[f"test_flaky_{n}"] for n in range(number) if f"test_flaky_{n}" in names]
    false = sorted(name for name in names if not name.startswith("test_flaky_"))
    healthy = sum("::test_flaky_" not in test for test in found.steady) + len(false)
    return {
        "kind": kind,
        "injected": number,
        "found": len(hits),
        "recall": round(len(hits) / number, 3),
        "healthy": healthy,
        "false_alarms": len(false),
        "accused": [f"{name}: {names[name].kind} {dict(names[name].by)}" for name in false],
        "named_rightly": sum(each.kind == kind for each in hits),
        "named": dict(Counter(each.kind for each in hits)),
        "missed": {n: TEMPLATES[kind][n % len(TEMPLATES[kind])].__name__ for n in range(number) if f"test_flaky_{n}" not in names},
        "runs": found.runs,
        "lost": found.lost,
    }


def make_workspace(folder: Path, number: int, seed: int) -> dict[str, Any]:
    """A real failure with flaky tests beside it: one that fails by itself at a drawn rate, one of a kind that depends on circumstances."""
    draw = random.Random(f"{seed}-workspace-{number}")
    rate, kind = RATES[number % len(RATES)], [*TEMPLATES][number // len(RATES) % len(TEMPLATES)]
    template = draw.choice(TEMPLATES[kind])
    (folder / "shop.py").write_text("def total(prices):\n    return sum(prices) - 1\n\n\ndef count(prices):\n    return len(prices)\n")
    (folder / "noise.py").write_text("LEVEL = 1\n")
    (folder / "test_shop.py").write_text(
        "from shop import count, total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n\n\n"
        "def test_count():\n    assert count([1, 2]) == 2\n"
    )
    # drawn from the system, so that nothing of the environment decides it
    (folder / "test_chance.py").write_text(
        "import random\n\nfrom noise import LEVEL\n\n\n"
        f"def test_flaky_chance():\n    assert LEVEL and random.SystemRandom().random() >= {rate}\n"
    )
    (folder / "test_kind.py").write_text(HEAD + template(number, draw))
    return {"rate": rate, "kind": kind, "template": template.__name__}


class Player:
    """Mends the real failure, makes a useless edit for any other, and submits. Goes by what it is told first, whatever it sees then."""

    capability = Capability(context=32_768, tools=True, prefill=True, thinking=False, parallel=8)

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return PolicyIdentity(name="player", server="bench")

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """One tool call."""
        told = next(message.content for message in request.messages if message.role == "user")
        real = 0 <= told.find("test_total") < (told.find("test_flaky_") if "test_flaky_" in told else len(told))
        shop = {"path": "shop.py", "search": "sum(prices) - 1", "replace": "sum(prices)"}
        edit = shop if real else {"path": "noise.py", "search": "LEVEL = 1", "replace": "LEVEL = 2"}
        begun = any(message.role == "assistant" for message in request.messages)
        call = ToolCall(id=str(len(request.messages)), name="submit" if begun else "edit_file", arguments=json.dumps({} if begun else edit))
        return Completion(choices=(Choice(tool_calls=(call,), finish="tool_calls"),))

    async def close(self) -> None:
        """Nothing is open."""


async def end_to_end(number: int, seed: int, folder: Path) -> dict[str, Any]:
    """One workspace: what was offered, and what a flaky test had to do with it."""
    about = make_workspace(folder, number, seed)
    events: list[Event] = []
    where = sandbox()
    began = time.monotonic()
    try:
        summary = await fix_workspace(
            Snapshot(folder),
            where,
            Player(),
            NoRecorder(),
            events.append,
            Options(),
            harness_of=lambda chosen, _identity: msgspec.structs.replace(
                harness_for(chosen.capability), budgets=msgspec.structs.replace(harness_for(chosen.capability).budgets, steps=3)
            ),
        )
    finally:
        await where.close()
    offers = [each for each in summary.repairs if each.outcome == "fixed"]
    made = [name for each in offers for name in each.verdict.fixed if "test_flaky_" in name]  # type: ignore[union-attr]  # an offer has one
    mended = any("tests::test_shop.py::test_total" in each.verdict.fixed for each in offers)  # type: ignore[union-attr]  # the same
    refusals = [event.verdict.reason for event in events if isinstance(event, VerdictReached) and not event.verdict.passed]
    return about | {
        "number": number,
        "mended": mended,
        "made": made,
        "broke": not mended,
        "why": [] if mended else [*refusals, *(event.reason for event in events if isinstance(event, RepairDone | ProblemDropped))],
        "refused": len(refusals),
        "dropped": summary.dropped + summary.flaky,
        "flaky_set_aside": sorted({name for each in offers for name in each.verdict.flaky}),  # type: ignore[union-attr]  # the same
        "infrastructure": summary.infrastructure,
        "seconds": round(time.monotonic() - began, 1),
    }


async def measure(tests: int, workspaces: int, seed: int) -> dict[str, Any]:
    """All figures."""
    load = os.getloadavg()
    kinds: list[dict[str, Any]] = []
    for kind in TEMPLATES if tests else ():
        with tempfile.TemporaryDirectory() as folder:
            kinds.append(await hunt_kind(kind, tests // len(TEMPLATES), seed, Path(folder).resolve()))  # noqa: ASYNC240  # nothing else runs
    runs: list[dict[str, Any]] = []
    for number in range(workspaces):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(await end_to_end(number, seed, Path(folder).resolve()))  # noqa: ASYNC240  # the same
            print(json.dumps(runs[-1]), flush=True)
    return {
        "seed": seed,
        "cores": os.cpu_count(),
        "load_before": [round(value, 2) for value in load],
        "load_after": [round(value, 2) for value in os.getloadavg()],
        "hunt": kinds,
        "end_to_end": {
            "workspaces": len(runs),
            "offers_made_by_flaky_tests": sum(bool(each["made"]) for each in runs),
            "offers_broken_by_flaky_tests": sum(each["broke"] for each in runs),
            "real_failures_mended": sum(each["mended"] for each in runs),
            "flaky_failures_dropped": sum(each["dropped"] for each in runs),
            "proofs_refused": sum(each["refused"] for each in runs),
            "infrastructure": sum(each["infrastructure"] for each in runs),
            "runs": runs,
        },
    }


def draw(figures: dict[str, Any], out: Path) -> None:
    """Recall, false alarms and rightly named kinds, by kind."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    kinds = figures["hunt"]
    chart, axes = plt.subplots(figsize=(8, 3.6))
    bars = (
        ("found", [100 * each["recall"] for each in kinds], "#2f7d4f"),
        ("named rightly, of those found", [100 * each["named_rightly"] / max(1, each["found"]) for each in kinds], "#37618e"),
        ("healthy tests accused", [100 * each["false_alarms"] / max(1, each["healthy"]) for each in kinds], "#b5473c"),
    )
    for place, (label, values, colour) in enumerate(bars):
        drawn = axes.bar([index + 0.27 * (place - 1) for index in range(len(kinds))], values, 0.25, label=label, color=colour)
        axes.bar_label(drawn, fmt="%.0f", fontsize=8)
    axes.set_xticks(
        range(len(kinds)), [f"{each['kind']}\n({each['injected']} flaky, {each['healthy']} healthy)" for each in kinds], fontsize=8
    )
    axes.set_ylim(0, 112)
    axes.set_ylabel("%")
    whole = figures["end_to_end"]
    axes.set_title(
        f"One hunt; end to end in {whole['workspaces']} workspaces flaky tests made {whole['offers_made_by_flaky_tests']}"
        f" and broke {whole['offers_broken_by_flaky_tests']} offers",
        fontsize=9,
    )
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
    chart.tight_layout()
    for ending in ("png", "svg"):
        chart.savefig(out / f"flaky.{ending}", dpi=150)
    plt.close(chart)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tests", type=int, default=200, help="flaky tests in all, over five kinds")
    parser.add_argument("--workspaces", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(measure(chosen.tests, chosen.workspaces, chosen.seed))
    (chosen.out / "flaky.json").write_text(json.dumps(figures, indent=1) + "\n")
    draw(figures, chosen.out)
    whole = {name: value for name, value in figures["end_to_end"].items() if name != "runs"}
    print(json.dumps(whole))
    return 1 if whole["offers_made_by_flaky_tests"] or whole["offers_broken_by_flaky_tests"] else 0


if __name__ == "__main__":
    sys.exit(main())
