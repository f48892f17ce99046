"""The container that the daemon is asked for: every hardening that suture wants of it is in this one place.

No network, no capability, no new privileges, a read-only image, no device beyond the usual, bounded memory and processes, memory file
systems of bounded size, the workspace read-only, removed when it ends. Nothing of the host but the workspace and one folder with the agent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.docker import owner, profile
from suture_sandbox.docker.daemon import Facts
from suture_sandbox.docker.order import COPIED_MIB, SOURCE
from suture_sandbox.environment import Limits
from suture_sandbox.local.layout import HOME, SHARED_MEMORY_MIB

AGENT_FOLDER = "/run/suture-agent"
"""Where the container has the agent and the socket."""
SCRATCH = "/run/suture"
IDLE_SECONDS = 600
"""A container that is asked for nothing in this time ends by itself."""

_MIB = 1 << 20
_OURS_MIB = 24  # the agent
_ZYGOTE_MIB = 128  # what a zygote has loaded, beside what its attempts may use
_OUR_PROCESSES = 4  # the agent, its stem, the first process of the attempt, and the command on its way to becoming the program
_SMALL = "rw,nosuid,nodev,exec,size={size}m,mode={mode}"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What decides a container; attempts that want the same can have the same, one after another."""

    image: str
    python: str
    root: str
    place: tuple[int, int]
    """Device and number of the workspace's folder: another folder of the same name is another workspace."""
    user: tuple[int, int]
    strict: bool
    memory_mib: int
    processes: int
    disk_mib: int
    module: str = ""
    """What its zygote has loaded; empty for a container without one."""


def wanted(root: Path, image: str, python: str, limits: Limits, *, user: tuple[int, int], strict: bool) -> Wanted:
    """The container for attempts on a workspace."""
    status = root.stat()
    return Wanted(
        image=image,
        python=python,
        root=str(root),
        place=(status.st_dev, status.st_ino),
        user=user,
        strict=strict,
        memory_mib=limits.memory_mib,
        processes=limits.processes,
        disk_mib=limits.disk_mib,
    )


def configuration(want: Wanted, facts: Facts, folder: Path, runtime: str) -> dict[str, Any]:
    """The container in the terms of the daemon's API. `folder` is on the host, with the agent and the socket in it."""
    return {
        "Image": want.image,
        "Hostname": "suture",
        "User": f"{want.user[0]}:{want.user[1]}",
        "WorkingDir": "/",
        "Entrypoint": [want.python, "-I", "-S", f"{AGENT_FOLDER}/agent.zip"],
        "Cmd": [f"{AGENT_FOLDER}/socket", str(IDLE_SECONDS), "strict" if want.strict else "fast"],
        "Env": ["PYTHONDONTWRITEBYTECODE=1"],
        "Labels": {owner.LABEL: owner.mine(), owner.BACKEND: folder.parent.name, "suture.mode": "strict" if want.strict else "fast"},
        "NetworkDisabled": True,
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            **_limits(want, facts),
            **_privileges(want, facts),
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "AutoRemove": True,
            "Init": False,  # the agent is process 1: the kernel keeps signals from inside from it, and it buries what is left behind
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "Runtime": runtime or facts.default_runtime,
            "ShmSize": SHARED_MEMORY_MIB * _MIB,
            "Tmpfs": _memory_places(want),
            "Mounts": _binds(want, folder),
        },
    }


def _limits(want: Wanted, facts: Facts) -> dict[str, Any]:
    memory = (want.memory_mib + _OURS_MIB + (COPIED_MIB if want.strict else 0) + (_ZYGOTE_MIB if want.module else 0)) * _MIB
    return {
        "Memory": memory,
        "MemorySwap": memory,
        "PidsLimit": want.processes + _OUR_PROCESSES + bool(want.module),
        "NanoCpus": facts.processors * 10**9,
        "CpuShares": 512,  # half of what others get where there is not enough
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
    }


def _privileges(want: Wanted, facts: Facts) -> dict[str, Any]:
    options = ["no-new-privileges"]
    if facts.selinux:
        options.append("label=disable")  # else the workspace would have to be labelled anew, on the user's own disk
    if want.strict:
        return {"CapDrop": ["ALL"], "SecurityOpt": options}
    if facts.seccomp:
        options.append(f"seccomp={profile.fast()}")
    if facts.apparmor:
        options.append("apparmor=unconfined")  # Docker's profile forbids every mount
    # a new /proc may be mounted only where nothing of the old one is hidden; the agent hides the same in the attempt's own
    return {"CapDrop": ["ALL"], "CapAdd": _rights(want), "SecurityOpt": options, "MaskedPaths": [], "ReadonlyPaths": []}


def _rights(want: Wanted) -> list[str]:
    """The kernel lets user 0 into a user namespace only where it may give files capabilities; of no use where nothing can be written."""
    return ["SETFCAP"] if want.user[0] == 0 else []


def _memory_places(want: Wanted) -> dict[str, str]:
    """Places that can be written to. In fast mode they are only where the attempt's own are laid."""
    size = want.disk_mib + 4 if want.strict else 1
    mine = f",uid={want.user[0]},gid={want.user[1]}"
    places = {
        SCRATCH: _SMALL.format(size=size, mode="0700") + mine,
        "/tmp": _SMALL.format(size=size, mode="1777"),  # noqa: S108  # inside
        "/var/tmp": _SMALL.format(size=size, mode="1777"),  # noqa: S108  # inside
        HOME: _SMALL.format(size=size, mode="0700") + mine,
    }
    if want.strict:
        places[want.root] = _SMALL.format(size=size + COPIED_MIB, mode="0755") + mine
    return places


def _binds(want: Wanted, folder: Path) -> list[dict[str, Any]]:
    return [
        _bind(want.root, SOURCE if want.strict else want.root),
        _bind(str(folder), AGENT_FOLDER),
        _bind(str(folder / "passwd"), "/etc/passwd"),
        _bind(str(folder / "group"), "/etc/group"),
    ]


def _bind(source: str, target: str) -> dict[str, Any]:
    alone = {"NonRecursive": True, "Propagation": "rprivate"}
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True, "BindOptions": alone}
