"""The daemon of the fault bench: one of its own where it may start one, so that it can be killed, else the machine's; or none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import msgspec
from bench_docker import image_environment
from fault_ground import LIMITS, variables
from fault_jobs import CHECK

from suture_sandbox.docker.daemon import USUAL, Daemon
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFloorError

_START_SECONDS = 60


class Containers:
    """A daemon with the tests' image."""

    def __init__(self, folder: Path) -> None:
        """Raises SandboxFloorError where there is no daemon or no image."""
        self._folder = folder / "dockerd"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = image_environment()
        self.own = os.geteuid() == 0 and shutil.which("dockerd") is not None
        """Whether it is the bench's own."""
        self.address = f"unix://{self._folder}/d.sock" if self.own else USUAL
        if self.own:
            self._folder.mkdir(mode=0o711)
            self.start()
            with subprocess.Popen(["docker", "save", self._environment.fields.image], stdout=subprocess.PIPE) as saved:
                subprocess.run(["docker", "-H", self.address, "load"], stdin=saved.stdout, check=True, capture_output=True)

    @property
    def pids(self) -> frozenset[int]:
        """The daemon's own processes, which are no stray ones; containers and their shims are."""
        if self._process is None:
            return frozenset()
        return frozenset({self._process.pid, *_children(self._process.pid)})

    def environment(self, mark: str) -> Environment:
        """The environment in the image; `mark` as in the ground's."""
        runtime = msgspec.structs.replace(self._environment.runtime, variables=variables(mark))
        fields = msgspec.structs.replace(self._environment.fields, checks={CHECK.name: CHECK})
        return msgspec.structs.replace(self._environment, fields=fields, runtime=runtime, limits=LIMITS)

    def start(self) -> None:
        """Start the own daemon, and wait until it answers."""
        folder = self._folder
        for stale in (folder / "pid", folder / "exec/containerd/containerd.pid"):
            stale.unlink(missing_ok=True)
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
            self.address,
            "-p",
            f"{folder}/pid",
        ]
        command += ["--bridge", "none", "--iptables=false", "--storage-driver", "overlay2"]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while subprocess.run(["docker", "-H", self.address, "version"], check=False, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text()[-2000:])
            time.sleep(0.2)

    def restart(self) -> None:
        """Kill the own daemon and start it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        time.sleep(0.5)
        self.start()

    def of(self, pid: int) -> list[str]:
        """Containers, running or not, that a suture process made."""
        told = self._docker("ps", "-a", "--no-trunc", "--format", '{{.ID}} {{.Label "suture.owner"}}')
        pairs = [line.split(" ", 1) for line in told.splitlines()]
        return [name for name, owner in pairs if owner.split("/")[2:3] == [str(pid)]]

    def kill_agent(self, container: str) -> bool:
        """Kill -9 the first process of a container; whether there was one."""
        told = self._docker("inspect", "-f", "{{.State.Pid}}", container).strip()
        if not told.isdecimal() or told == "0":
            return False
        os.kill(int(told), signal.SIGKILL)
        return True

    def remove(self, container: str) -> bool:
        """Remove a container under whatever runs in it; whether it was there."""
        return bool(self._docker("rm", "-f", container).strip())

    def stop(self) -> None:
        """End the own daemon, and what it has mounted."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.wait(_START_SECONDS)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if (place := line.split()[1]).startswith(str(self._folder)):
                subprocess.run(["umount", "-l", place], check=False)

    def _docker(self, *arguments: str) -> str:
        """What the client says; nothing where the daemon is down or the container gone."""
        done = subprocess.run(["docker", "-H", self.address, *arguments], capture_output=True, text=True, check=False)
        return done.stdout


def open_containers(folder: Path) -> tuple[Containers | None, str]:
    """A daemon to do things to, else why there is none."""
    try:
        Daemon().facts()
        return Containers(folder), ""
    except SandboxFloorError as error:
        return None, str(error)


def _children(pid: int) -> list[int]:
    """The daemon's containerd: what it starts itself."""
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []
