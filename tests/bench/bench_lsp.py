"""What the language server costs, beside python-lsp-server and jedi-language-server in the same run.

    python tests/bench/bench_lsp.py --out DIR [--runs 10] [--changes 1000] [--files 1000] [--peers FOLDER | --no-peers]

Real servers over stdio, with the recorded capabilities of VS Code. All servers: from spawn to the answer to `initialize` and to
`initialized` handled; the memory a while after a small file was opened; an edit of a file of 10,000 lines, until a request sent after it
is answered. suture alone: code actions among 10,000 diagnostics in 1,000 open files while four episodes wait for their policy, and how long
everything lives on after an episode is cancelled whose check sleeps. The exit code is 1 when a figure misses its limit, 2 when suture could
not be measured.

The peers are installed into a virtual environment of their own, never into suture's. Ratios say more than a busy machine's milliseconds.
It does not measure what a check or a repair costs (`bench_sandbox.py`, `bench_repair.py`), nor a policy that computes on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lsp_workspace
import msgspec
import psutil
from lsp_client import Client, LspError, ServerGone, recorded, spawn
from lsp_documents import Document
from lsp_report import Samples, facts, missed, print_table, write_plot
from lsp_suture import Diagnostics, NotMeasured, Status, action_params, alive, attempts, check, start_fix

SUTURE = "suture"
PEERS = {"python-lsp-server": "pylsp", "jedi-language-server": "jedi-language-server"}
"""Package -> its program."""
EPISODES = 4
CHECKS = 5
"""Two findings each in every file; one report has 2,000 at most."""
CANCELS = 20
CHANGES_A_TURN = 100
MEMORY_ROUNDS = 3


class Bench:
    """One run: where things are, and what was measured."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.programs = {SUTURE: shlex.split(options.suture), **peers(options.peers)}
        self.samples = list[Samples]()
        self.environ = lsp_workspace.environment(folder / "home", {"editor": {"episodes": EPISODES}})

    def measured(self, program: str, what: str, unit: str, values: Sequence[float]) -> None:
        """Keep samples."""
        self.samples.append(Samples(program=program, what=what, unit=unit, values=tuple(values)))

    @contextlib.asynccontextmanager
    async def server(self, program: str, root: Path) -> AsyncIterator[Client]:
        """A server that is initialized for a workspace, and has answered everything once when it is stopped."""
        client = await self.start(program, root)
        try:
            await client.initialize(self.opening(root))
            await client.ping()
            yield client
        finally:
            await client.stop()
        if client.answered_twice or client.unanswered or client.strange:
            raise NotMeasured(f"{program}: unanswered {client.unanswered}, twice {client.answered_twice}, strange {client.strange[:3]}")

    async def start(self, program: str, root: Path) -> Client:
        """A server process."""
        return await spawn(self.programs[program], environ=self.environ, folder=root, errors=self.folder / f"{program}.log")

    @staticmethod
    def opening(root: Path) -> dict[str, Any]:
        """What VS Code says first."""
        return recorded("vscode", root, {"offers": True, "status": True})


def peers(folder: Path | None) -> dict[str, list[str]]:
    """The commands of the servers to compare with, installed where they are not yet."""
    if folder is None:
        return {}
    stamp = folder / "installed"
    if not stamp.exists():
        sys.stderr.write(f"installing {', '.join(PEERS)} into {folder}\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PEERS], check=True)
        stamp.touch()
    return {package: [str(folder / "bin" / program)] for package, program in PEERS.items()}


def versions(folder: Path | None) -> dict[str, str]:
    """What is compared."""
    names = [SUTURE, "pygls"]
    found = {name: _version(sys.executable, name) for name in names}
    return found | ({name: _version(str(folder / "bin" / "python"), name) for name in PEERS} if folder else {})


def _version(python: str, package: str) -> str:
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, package], check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No collection of garbage in this process while the clock runs."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def processor_ms(client: Client) -> float:
    """What a server has used of the processors, which says more than the clock on a busy machine; in steps of 10 ms."""
    used = psutil.Process(client.process.pid).cpu_times()
    return (used.user + used.system) * 1000


async def clocked(work: Callable[[], Any]) -> float:
    """Milliseconds of one await."""
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1000


def edited_workspace(root: Path) -> Path:
    """A small file, and one of 10,000 lines."""
    block = "def area_{0}(width, height):\n    # the area of a rectangle\n    return width * height\n\n\n"
    files = {"small_m.py": "def double(value):\n    return value * 2\n", "big_m.py": "".join(block.format(n) for n in range(2000))}
    return lsp_workspace.make(root, files)


def document(root: Path, name: str) -> Document:
    """A file of a workspace as VS Code opens it."""
    return Document((root / name).as_uri(), (root / name).read_bytes().decode(), "utf-16")


async def measure_starts(bench: Bench, root: Path) -> None:
    """Spawn to `initialize` answered, and to `initialized` handled; all programs in turns, after one start that does not count."""
    answered = {name: list[float]() for name in bench.programs}
    handled = {name: list[float]() for name in bench.programs}
    busy = {name: list[float]() for name in bench.programs}
    for number in range(bench.options.runs + 1):
        for name in bench.programs:
            began = time.perf_counter()
            client = await bench.start(name, root)
            await client.initialize(bench.opening(root))
            answer = time.perf_counter()
            await client.ping()
            if number:
                answered[name].append((answer - began) * 1000)
                handled[name].append((time.perf_counter() - began) * 1000)
                busy[name].append(processor_ms(client))
            await client.stop()
    for name in bench.programs:
        bench.measured(name, "initialize answered", "ms", answered[name])
        bench.measured(name, "initialized handled", "ms", handled[name])
        bench.measured(name, "processor time until then", "ms", busy[name])


async def measure_memory(bench: Bench, root: Path) -> None:
    """Resident memory when a small file is open and nothing happens; of the server, and apart from it of what it has started."""
    own = {name: list[float]() for name in bench.programs}
    others = {name: list[float]() for name in bench.programs}
    for _ in range(MEMORY_ROUNDS):
        for name in bench.programs:
            async with bench.server(name, root) as client:
                client.notify("textDocument/didOpen", document(root, "small_m.py").opened)
                await client.ping()
                await asyncio.sleep(bench.options.settle)
                process = psutil.Process(client.process.pid)
                own[name].append(process.memory_info().rss / 1e6)
                others[name].append(sum(each.memory_info().rss for each in process.children(recursive=True)) / 1e6)
    for name in bench.programs:
        bench.measured(name, "idle memory", "MB", own[name])
        bench.measured(name, "idle memory of what it started", "MB", others[name])


async def measure_changes(bench: Bench, root: Path) -> None:
    """An edit in the middle of 10,000 lines, until what was asked after it is answered; in turns, with time for what a server puts off."""
    samples = {name: list[float]() for name in bench.programs}
    busy = {name: list[float]() for name in bench.programs}
    async with contextlib.AsyncExitStack() as stack:
        opened = list[tuple[str, Client, Document]]()
        for name in bench.programs:
            client, text = await stack.enter_async_context(bench.server(name, root)), document(root, "big_m.py")
            client.notify("textDocument/didOpen", text.opened)
            await client.ping()
            opened.append((name, client, text))
        while len(samples[SUTURE]) < bench.options.changes:
            for name, client, text in opened:
                await asyncio.sleep(1)
                before = processor_ms(client)
                samples[name] += await _turn(client, text)
                busy[name].append((processor_ms(client) - before) / CHANGES_A_TURN)
    for name, values in samples.items():
        bench.measured(name, "didChange", "ms", values)
        bench.measured(name, "processor time of a didChange", "ms", busy[name])


async def _turn(client: Client, text: Document) -> list[float]:
    at = text.text.index("rectangle", len(text.text) // 2)
    values = list[float]()
    with undisturbed():
        for number in range(CHANGES_A_TURN):
            change = text.replace(at + number, at + number, "x")

            async def send(change: dict[str, Any] = change) -> None:
                client.notify("textDocument/didChange", change)
                await client.ping()

            values.append(await clocked(send))
            await asyncio.sleep(0.005)
    return values


async def measure_actions(bench: Bench, root: Path) -> None:
    """Code actions with every file open, every finding shown, and four episodes in flight."""
    files, rng = bench.options.files, random.Random(0)
    lsp_workspace.make(root, lsp_workspace.many(files, CHECKS), checks=CHECKS)
    async with bench.server(SUTURE, root) as client:
        diagnostics, status = Diagnostics(client), Status(client)
        texts = [document(root, f"f{number}_m.py") for number in range(files)]
        for text in texts:
            client.notify("textDocument/didOpen", text.opened)
        found = await check(client)
        if found != files * CHECKS * 2:
            raise NotMeasured(f"{found} findings, not {files * CHECKS * 2}")
        await asyncio.sleep(2)
        shown = {text.uri: await diagnostics.of(text.uri) for text in texts}
        if (total := sum(map(len, shown.values()))) != found:
            raise NotMeasured(f"{total} diagnostics of {found} findings")
        for text in texts[:EPISODES]:
            await start_fix(client, text.uri, shown[text.uri][0])
        await status.wait(EPISODES)
        await asyncio.sleep(2)
        values, empty = list[float](), 0
        with undisturbed():
            for _ in range(bench.options.actions):
                uri = rng.choice(texts).uri
                params = action_params(uri, rng.choice(shown[uri]))
                began = time.perf_counter()
                actions = await client.call("textDocument/codeAction", params)
                values.append((time.perf_counter() - began) * 1000)
                empty += not actions
                await asyncio.sleep(0.002)
        await status.wait(EPISODES, seconds=5)
        if empty:
            raise NotMeasured(f"{empty} of {len(values)} findings had no code action")
        bench.measured(SUTURE, "codeAction", "ms", values)
        bench.measured(SUTURE, "memory with all files open", "MB", [psutil.Process(client.process.pid).memory_info().rss / 1e6])
        await client.command("suture.cancel", {})


async def sleeping_attempt(pid: int, seconds: float = 60) -> list[int]:
    """Wait for a check that takes long; the processes of its attempt."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        processes = attempts(pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("words.py" in each.cmdline() and time.time() - each.create_time() > 1 for each in processes):
                return [each.pid for each in processes]
        await asyncio.sleep(0.05)
    raise NotMeasured("no check of an episode slept")


async def measure_cancels(bench: Bench, root: Path) -> None:
    """From the cancel button of a progress to the death of the last process of its attempt."""
    lsp_workspace.make(root, {f"s{number}_m.py": lsp_workspace.SLEEPER.format(number) for number in range(CANCELS)})
    values = list[float]()
    async with bench.server(SUTURE, root) as client:
        diagnostics, status = Diagnostics(client), Status(client)
        texts = [document(root, f"s{number}_m.py") for number in range(CANCELS)]
        for text in texts:
            client.notify("textDocument/didOpen", text.opened)
        await check(client)
        for text in texts:
            await start_fix(client, text.uri, (await diagnostics.of(text.uri))[0])
            pids = await sleeping_attempt(client.process.pid)
            if not client.working:
                raise NotMeasured("an episode runs without a progress that could be cancelled")
            values.append(await _dead(client, pids))
            await status.wait(0)
    bench.measured(SUTURE, "cancel to everything dead", "ms", values)


async def _dead(client: Client, pids: Sequence[int]) -> float:
    began = time.perf_counter()
    for token in list(client.working):
        client.notify("window/workDoneProgress/cancel", {"token": token})
    while any(map(alive, pids)):
        if time.perf_counter() - began > 30:
            raise NotMeasured("a cancelled attempt lives on")
        await asyncio.sleep(0.0005)
    return (time.perf_counter() - began) * 1000


async def measure(bench: Bench) -> list[str]:
    """Everything; what could not be measured, and why."""
    root = edited_workspace(bench.folder / "edited")
    parts = {
        "starts": lambda: measure_starts(bench, root),
        "memory": lambda: measure_memory(bench, root),
        "changes": lambda: measure_changes(bench, root),
        "actions": lambda: measure_actions(bench, bench.folder / "many"),
        "cancels": lambda: measure_cancels(bench, bench.folder / "sleepers"),
    }
    failed = list[str]()
    for name, part in parts.items():
        if bench.options.only and name not in bench.options.only:
            continue
        sys.stderr.write(f"{name}...\n")
        try:
            await part()
        except (NotMeasured, LspError, ServerGone, TimeoutError) as error:
            failed.append(f"{name}: {type(error).__name__}: {error}")
    return failed


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=10, help="cold starts of each server")
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--settle", type=float, default=5.0, help="seconds until a server counts as idle")
    parser.add_argument("--only", nargs="*", default=(), help="starts memory changes actions cancels")
    default = Path(__file__).resolve().parents[2] / ".cache" / "bench" / "lsp-peers"
    parser.add_argument("--peers", type=Path, default=default, help="the virtual environment of the other servers")
    own = f"{shlex.quote(str(Path(sys.executable).with_name('suture')))} lsp"
    parser.add_argument("--suture", default=own, metavar="COMMAND", help="the program that is measured as suture's")
    parser.add_argument("--no-peers", action="store_const", const=None, dest="peers")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write, judge."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-suture-") as folder:
        bench = Bench(options, Path(folder))
        failed = asyncio.run(measure(bench))
        logs = {path.stem: path.read_text(errors="replace")[-2000:] for path in Path(folder).glob("*.log")}
    said = {"machine": facts(), "versions": versions(options.peers), "samples": bench.samples, "failed": failed}
    (options.out / "lsp.json").write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1))
    print_table(bench.samples)
    write_plot(bench.samples, options.out / "lsp")
    for line in failed:
        print(f"NOT MEASURED {line}")
    if failed:
        print("\n".join(f"--- {name}\n{text}" for name, text in logs.items() if text))
    misses = missed(bench.samples)
    kept = "every limit was kept, of what was measured" if failed or options.only else "every limit was kept"
    print("\n".join(f"MISSED {line}" for line in misses) or kept)
    return 2 if failed else 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
