"""What the local backend contains on this machine, and what it does not: found by running `true` in it, told in plain lines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from suture_sandbox.backend import Backend, Command, Probe
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import SandboxFloorError
from suture_sandbox.local.warm.isolation import LEAST_LANDLOCK, landlock_abi
from suture_sandbox.snapshot import Snapshot

_HERE = Path(__file__).parent.absolute()  # any folder will do as a workspace

CONTAINS = (
    "network: an empty network namespace, not even the host's loopback or its abstract sockets",
    "files: an allow-list of read-only system and toolchain folders, the workspace as a copy-on-write view, secrets empty",
    "processes: own pid namespace, everything dies with the command, with suture, and at the wall clock's limit",
    "privileges: own user namespace, no capability, no_new_privs, a fixed user and host name",
    "per process: CPU seconds, file size, open files, no core dumps",
    "output: head and tail are kept, a flood is stopped",
)
_FILTERED = "system calls: ptrace, keys, mounts, namespaces, BPF, io_uring, modules, terminal injection and exotic sockets are refused"
_CAPPED = "memory and processes of the whole tree: capped by the kernel's control groups"
_GAPS = (
    "the kernel itself: an attempt shares it with the host; a flaw in it can be an escape",
    "timing and caches: an attempt can see how busy the machine is",
    "secrets under innocent names inside the workspace are readable (and cannot leave: there is no network)",
    "folders mounted inside the workspace are not part of its view",
    "disk: what is written is memory, looked at every 50 ms; a command can overshoot its limit for that long",
    "an exit code from 129 to 192 is taken for a signal, as shells do",
)
_WATCHED = "memory and processes of the whole tree are looked at every 20 ms, not capped by the kernel: no control group can be made here"
_ROOT = (
    "suture runs as root: a workspace of root's is run as root without capabilities, but for warm attempts, which are run as a user who "
    "owns nothing; run suture as an ordinary user where you can"
)
_UNFILTERED = "system calls are not filtered on this kind of machine"


_WARM = "warm attempts (forked from a process that has the tests' tools loaded) contain the same, with landlock {abi} as a second wall"
_NOT_LOCKED = "warm attempts have no landlock here, as this kernel has none: their second wall is missing"
_NOT_WARM = "there are no warm attempts here, so every run starts its tools anew: {why}"
_WARM_WATCHED = "memory and processes of warm attempts are looked at every 20 ms, not capped by the kernel"


async def probe(backend: Backend, level: Callable[[], str]) -> Probe:
    """Try it; a machine that does not allow it gives an unavailable probe with the remedy."""
    try:
        name = level()
        done = await backend.run(Snapshot(_HERE), _environment(), Command(argv=("true",)))
    except SandboxFloorError as error:
        return Probe(available=False, level="none", problem=str(error), remedy=error.remedy)
    if done.ended != "exited" or done.exit_code != 0:
        return Probe(available=False, level=name, problem=f"`true` ended with {done.exit_code} ({done.ended}) in the sandbox")
    why = await backend.warm_up(Snapshot(_HERE), _environment(), Command(argv=("python3", "-m", "platform"), warm=True))
    abi = landlock_abi()
    warm = (_WARM.format(abi=abi),) if not why and abi >= LEAST_LANDLOCK else ()
    cold = (_NOT_WARM.format(why=why),) if why else (_WARM_WATCHED, *([] if warm else [_NOT_LOCKED]))
    return Probe(available=True, level=name, contains=(*_contains(name), *warm), gaps=(*_gaps(name), *cold))


def _contains(level: str) -> tuple[str, ...]:
    return (*CONTAINS, *([_FILTERED] if "seccomp" in level else []), *([_CAPPED] if "cgroup" in level else []))


def _gaps(level: str) -> tuple[str, ...]:
    here = {_WATCHED: "cgroup" not in level, _UNFILTERED: "seccomp" not in level, _ROOT: os.geteuid() == 0}
    return (*_GAPS, *(line for line, holds in here.items() if holds))


def _environment() -> Environment:
    runtime = Runtime(python="/usr/bin/python3", search_path=("/usr/bin", "/bin"), readonly=())
    return Environment(EnvironmentFields(), runtime, Limits(seconds=20))
