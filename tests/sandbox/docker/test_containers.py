"""What the daemon is asked for, looked at in the running container; and that nothing of it stays."""

# ruff: noqa: ASYNC110  # no event tells of a container

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.backend import Command
from suture_sandbox.docker import DockerBackend, DockerOptions, owner, reaper
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.folder import PREFIX
from suture_sandbox.errors import BackendUnavailable
from suture_sandbox.snapshot import Snapshot


def _inspected(container: str) -> dict:
    return json.loads(subprocess.run(["docker", "inspect", container], capture_output=True, check=True).stdout)[0]


def _folders() -> set[str]:
    own = f"/{os.getpid()}/"
    return {path.parent.name for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/owner") if own in path.read_text()}


@pytest.mark.parametrize("mode", ["fast", "strict"])
async def test_a_container_is_hardened_and_gone_when_the_backend_is_closed(mode, workspace, environment, containers):
    before = _folders()
    backend = DockerBackend(DockerOptions(mode=mode, containers=1))
    attempt = asyncio.create_task(backend.run(Snapshot(workspace), environment, Command(argv=("sh", "-c", "sleep 3; id -u"))))
    while not (names := containers(os.getpid())):
        await asyncio.sleep(0.05)
    told = _inspected(names[0])
    host = told["HostConfig"]
    assert told["Image"] == environment.fields.image
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"], host["AutoRemove"]) == ("none", True, False, True)
    assert (host["CapDrop"], host["PidMode"], host["IpcMode"], host["Devices"] or []) == (["ALL"], "", "private", [])
    assert host["CapAdd"] in (None, [], ["SETFCAP"])
    assert "no-new-privileges" in host["SecurityOpt"]
    assert (host["PidsLimit"], host["MemorySwap"]) == (44, host["Memory"])
    assert host["Memory"] == (256 + 24 + (128 if mode == "strict" else 0)) << 20
    assert all(not mount["RW"] for mount in told["Mounts"])
    assert {mount["Destination"] for mount in told["Mounts"] if mount["Source"] == str(workspace)} <= {
        str(workspace),
        "/run/suture-workspace",
    }
    assert all("size=" in options for options in host["Tmpfs"].values())
    if mode == "strict":
        assert told["Config"]["User"].split(":")[0] != "0"
        assert not any(option.startswith("seccomp") for option in host["SecurityOpt"])  # the daemon's own
        assert host["MaskedPaths"]
        assert host["CapAdd"] in (None, [])
    done = await attempt
    assert done.stdout in (b"1000\n", f"{os.geteuid()}\n".encode())
    await backend.close()
    assert containers(os.getpid()) == []
    assert _folders() == before


async def test_fast_mode_keeps_its_container_and_strict_mode_never_does(workspace, environment):
    for mode in ("fast", "strict"):
        backend = DockerBackend(DockerOptions(mode=mode, containers=1))
        seen = [(await backend.run(Snapshot(workspace), environment, Command(argv=("cat", "/proc/self/cgroup")))).stdout for _ in range(4)]
        await backend.close()
        assert len(set(seen)) == (1 if mode == "fast" else 4), seen


async def test_files_of_the_host_are_not_there(workspace, environment, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    for mode in ("fast", "strict"):
        backend = DockerBackend(DockerOptions(mode=mode))
        places = "/var/lib/docker /run/docker.sock /var/run/docker.sock /run/suture-agent"
        script = f"cat {secret}; ls {places}; cat /etc/shadow"
        done = await backend.run(Snapshot(workspace), environment, Command(argv=("sh", "-c", script)))
        await backend.close()
        assert b"hunter2" not in done.stdout
        assert b"root:" not in done.stdout
        assert b"socket" not in done.stdout
        assert b"No such file" in done.stderr


async def test_one_attempt_leaves_no_trace_for_the_next(workspace, environment):
    """In one warm container: files, shared memory, message queues, System V memory, abstract sockets, daemons, terminals."""
    backend = DockerBackend(DockerOptions(containers=1))
    leave = """
import mmap, os, pathlib, socket, subprocess, sys, ctypes
for place in ("/tmp/t", "/var/tmp/t", os.path.expanduser("~/t"), "/dev/shm/t", "left", "/run/suture/t"):
    pathlib.Path(place).write_text("left")
libc = ctypes.CDLL(None)
print("shm", libc.shmget(4711, 4096, 0o1666))
print("mq", libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, None))
daemon = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind(chr(0) + 'left'); s.listen(); time.sleep(99)"
subprocess.Popen([sys.executable, "-c", daemon])
"""
    look = """
import os, pathlib, socket, ctypes
for place in ("/tmp/t", "/var/tmp/t", os.path.expanduser("~/t"), "/dev/shm/t", "left", "/run/suture/t"):
    assert not os.path.exists(place), place
libc = ctypes.CDLL(None)
assert libc.shmget(4711, 4096, 0o666) < 0
assert libc.mq_open(b"/left", os.O_RDWR) < 0
assert os.listdir("/dev/mqueue") == [], os.listdir("/dev/mqueue")
assert os.listdir("/dev/pts") == ["ptmx"], os.listdir("/dev/pts")
assert len([name for name in os.listdir("/proc") if name.isdigit()]) <= 3, os.listdir("/proc")
try:
    socket.socket(socket.AF_UNIX).connect(chr(0) + "left")
except ConnectionRefusedError:
    print("fresh")
"""
    first = await backend.run(Snapshot(workspace), environment, Command(argv=("python", "-c", leave)))
    second = await backend.run(Snapshot(workspace), environment, Command(argv=("python", "-c", look)))
    assert b"shm -1" not in first.stdout
    assert (first.exit_code, second.exit_code, second.stdout) == (0, 0, b"fresh\n"), (first.stderr, second.stderr)
    await backend.close()


async def test_the_agent_cannot_be_reached_from_inside(workspace, environment):
    script = """
import os, signal, ctypes
for target in (1, os.getppid()):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGCHLD):
        try:
            os.kill(target, number)
        except (PermissionError, ProcessLookupError):
            pass
for name in ("mem", "fd", "maps", "environ", "root"):
    try:
        os.listdir(f"/proc/1/{name}") if name in ("fd", "root") else open(f"/proc/1/{name}", "rb").read(1)
        print(name, "open")
    except OSError:
        pass
os._exit(7)
"""
    for mode in ("fast", "strict"):
        backend = DockerBackend(DockerOptions(mode=mode))
        done = await backend.run(Snapshot(workspace), environment, Command(argv=("python", "-c", script)))
        await backend.close()
        assert (done.ended, done.exit_code, done.stdout) == ("exited", 7, b""), mode


async def test_strict_mode_says_when_a_workspace_is_too_large(workspace, environment):
    (workspace / "large.bin").write_bytes(b"")
    os.truncate(workspace / "large.bin", 200 << 20)
    backend = DockerBackend(DockerOptions(mode="strict"))
    with pytest.raises(Exception, match="128 MiB") as caught:
        await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
    assert "fast" in caught.value.remedy
    await backend.close()


async def test_an_unknown_runtime_and_no_image_are_told(workspace, environment):
    backend = DockerBackend(DockerOptions(runtime="nothing"))
    with pytest.raises(BackendUnavailable, match="nothing"):
        await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
    assert not (await backend.probe()).available
    await backend.close()
    backend = DockerBackend()
    nowhere = msgspec.structs.replace(environment, fields=msgspec.structs.replace(environment.fields, image=""))
    with pytest.raises(BackendUnavailable, match="no image"):
        await backend.run(Snapshot(workspace), nowhere, Command(argv=("true",)))
    await backend.close()


def test_what_the_dead_have_left_is_removed_and_nothing_else(docker_image):
    daemon = Daemon()
    dead = owner.mine().rsplit("/", 2)[0] + "/999999999/1"
    made = {}
    for label in (owner.mine(), dead, "another/boot/1/1", "nonsense"):
        made[label] = daemon.create({"Image": docker_image, "Cmd": ["true"], "Labels": {owner.LABEL: label}})
    try:
        assert set(reaper.reap(daemon)) >= {made[dead], made["another/boot/1/1"]}
        assert {label: daemon.exists(name) for label, name in made.items()} == {
            owner.mine(): True,
            dead: False,
            "another/boot/1/1": False,
            "nonsense": True,
        }
    finally:
        for name in made.values():
            daemon.remove(name)
        daemon.close()
