"""What the Docker backend contains on this machine, and what it does not, in plain lines."""

from __future__ import annotations

from suture_sandbox.backend import Probe
from suture_sandbox.docker.daemon import Facts
from suture_sandbox.docker.options import DockerOptions

_BOTH = (
    "network: none, not even the host's loopback",
    "files: the image, read-only, and the workspace, read-only under a view that is thrown away; secrets empty; nothing else of the host",
    "privileges: no capability, no new privileges, a system call filter",
    "per process: CPU seconds, file size, open files, no core dumps",
    "output: head and tail are kept, a flood is stopped",
    "what is written: memory file systems of bounded size",
    "life: everything ends with the command, with suture, and at the wall clock's limit; containers are removed, not stopped",
)
_FAST = (
    "processes: own pid, mount and IPC namespaces for each attempt, inside a container that is used again, and no right in it",
    "warm attempts (forked from a process that has the tests' tools loaded) contain the same; there are none of root's workspaces",
)
_STRICT = ("processes: a container for each attempt, with Docker's own system call filter and hidden paths",)
_LIMITED = "memory and processes of the whole tree: capped by the kernel's control groups"

_KERNEL = "the kernel itself: an attempt shares it with the host; a flaw in it can be an escape"
_BOTH_GAPS = (
    "the daemon: whoever can reach its socket can do what it can; suture can, an attempt cannot",
    "timing and caches: an attempt can see how busy the machine is",
    "secrets under innocent names inside the workspace are readable (and cannot leave: there is no network)",
    "folders mounted inside the workspace are not part of its view",
    "an exit code from 129 to 192 is taken for a signal, as shells do",
)
_FAST_GAPS = (
    "namespaces and mounts: the container may make them, unlike one under Docker's own filter; the command itself may not",
    "a workspace of root's is run as root without capabilities, in a user namespace; run suture as an ordinary user where you can",
    "attempts in one container, one after another, share its network namespace, which has only loopback, and its user namespace",
    "packages of the image, while a zygote loads them, may mount inside their own namespaces",
)
_STRICT_GAPS = (
    "memory is capped above the limit by what the copy of the workspace may take (128 MiB)",
    "/sys and the container's own entries of /proc can be read",
)
_UNLIMITED = "memory and processes: this daemon cannot limit them (rootless without delegated control groups)"
_UNFILTERED = "system calls: this daemon does not filter them"
_UNMARKED = "no AppArmor profile: Docker's forbids mounts, so fast mode goes without"


def level(facts: Facts, options: DockerOptions) -> str:
    """Short name of the isolation that is active."""
    runtime = options.runtime or facts.default_runtime
    groups = f"cgroup {facts.cgroups}" if facts.cgroups else "no cgroups"
    parts = [f"Docker {facts.version}", runtime, f"{options.mode} mode", *(["rootless"] if facts.rootless else []), groups]
    return " + ".join(parts)


def describe(facts: Facts, options: DockerOptions, tried: bool) -> Probe:
    """What holds, from what the daemon says of itself."""
    fast = options.mode == "fast"
    shared = () if options.runtime.startswith(("runsc", "kata")) else (_KERNEL,)
    here = {
        _UNLIMITED: not facts.cgroups,
        _UNFILTERED: not facts.seccomp,
        _UNMARKED: fast and facts.apparmor,
        "not tried out: no image was adopted yet (suture env lock --backend docker --image REFERENCE)": not tried,
    }
    return Probe(
        available=True,
        level=level(facts, options),
        contains=(*_BOTH, *(_FAST if fast else _STRICT), *([_LIMITED] if facts.cgroups else [])),
        gaps=(*shared, *_BOTH_GAPS, *(_FAST_GAPS if fast else _STRICT_GAPS), *(line for line, holds in here.items() if holds)),
    )
