"""What an export costs: `python tests/bench/bench_export.py --out DIR [--episodes 100000] [--format parquet jsonl] [--keep]`.

A journal of synthetic episodes is made, then exported by the function behind `suture journal export`, in processes of their own whose
resident memory is sampled. Two fifths of the episodes are conversations with tools (harness `agent`), the others single answers (`direct`);
their texts are cut out of Python's standard library. 400 entries are made as the recorder makes them, with the search for secrets; the
others are those entries with words of their own put in. All are written by `Journal.write_episode`, with fsync switched off: making
100,000 entries as a run does takes a quarter of an hour, for that search.

Leaves `export.json` and `export.svg`. Exit code 1: fewer rows a second than 10,000, or memory that grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil

from suture_agent.harness import Harness, harness_for
from suture_agent.journal.blobs import Blob, Unpacker, pack
from suture_agent.journal.entries import EpisodeEntry, episode_entry, run_entry
from suture_agent.journal.store import Journal
from suture_agent.meter import Turn, Usage
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, Message, PolicyIdentity, ToolCall
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_agent.tools import SCHEMAS
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict

WANTED = 10_000
"""Rows a second."""
MOST_GROWTH = 1.15
"""Median memory of the last third of a run, in that of the middle third."""
TEMPLATES = 400
SHARE_OF_TOOLS = 0.4
MARK = "qqwordqq"
"""Stands in a template where every episode has a word of its own."""
POLICY = PolicyIdentity(name="synthetic-teacher", base="b" * 64, server="bench 1")
ENVIRONMENT = Environment(
    EnvironmentFields(os={"id": "debian", "version": "12"}, toolchain={"version": "3.11.2"}),
    Runtime(python="/p", search_path=(), readonly=()),
)
CAPABLE = Capability(context=32_768, tools=True, prefill=True)
EXPORT = """
import json, resource, sys, time
from pathlib import Path
from suture_training.data.build import Options
from suture_training.data.export import Wanted, export
def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
print("ready", flush=True)
began, before = time.perf_counter(), cpu()
def told(done, total):
    print(json.dumps({"at": time.perf_counter() - began, "done": done}), flush=True)
wanted = Wanted(options=Options(kind="sft", format=sys.argv[3]), allowed=("harness",))
summary = export(Path(sys.argv[1]), Path(sys.argv[2]), wanted, told=told, processes=int(sys.argv[4]) or None)
spent = {"seconds": time.perf_counter() - began, "cpu_seconds": cpu() - before}
size = sum(shard.bytes for shard in summary.shards)
mean = summary.figures.characters.mean
print(json.dumps({"rows": summary.figures.rows, "left_out": summary.left_out, "bytes": size, "characters": mean, **spent}), flush=True)
"""


def sources() -> list[list[str]]:
    """Lines of modules of the standard library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    return [path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.py")) if path.stat().st_size > 20_000]


def piece(chance: random.Random, texts: list[list[str]], lines: int) -> str:
    """Some lines of one of them."""
    text = chance.choice(texts)
    at = chance.randrange(max(1, len(text) - lines))
    return "\n".join(text[at : at + lines])


def conversation(chance: random.Random, texts: list[list[str]]) -> tuple[Turn, ...]:
    """A repair with tools: the failure, what was read, an edit, the check, a submission."""
    messages = [
        Message(role="system", content="You repair failing checks in a code base. You work with tools."),
        Message(role="user", content=f"The check `tests` fails in {MARK}.\n\n{piece(chance, texts, 20)}"),
    ]
    turns: list[Turn] = []
    names = [chance.choice(["read_file", "find_text", "read_file", "run_check"]) for _ in range(chance.randrange(1, 6))]
    for number, name in enumerate([*names, "edit_file", "run_check", "submit"]):
        arguments = {"path": f"src/{MARK}/part{number}.py", "start": number * 40}
        if name == "edit_file":
            arguments = {"path": f"src/{MARK}/core.py", "search": piece(chance, texts, 2), "replace": piece(chance, texts, 3)}
        call = ToolCall(id=f"call_{number}", name=name, arguments=json.dumps(arguments))
        choice = Choice(text="I look at it." if number == 0 else "", tool_calls=(call,), finish="tool_calls")
        request = ChatRequest(messages=tuple(messages), tools=SCHEMAS, max_tokens=4096)
        turns.append(Turn(request=request, completion=Completion(choices=(choice,), prompt_tokens=900, completion_tokens=60)))
        reply = f"edited src/{MARK}/core.py" if name == "edit_file" else piece(chance, texts, chance.randrange(4, 30))
        messages += [
            Message(role="assistant", content=choice.text, tool_calls=(call,)),
            Message(role="tool", tool_call_id=call.id, name=name, content=reply),
        ]
    return tuple(turns)


def single(chance: random.Random, texts: list[list[str]]) -> tuple[Turn, ...]:
    """A repair by one answer."""
    asked = Message(role="user", content=f"AssertionError in {MARK}\n\nFile `src/{MARK}.py`:\n```python\n{piece(chance, texts, 40)}\n```")
    request = ChatRequest(
        messages=(Message(role="system", content="You repair Python code."), asked), prefill="```python\ndef", stop=("```",), max_tokens=900
    )
    choice = Choice(text=f" {MARK}(self):\n{piece(chance, texts, 12)}\n")
    return (Turn(request=request, completion=Completion(choices=(choice,), prompt_tokens=700, completion_tokens=160)),)


def template(chance: random.Random, texts: list[list[str]], root: Path, harnesses: dict[bool, Harness]) -> EpisodeEntry:
    """One episode as the recorder would write it."""
    tools = chance.random() < SHARE_OF_TOOLS
    turns = conversation(chance, texts) if tools else single(chance, texts)
    place = Range(Position(3, 0), Position(3, 9))
    finding = Finding(check="tests", path=f"src/{MARK}.py", range=place, code="AssertionError", message=f"{MARK} is wrong")
    problem = Problem(
        id=f"{chance.getrandbits(48):012x}", snapshot=Snapshot(root), target=Target(check="tests", findings=(finding,)), before=()
    )
    before = piece(chance, texts, 200).split("\n")
    at = chance.randrange(len(before) - 3)
    after = [*before[:at], *piece(chance, texts, 3).split("\n"), f"# {MARK}", *before[at + chance.randrange(1, 4) :]]
    texts_of = ["\n".join(lines).encode() for lines in (before, after)]
    patch = Patch((FileEdit(path=f"src/{MARK}.py", before=texts_of[0], after=texts_of[1]),))
    done = Repair(
        problem=problem,
        outcome="fixed",
        patch=patch,
        verdict=Verdict(passed=True, reruns=3, fixed=("tests::test_it",), seconds=1.5),
        turns=turns,
        usage=Usage(steps=len(turns), prompt_tokens=900 * len(turns), completion_tokens=60 * len(turns)),
        seconds=12.0,
    )
    return episode_entry(done, ENVIRONMENT, POLICY, harnesses[tools], "full")


def word(number: int) -> str:
    """A word of its own for each number, made of letters: figures do not tell near repetitions apart."""
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:07d}")
    return f"module_{letters}"


class Renamed:
    """Puts words into the blobs of an entry."""

    def __init__(self) -> None:
        self._raw = Unpacker(object)

    def entry(self, entry: EpisodeEntry, number: int) -> EpisodeEntry:
        """The entry as that of another episode."""
        problem = msgspec.structs.replace(entry.problem, id=f"{number:012x}", findings=self._blob(entry.problem.findings, number))
        patch = entry.patch
        assert patch is not None
        patch = msgspec.structs.replace(
            patch,
            edits=self._blob(patch.edits, number),
            diff=self._blob(patch.diff, number),
            failure=patch.failure.replace(MARK, word(number)),
            mark=f"{number:012x}",
            diff_text=patch.diff_text.replace(MARK, word(number)),
        )
        return msgspec.structs.replace(entry, problem=problem, turns=self._blob(entry.turns, number), patch=patch)

    def _blob(self, blob: Blob | None, number: int) -> Blob | None:
        if blob is None:
            return None
        value = self._raw.unpack(blob.hash, blob.data, blob.size)
        return pack(msgspec.json.decode(msgspec.json.encode(value).replace(MARK.encode(), word(number).encode())))


def make(path: Path, episodes: int, seed: int) -> float:
    """Make the journal; returns the seconds it took."""
    began = time.perf_counter()
    chance, texts, renamed = random.Random(seed), sources(), Renamed()
    root = path.parent / "workspace"
    root.mkdir()
    harnesses = {True: harness_for(CAPABLE, preset="agent"), False: harness_for(CAPABLE, preset="direct")}
    journal = Journal.open(path)
    with journal.alone() as connection:
        connection.execute("PRAGMA synchronous = OFF")
    run = run_entry(journal.identifier(), root, "full")
    made = [template(chance, texts, root, harnesses) for _ in range(min(TEMPLATES, episodes))]
    for number in range(episodes):
        journal.write_episode(run, renamed.entry(made[number % len(made)], number))
        if number % 10_000 == 9_999:
            print(f"made {number + 1} episodes in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    journal.end_run(run)
    journal.close()
    return time.perf_counter() - began


def measured(journal: Path, target: Path, fmt: str, processes: int) -> dict[str, Any]:
    """Export in a process of its own, its memory and that of its helpers sampled every 50 ms."""
    command = [sys.executable, "-c", EXPORT, str(journal), str(target), fmt, str(processes)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    samples, told = asyncio.run(watch(process))
    if process.returncode:
        raise SystemExit(f"the export failed with {process.returncode}")
    result: dict[str, Any] = told.pop()
    result["rows_a_second"] = round(result["rows"] / result["seconds"])
    result["rows_a_cpu_second"] = round(result["rows"] / result["cpu_seconds"])
    result["memory"] = samples
    result["growth"] = round(growth(samples), 3)
    result["format"] = fmt
    return result


async def watch(process: subprocess.Popen[str]) -> tuple[list[tuple[float, float]], list[dict[str, Any]]]:
    """Memory in MiB over time, from the moment at which the export begins, and what the process told."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    began, samples = time.perf_counter(), list[tuple[float, float]]()
    reading = asyncio.create_task(asyncio.to_thread(process.stdout.readlines))
    there = psutil.Process(process.pid)
    while not reading.done():
        try:
            all_of_them = sum(each.memory_info().rss for each in (there, *there.children(recursive=True)))
            samples.append((round(time.perf_counter() - began, 3), round(all_of_them / 2**20, 1)))
        except psutil.Error:
            pass  # one of them has just ended
        await asyncio.sleep(0.05)
    lines = await reading
    process.wait()
    return [sample for sample in samples if sample[1]], [json.loads(line) for line in lines]


def growth(samples: list[tuple[float, float]]) -> float:
    """How much more memory the last third of a run takes than the middle one."""
    third = max(1, len(samples) // 3)
    middle, last = (sorted(memory for _, memory in part)[third // 2] for part in (samples[third : 2 * third], samples[-third:]))
    return last / middle


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Memory over time."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 3.5), layout="constrained")
    for result in results:
        times, memory = zip(*result["memory"], strict=True)
        axes.plot(times, memory, label=f"{result['format']}, {result['rows']:,} rows, {result['rows_a_second']:,} a second")
    axes.set(xlabel="seconds", ylabel="resident memory, MiB", title="Export of a journal", ylim=(0, None))
    axes.legend()
    figure.savefig(path)


def load() -> list[float]:
    """The machine's load averages."""
    return [round(value, 2) for value in os.getloadavg()]


def folders(out: Path, keep: bool) -> Iterator[Path]:
    """Where the journal lies."""
    if keep:
        (out / "journal").mkdir(parents=True, exist_ok=True)
        yield out / "journal"
        return
    with tempfile.TemporaryDirectory(dir=out) as folder:
        yield Path(folder)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--format", nargs="+", choices=["parquet", "jsonl"], default=["parquet", "jsonl"])
    parser.add_argument("--processes", type=int, default=0, help="helpers; as many as CPUs if not told")
    parser.add_argument("--keep", action="store_true", help="keep the journal in DIR/journal, or use the one that is there")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for folder in folders(chosen.out, chosen.keep):
        path = folder / "journal.sqlite3"
        made = make(path, chosen.episodes, chosen.seed) if not path.exists() else 0.0
        size = path.stat().st_size
        results: list[dict[str, Any]] = []
        for fmt in chosen.format:
            before = load()
            with tempfile.TemporaryDirectory(dir=chosen.out) as target:
                results.append({**measured(path, Path(target) / "set", fmt, chosen.processes), "load_before": before, "load_after": load()})
    told = {
        "episodes": chosen.episodes,
        "journal_bytes": size,
        "seconds_to_make": round(made, 1),
        "exports": results,
        "cpus": os.cpu_count(),
    }
    (chosen.out / "export.json").write_text(json.dumps(told))
    plot(results, chosen.out / "export.svg")
    for result in results:
        print(
            {name: value for name, value in result.items() if name != "memory"}, f"peak {max(memory for _, memory in result['memory'])} MiB"
        )
    if any(result["rows_a_second"] < WANTED or result["growth"] > MOST_GROWTH for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
