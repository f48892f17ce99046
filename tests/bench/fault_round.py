"""One worker of the fault bench: started, troubled, ended, and looked after until nothing of it is left."""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec
import psutil
from fault_docker import Containers
from fault_ground import Ground, Surroundings, bury
from fault_report import Report
from fault_worker import Line, Task

from suture_sandbox.local.start import TITLE

BETWEEN_FAULTS = 0.7
"""Seconds on average."""
EARLY = 0.2
"""How many of those who are killed may be while they start."""
LEFT_SECONDS = 30.0
SILENT_SECONDS = 600.0
"""A busy machine lets a new interpreter wait for minutes."""
AT_ONCE = 4
JUMPS = (-1e6, -86_400.0, -3600.0, -30.0, 0.0, 30.0, 3600.0, 86_400.0, 1e6)

Fault = Callable[[], bool]
"""Does something; whether there was something to do it to."""


class Bench(msgspec.Struct, kw_only=True):
    """What the rounds share."""

    random: random.Random
    ground: Ground
    containers: Containers | None
    before: Surroundings
    report: Report

    def is_bounded(self, backend: str) -> bool:
        """Whether workers of this backend have their temporary files on the small disk: a daemon of the machine's does not see it."""
        return self.ground.bounded and (backend != "docker" or self.restartable)

    @property
    def restartable(self) -> bool:
        """Whether there is a daemon of the bench's own."""
        return self.containers is not None and self.containers.own

    def restart_daemon(self) -> None:
        """Kill the daemon and start it again."""
        assert self.containers is not None
        self.containers.restart()
        self.report.faults["daemon restarted"] += 1


class Round:
    """One worker from its start to the last trace of it."""

    def __init__(self, bench: Bench, number: int, backend: str, attempts: int) -> None:
        self.bench, self.backend, self.number = bench, backend, number
        self._random = bench.random
        self._mark = uuid.uuid4().hex
        self._begun: dict[int, str] = {}
        self._until: list[tuple[float, Callable[[], object]]] = []
        bounded = bench.is_bounded(backend)
        self._scratch = bench.ground.scratch(number, bounded=bounded)
        self._errors = tempfile.TemporaryFile(dir=bench.ground.folder)  # noqa: SIM115  # closed when the worker has ended
        self._worker = self._start(attempts)
        self._faults: dict[str, Fault] = {
            "worker paused": self._pause,
            "clock jumped": self._jump,
            **({"disk filled": self._fill} if bounded else {}),
            **({"zygote killed": self._kill_zygote, "bubblewrap killed": self._kill_bubblewrap} if backend == "local" else {}),
            **({"agent killed": self._kill_agent, "container removed": self._remove_container} if backend == "docker" else {}),
        }

    def _start(self, attempts: int) -> subprocess.Popen[bytes]:
        ground, containers = self.bench.ground, self.bench.containers
        options: dict[str, str | int] = {}
        if self.backend == "docker" and containers is not None:
            options = {"socket": containers.address, "containers": 2}
            environment = containers.environment(self._mark)
        else:
            environment = ground.environment(self._mark)
        task = Task(
            backend=self.backend,
            options=options,
            root=str(ground.root),
            environment=environment,
            memo=str(ground.disk / "memo"),
            clock=str(ground.clock),
            seed=self._random.randrange(1 << 30),
            attempts=attempts,
            at_once=AT_ONCE,
        )
        worker = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fault_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "TMPDIR": str(self._scratch), "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert worker.stdin is not None
        worker.stdin.write(msgspec.json.encode(task))
        worker.stdin.close()
        return worker

    def run(self, *, kill: bool, restart: bool) -> None:
        """Let it work, do things to it, end it, and wait until nothing of it is left."""
        out = self._worker.stdout
        assert out is not None
        lives = self._random.expovariate(1 / 4) if kill else float("inf")
        try:
            ended = self._watch(out, lives, restart)
        finally:
            for _, undo in self._until:
                undo()
            self._worker.kill()
            code = self._worker.wait()
            for line in out.read().splitlines():
                self._take(line)
            out.close()
        report = self.bench.report
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace")[-3000:]
        self._errors.close()
        if ended == "killed":
            report.faults["worker killed"] += 1
        elif code or ended != "ended":
            why = f"{ended}, exit code {code}: {said}"
            report.wrong.append({"round": self.number, "backend": self.backend, "job": "the worker", "why": why})
        report.lost.update(self._begun.values())
        self._wait_until_nothing_is_left(ended)

    def _watch(self, out: IO[bytes], lives: float, restart: bool) -> str:
        """Read what it tells, do things to it; how it came to its end. It `lives` so many seconds from when it is ready, or from now."""
        os.set_blocking(out.fileno(), False)
        ready, rest, heard = False, b"", time.monotonic()
        next_fault = float("inf")
        dies = heard + lives if self._random.random() < EARLY else float("inf")
        while True:
            select.select([out], [], [], 0.05)
            try:
                data = os.read(out.fileno(), 1 << 16)
            except BlockingIOError:
                data = None
            now = time.monotonic()
            if data == b"":
                return "ended"
            if data:
                heard = now
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._take(line)
                if not ready and lines:
                    ready, next_fault = True, now + self._random.expovariate(1 / BETWEEN_FAULTS)
                    dies = now + lives
            if now - heard > SILENT_SECONDS:
                self._worker.send_signal(signal.SIGCONT)
                self._worker.send_signal(signal.SIGUSR1)
                time.sleep(1)
                return "silent"
            if now > dies:
                return "killed"
            for moment, undo in [each for each in self._until if each[0] < now]:
                self._until.remove((moment, undo))
                undo()
            if now > next_fault:
                next_fault = now + self._random.expovariate(1 / BETWEEN_FAULTS)
                if restart and self._random.random() < 0.3:
                    restart = False
                    self.bench.restart_daemon()
                else:
                    self._do_something()

    def _do_something(self) -> None:
        name = self._random.choice(list(self._faults))
        if self._faults[name]():
            self.bench.report.faults[name] += 1

    def _take(self, text: bytes) -> None:
        line = msgspec.json.decode(text, type=Line)
        report = self.bench.report
        if line.event == "attempt":
            report.attempts[self.backend] += 1
        elif line.event == "begun":
            self._begun[line.number] = f"{self.backend} {line.job}"
        elif line.event == "done":
            report.take(self.backend, self._begun.pop(line.number).partition(" ")[2], line, self.number)
        elif line.event == "warm":
            report.warm[self.backend] += 1

    def _later(self, seconds: float, undo: Callable[[], object]) -> bool:
        self._until.append((time.monotonic() + seconds, undo))
        return True

    def _pause(self) -> bool:
        """As if the machine were suspended, or overwhelmed: longer than some of the time-outs."""
        self._worker.send_signal(signal.SIGSTOP)
        return self._later(self._random.choice((0.2, 1.5, 3.0)), lambda: self._worker.send_signal(signal.SIGCONT))

    def _jump(self) -> bool:
        with self.bench.ground.clock.open("r+b") as file:
            file.write(struct.pack("=d", self._random.choice(JUMPS)))
        return True

    def _fill(self) -> bool:
        self.bench.ground.fill()
        return self._later(self._random.choice((0.2, 1.0)), self.bench.ground.drain)

    def _sandboxes(self) -> tuple[list[psutil.Process], list[psutil.Process]]:
        """The worker's bubblewraps of cold attempts; and what a zygote is made of, without the attempts that it has forked."""
        cold: list[psutil.Process] = []
        warm: list[psutil.Process] = []
        try:
            for outer in psutil.Process(self._worker.pid).children():
                below = outer.children(recursive=True) if outer.cmdline()[:1] == [f"{TITLE}{self._worker.pid}"] else []
                forks = [each for each in below if "suture_inside" in " ".join(each.cmdline())]
                if forks:
                    warm += [outer, *(each for each in below if each not in forks), forks[0]]
                elif below and below[0].cmdline()[:1] != outer.cmdline()[:1]:
                    cold.append(outer)
        except psutil.Error:
            pass
        return cold, warm

    def _kill_zygote(self) -> bool:
        return self._kill_one(self._sandboxes()[1])

    def _kill_bubblewrap(self) -> bool:
        return self._kill_one(self._sandboxes()[0])

    def _kill_one(self, processes: list[psutil.Process]) -> bool:
        if not processes:
            return False
        try:
            self._random.choice(processes).kill()
        except psutil.Error:
            return False
        return True

    def _kill_agent(self) -> bool:
        return self._with_container(lambda containers, name: containers.kill_agent(name))

    def _remove_container(self) -> bool:
        return self._with_container(lambda containers, name: containers.remove(name))

    def _with_container(self, what: Callable[[Containers, str], bool]) -> bool:
        containers = self.bench.containers
        assert containers is not None
        names = containers.of(self._worker.pid)
        return bool(names) and what(containers, self._random.choice(names))

    def _wait_until_nothing_is_left(self, ended: str) -> None:
        """The time from the end of the worker to the last trace of it."""
        bench, began = self.bench, time.monotonic()
        pid, containers = self._worker.pid, bench.containers
        while True:
            ours = containers.pids if containers is not None else frozenset[int]()
            bury(ours)
            left = bench.before.left(pid, self._mark, self._scratch, ours)
            if containers is not None and (names := containers.of(pid)):
                left["containers"] = names
            seconds = time.monotonic() - began
            if not left:
                break
            if seconds > LEFT_SECONDS:
                bench.report.left.append({"round": self.number, "backend": self.backend, "ended": ended, "left": left})
                break
            time.sleep(0.02)
        if ended == "killed":
            bench.report.seconds[self.backend].append(round(seconds, 3))
