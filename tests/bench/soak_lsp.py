"""Two hours of somebody at an editor in a few minutes: nothing may grow, nothing may stay behind, every request is answered once.

    python tests/bench/soak_lsp.py --out DIR [--requests 20000] [--seed 0] [--policy SPEC] [--client vscode] [--tcp]

A real server gets at least so many requests and notifications (`lsp_editor.HABITS` says which), `--pace` of them a second. Every tenth of
the way the texts that a check sees are compared with those that the editor has. At the end everything is sent again as a whole, which must
change nothing; then all is cancelled, and what is there is counted when it is quiet: processes, descriptors, mounts, temporary files,
control groups, memory. The exit code is 1 when something was wrong. Answers are not judged otherwise: that is what tests/server does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lsp_editor
import lsp_workspace
import msgspec
import psutil
from lsp_client import Client, LspError, ServerGone, recorded, spawn
from lsp_report import facts, write_soak
from lsp_suture import alive
from lsp_traces import Sample, groups, growth, look, mounts

SAMPLES = 200
"""Looks at the server on the way."""
CHECKPOINTS = 10
"""Stops on the way. At the first one the server has everything that it keeps: it is made quiet and counted, and at the end again."""
COUNTED = ("server_files", "worker_files", "processes", "zombies", "mounts", "temporary", "groups")
MOST_GROWTH = {"server_mb": 1.0, "workers_mb": 4.0}
"""MB in 10,000 messages, over the last half of the way; judged where the way is long enough to say anything."""
LONG_ENOUGH = 10_000
SPARE = {"server_files": 3, "worker_files": 3, "temporary": 2, "groups": 12}
"""What may be more at the end: a connection, a log, a database's journal, the folder of a worker; control groups, which the sandbox keeps
for the next attempt, two for each that ran at the same time. Nothing of it may be left when the server has ended."""
QUIET_SECONDS, STILL_SECONDS = 60, 3
"""How long it may take until nothing happens any more, and how long nothing has to happen."""


class Soak:
    """One run."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.root = lsp_workspace.make(folder / "soak", lsp_editor.files(), texts=True)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        settings: dict[str, Mapping[str, object]] = {"policy": {"spec": options.policy}} if options.policy else {}
        self.environ = lsp_workspace.environment(folder / "home", settings) | {"TMPDIR": str(self.temporary)}
        self.samples = list[Sample]()
        self.quiet = list[Sample]()
        """When it was warm, and at the end."""
        self.wrong = list[str]()
        self.done: dict[str, int] = {}
        self.seen = set[int]()
        """Every process that ever was below the server."""
        self.mounts = mounts()

    async def run(self) -> None:
        """Start, live, end, count."""
        client = await spawn(
            shlex.split(self.options.suture), environ=self.environ, folder=self.root, errors=self.folder / "log", tcp=self.options.tcp
        )
        pid = client.process.pid
        try:
            result = await client.initialize(recorded(self.options.client, self.root, {"offers": True, "status": True}))
            person = lsp_editor.Person(client, self.root, result["capabilities"].get("positionEncoding", "utf-16"), self.options.seed)
            await self._live(person, pid)
            self.wrong += person.wrong
            self.done = dict(person.done.most_common())
        except (LspError, ServerGone, TimeoutError, psutil.NoSuchProcess) as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
        finally:
            code = await client.stop()
        self._judge_end(client, code, pid)

    async def _live(self, person: lsp_editor.Person, pid: int) -> None:
        rng, began = random.Random(self.options.seed), time.monotonic()
        step, next_look, checkpoint = self.options.requests / SAMPLES, 0.0, 1
        while person.sent < self.options.requests:
            await person.act()
            if person.sent >= next_look:
                await person.client.ping()
                self._look(pid, person.sent, began)
                next_look += step
            if person.sent >= checkpoint * self.options.requests / CHECKPOINTS:
                await self._compare(person, f"after {person.sent} messages")
                if checkpoint == 1:
                    await self._quiet(person, pid, began)
                checkpoint += 1
                sys.stderr.write(f"{person.sent} messages, {time.monotonic() - began:.0f} s, {self.samples[-1].server_mb:.1f} MB\n")
            if self.options.pace:
                await asyncio.sleep(rng.expovariate(self.options.pace))
        await self._compare(person, "at the end")
        person.send_all_again()
        await self._compare(person, "after everything was sent again")
        await self._quiet(person, pid, began)

    async def _compare(self, person: lsp_editor.Person, when: str) -> None:
        """The texts as a check sees them must be those that the editor has."""
        await person.finish()
        until = time.monotonic() + 5
        seen, known = await person.texts(), person.known_texts()
        while seen != known and time.monotonic() < until:  # what a check found may be shown a moment after it has answered
            await asyncio.sleep(0.2)
            seen = await person.texts()
        different = [name for name in known if seen[name] != known[name]]
        if different:
            untold = sum(seen[name] == "not told" for name in different)
            self.wrong.append(f"{when}: {len(different)} of {len(known)} texts differ, {untold} of them not told: {different[:5]}")

    async def _quiet(self, person: lsp_editor.Person, pid: int, began: float) -> None:
        """Cancel everything, and look when nothing has happened for a while."""
        await person.finish()
        with contextlib.suppress(LspError):
            await person.client.command("suture.cancel", {})
        until, last, since = time.monotonic() + QUIET_SECONDS, (0, 0), time.monotonic()
        while time.monotonic() - since < STILL_SECONDS and time.monotonic() < until:
            now = (len(psutil.Process(pid).children(recursive=True)), len(person.client.working))
            last, since = now, since if now == last else time.monotonic()
            await asyncio.sleep(0.1)
        self._look(pid, person.sent, began)
        self.quiet.append(self.samples[-1])
        if person.client.working:
            self.wrong.append(f"progress without an end: {person.client.working}")

    def _look(self, pid: int, sent: int, since: float) -> None:
        self.samples.append(look(pid, sent, self.temporary, since))
        self.seen |= {each.pid for each in psutil.Process(pid).children(recursive=True)}

    def _judge_end(self, client: Client, code: int, pid: int) -> None:
        said = {"unanswered": client.unanswered, "answered twice": client.answered_twice, "answers to nothing": client.strange[:5]}
        self.wrong += [f"{name}: {what}" for name, what in said.items() if what]
        if code:
            self.wrong.append(f"it ended with {code}")
        time.sleep(0.5)
        living = [each for each in self.seen | {pid} if alive(each)]
        left = [str(path) for path in self.temporary.iterdir()]
        made = [str(path) for path in groups([*self.seen, pid])]
        after = {"processes": living, "temporary files": left, "control groups": made}
        self.wrong += [f"left behind: {name} {what}" for name, what in after.items() if what]
        if mounts() > self.mounts:
            self.wrong.append(f"left behind: {mounts() - self.mounts} mounts")
        self.wrong += grown(self.samples, self.quiet)


def grown(samples: Sequence[Sample], quiet: Sequence[Sample]) -> list[str]:
    """What there is more of at the end than when the server was warm, both times in quiet, and whether memory goes on growing."""
    if len(quiet) < 2:
        return ["it did not live long enough to say whether anything grows"]
    found, (warm, end) = list[str](), quiet
    for name in COUNTED:
        before, after = getattr(warm, name), getattr(end, name)
        if after > before + SPARE.get(name, 0):
            found.append(f"grown: {name} from {before} to {after}")
    for name, most in MOST_GROWTH.items():
        by = growth_of(samples, name)
        if by > most and end.sent >= LONG_ENOUGH:
            found.append(f"grown: {name} by {by:.2f} in 10,000 messages, at most {most:g}")
    return found


def growth_of(samples: Sequence[Sample], name: str) -> float:
    """MB in 10,000 messages, over the last half of the way."""
    return 10_000 * growth([(each.sent, getattr(each, name)) for each in samples if each.sent >= samples[-1].sent / 2])


def summary(soak: Soak) -> dict[str, Any]:
    """What is written."""
    slopes = {name: round(growth_of(soak.samples, name), 3) for name in MOST_GROWTH}
    return {
        "machine": facts(),
        "requests": soak.options.requests,
        "seed": soak.options.seed,
        "client": soak.options.client,
        "done": soak.done,
        "growth_mb_in_10000": slopes,
        "wrong": soak.wrong,
        "quiet": soak.quiet,
        "samples": soak.samples,
    }


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=20_000, help="requests and notifications")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=100.0, help="messages a second; 0 for no pause at all")
    parser.add_argument("--policy", default="", metavar="SPEC", help="who repairs; a script unless told")
    parser.add_argument("--client", default="vscode", help="whose capabilities: a file of tests/server/lsp/clients")
    parser.add_argument("--tcp", action="store_true", help="over TCP in place of stdio")
    own = f"{shlex.quote(str(Path(sys.executable).with_name('suture')))} lsp"
    parser.add_argument("--suture", default=own, metavar="COMMAND", help="the server")
    return parser.parse_args()


def main() -> int:
    """Live, count, write, judge."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-lsp-") as folder:
        soak = Soak(options, Path(folder))
        asyncio.run(soak.run())
        log = (Path(folder) / "log").read_text(errors="replace")
    said = summary(soak)
    (options.out / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1))
    (options.out / "soak.log").write_text(log)
    write_soak(soak.samples, options.out / "soak")
    print(" ".join(f"{name}: {count}" for name, count in soak.done.items()))
    print(f"memory in 10,000 messages: {said['growth_mb_in_10000']}")
    print("\n".join(f"WRONG {line}" for line in soak.wrong) or "nothing grew, nothing stayed, everything was answered once")
    return 1 if soak.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
