"""What goes wrong around a container: suture is killed, the daemon is, the container is. The right outcome, and nothing left behind."""

# ruff: noqa: ASYNC110, ASYNC220, ASYNC221  # one test at a time has the loop to itself

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from suture_sandbox.backend import Command
from suture_sandbox.docker import DockerBackend, DockerOptions
from suture_sandbox.docker.folder import PREFIX
from suture_sandbox.errors import BackendUnavailable, ConfigurationError, InfrastructureError, SandboxFailed
from suture_sandbox.snapshot import Snapshot

WORKER = """
import asyncio, json, sys
from pathlib import Path
import msgspec
from suture_sandbox.backend import Command
from suture_sandbox.docker import DockerBackend, DockerOptions
from suture_sandbox.environment import Environment
from suture_sandbox.snapshot import Snapshot
mode, root, mark = sys.argv[1:4]
environment = msgspec.json.decode(sys.stdin.buffer.read(), type=Environment)
async def main():
    backend = DockerBackend(DockerOptions(mode=mode))
    async def work(argv):
        while True:
            await backend.run(Snapshot(Path(root)), environment, Command(argv=argv, variables={"MARK": mark}))
            print("ran", flush=True)
    await asyncio.gather(work(("true",)), work(("sh", "-c", "setsid sleep 1000 & sleep 0.2")))
asyncio.run(main())
"""


def _marked(mark: str) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _folders_of(pid: int) -> list[str]:
    places = Path(tempfile.gettempdir()).glob(f"{PREFIX}*/owner")
    return [str(place) for place in places if f"/{pid}/" in place.read_text()]


def _start(mode, workspace, environment, mark) -> subprocess.Popen[bytes]:
    import msgspec

    child = subprocess.Popen([sys.executable, "-c", WORKER, mode, str(workspace), mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(msgspec.json.encode(environment))
    child.stdin.close()
    return child


@pytest.mark.parametrize("mode", ["fast", "strict"])
def test_a_killed_suture_leaves_nothing(mode, workspace, environment, containers):
    """At moments that differ: while containers are made, started, asked, and while commands run."""
    waits = (None, 0.4, 0.9)
    for wait in waits:
        mark = uuid.uuid4().hex
        child = _start(mode, workspace, environment, mark)
        if wait is None:
            assert child.stdout.readline() == b"ran\n"
        else:
            time.sleep(wait)
        child.kill()
        child.wait()
        child.stdout.close()
        deadline = time.monotonic() + 30
        while (left := (containers(child.pid), _marked(mark), _folders_of(child.pid))) != ([], [], []):
            assert time.monotonic() < deadline, (wait, left)
            time.sleep(0.1)


async def test_a_container_that_is_removed_under_a_command(workspace, environment, containers):
    backend = DockerBackend(DockerOptions(containers=1))
    for how in (("docker", "rm", "-f"), ("docker", "kill"), ("docker", "pause")):
        seconds = 1 if "pause" in how else 20
        work = asyncio.create_task(backend.run(Snapshot(workspace), environment, Command(argv=("sleep", "60"), seconds=seconds)))
        while not (found := containers(os.getpid())):
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        if "pause" in how:  # nothing answers any more: the backstop has to do it
            work.cancel()
            await asyncio.sleep(0)
            subprocess.run([*how, found[0]], check=True, capture_output=True)
            subprocess.run(["docker", "unpause", found[0]], check=False, capture_output=True)
            with pytest.raises(asyncio.CancelledError):
                await work
        else:
            subprocess.run([*how, found[0]], check=True, capture_output=True)
            with pytest.raises(SandboxFailed):
                await work
        done = await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
        assert done.exit_code == 0
    await backend.close()
    assert containers(os.getpid()) == []


async def test_a_killed_agent_is_a_failure_of_the_sandbox(workspace, environment, containers):
    mark = uuid.uuid4().hex
    backend = DockerBackend(DockerOptions(containers=1))
    work = asyncio.create_task(backend.run(Snapshot(workspace), environment, Command(argv=("sleep", "60"), variables={"MARK": mark})))
    while not _marked(mark):
        await asyncio.sleep(0.05)
    name = containers(os.getpid())[0]
    pid = int(subprocess.run(["docker", "inspect", "-f", "{{.State.Pid}}", name], capture_output=True, check=True).stdout)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SandboxFailed):
        await work
    assert _marked(mark) == []
    assert (await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))).exit_code == 0
    await backend.close()


async def test_a_full_disk_of_the_attempt_is_told_and_the_next_has_its_own(workspace, environment):
    for mode in ("fast", "strict"):
        backend = DockerBackend(DockerOptions(mode=mode, containers=1))
        for place in ("big", "/tmp/big"):
            done = await backend.run(Snapshot(workspace), environment, Command(argv=("sh", "-c", f"head -c 1G /dev/zero > {place}")))
            assert done.ended == "disk", (mode, place)
        done = await backend.run(Snapshot(workspace), environment, Command(argv=("sh", "-c", "head -c 40M /dev/zero > big; ls -s big")))
        assert (done.ended, done.exit_code) == ("exited", 0), (mode, done.stderr)
        await backend.close()


async def test_no_daemon(workspace, environment, tmp_path):
    for socket, error, says in (
        (f"unix://{tmp_path}/none.sock", BackendUnavailable, "no Docker daemon answers"),
        ("tcp://127.0.0.1:2375", ConfigurationError, "not a socket of this machine"),
        ("ssh://host", ConfigurationError, "not a socket of this machine"),
    ):
        backend = DockerBackend(DockerOptions(socket=socket))
        with pytest.raises(error, match=says) as caught:
            await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
        assert caught.value.remedy
        probe = await backend.probe()
        assert (probe.available, probe.remedy) == (False, caught.value.remedy)
        await backend.close()


@pytest.fixture
def own_daemon(docker_image):
    """A daemon of this test's own, which it may kill; it shares nothing with the machine's."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("only root can start a daemon to kill")
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))
    address = f"unix://{folder}/d.sock"
    # in a network namespace of its own: without a bridge, a daemon removes the one that the machine's daemon has made
    command = [
        "unshare",
        "--net",
        "dockerd",
        "--data-root",
        f"{folder}/data",
        "--exec-root",
        f"{folder}/exec",
        "-H",
        address,
        "-p",
        f"{folder}/pid",
    ]
    command += ["--bridge", "none", "--iptables=false", "--storage-driver", "overlay2"]
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        for stale in (folder / "pid", folder / "exec/containerd/containerd.pid"):
            stale.unlink(missing_ok=True)
        with (folder / "log").open("ab") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))
        deadline = time.monotonic() + 60
        while subprocess.run(["docker", "-H", address, "version"], check=False, capture_output=True).returncode:
            assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        return running[-1]

    yield address, start
    for child in running:
        child.terminate()
        child.wait(30)
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(str(folder)):
            subprocess.run(["umount", "-l", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK leaves sockets to a dead daemon unclosed
async def test_a_daemon_that_is_killed_and_comes_back(own_daemon, docker_image, workspace, environment, containers):
    address, start = own_daemon
    daemon = start()
    with subprocess.Popen(["docker", "save", docker_image], stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "-H", address, "load"], stdin=saved.stdout, check=True, capture_output=True)
    backend = DockerBackend(DockerOptions(socket=address, containers=1))
    command = Command(argv=("sleep", "1000"), variables={"MARK": "daemon"})
    work = asyncio.create_task(backend.run(Snapshot(workspace), environment, command))
    while not containers(os.getpid(), host=address):
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    daemon.kill()
    daemon.wait()
    await asyncio.sleep(1)
    start()  # which ends what ran under the one before
    with pytest.raises(InfrastructureError):
        await asyncio.wait_for(work, 60)
    done = await backend.run(Snapshot(workspace), environment, Command(argv=("echo", "back")))
    assert done.stdout == b"back\n"
    await backend.close()
    assert containers(os.getpid(), host=address) == []
