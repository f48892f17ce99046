"""Where the fault bench runs: a workspace, an environment that can be used warm, a small disk to fill; and what can be left there."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from fault_jobs import CHECK, FILES

from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local.start import TITLE

PREFIX = "bench-faults-"
NOBODY = 54321
LIMITS = Limits(seconds=60, cpu_seconds=60, memory_mib=128, processes=40, disk_mib=24, output_mib=1, open_files=256)
DISK_MIB = 16
DISTRIBUTIONS = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
_OUTSIDE = (Path("/tmp/left"), Path("/var/tmp/left"), Path("/dev/shm/left"), Path("~/left").expanduser())
_NEW_MOUNTS, _PRIVATE, _SUBREAPER = 0x20000, 0x44000, 36
_libc = ctypes.CDLL(None, use_errno=True)


def stand_apart() -> None:
    """Orphans of this process's children become its own, so that it sees what they leave; as root, its mounts are nobody else's."""
    _libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    if os.geteuid() == 0:
        assert _libc.unshare(_NEW_MOUNTS) == 0, os.strerror(ctypes.get_errno())
        assert _libc.mount(None, b"/", None, _PRIVATE, None) == 0, os.strerror(ctypes.get_errno())


class Ground:
    """The folder of a run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o755)
        self.root = self.folder / "workspace"
        self.root.mkdir()
        for name, text in FILES.items():
            (self.root / name).write_text(text)
        self.clock = self.folder / "clock"
        self.clock.write_bytes(bytes(8))
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.bounded = os.geteuid() == 0 and _mounted(self.disk)
        """Whether the disk can be filled without harm to anybody."""
        if os.geteuid() == 0:
            for path in (self.root, *self.root.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        self.text = self.content()

    def environment(self, mark: str) -> Environment:
        """The local one; `mark` is in the variables of every process inside."""
        python, packages = _python(), self.folder / "packages"
        if not packages.exists():
            _copy_packages(packages)
            (self.folder / "bin").mkdir()
            (self.folder / "bin" / "python").symlink_to(python)
        base = () if os.path.realpath(python).startswith("/usr/") else (os.path.realpath(sys.base_prefix),)
        runtime = Runtime(
            python=python,
            search_path=(str(self.folder / "bin"), "/usr/bin", "/bin"),
            readonly=(str(packages), str(self.folder / "bin"), *base),
            variables=variables(mark, PYTHONPATH=str(packages)),
        )
        return Environment(EnvironmentFields(checks={CHECK.name: CHECK}), runtime, LIMITS)

    def content(self) -> str:
        """One hash of the workspace, which nothing may change."""
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        return hashlib.sha256(b"\0".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()

    def scratch(self, number: int, *, bounded: bool) -> Path:
        """A new folder for the temporary files of one worker, and nothing else; on the small disk, or on the machine's."""
        folder = (self.disk if bounded else self.folder) / f"temporary{number}"
        folder.mkdir()
        return folder

    def fill(self) -> None:
        """Leave no room on the small disk."""
        with (self.disk / "filler").open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue

    def drain(self) -> None:
        """Make room again."""
        (self.disk / "filler").unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of it."""
        if self.bounded:
            _libc.umount2(str(self.disk).encode(), 2)
        shutil.rmtree(self.folder, ignore_errors=True)


def variables(mark: str, **more: str) -> dict[str, str]:
    """What is set inside, by which processes are known again."""
    fixed = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return {**fixed, "BENCH_FAULTS": mark, **more}


class Surroundings:
    """What there is of the machine before anything is started, to compare with afterwards."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._mounts = _mounts()

    def left(self, pid: int, mark: str, scratch: Path, ours: frozenset[int]) -> dict[str, list[str]]:
        """What is left of a worker that is gone, by kind; empty where it is nothing. `ours` are processes that belong here."""
        found = {
            "processes": [_told(each) for each in _strays(pid, mark, ours)],
            "mounts": sorted(_mounts() - self._mounts),
            "folders": [path.name for path in scratch.iterdir()],
            "files that got out": [str(place) for place in _OUTSIDE if place.exists()],
            "control groups": [str(path) for path in _groups(pid)],
            "changed files": [] if self._ground.content() == self._ground.text else ["the workspace"],
        }
        return {kind: names for kind, names in found.items() if names}


def _strays(pid: int, mark: str, ours: frozenset[int]) -> Iterator[psutil.Process]:
    """Processes that a worker left: children of nobody (they are this process's then), or known by title or mark."""
    orphans = {each.pid for each in psutil.Process().children(recursive=True)} - ours
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid in ours:
                continue
            if process.pid in orphans or process.cmdline()[:1] == [f"{TITLE}{pid}"] or process.environ().get("BENCH_FAULTS") == mark:
                yield process
        except psutil.Error:
            continue


def _told(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:80]}"
    except psutil.Error:
        return str(process.pid)


def bury(ours: frozenset[int]) -> None:
    """Reap orphans that have ended; the own children are waited for by those who started them."""
    for process in psutil.Process().children():
        try:
            if process.pid not in ours and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
        except (psutil.Error, ChildProcessError):
            continue


def _mounts() -> set[str]:
    """Places at which something is mounted, here and where the machine's first process is."""
    found: set[str] = set()
    for place in ("/proc/self/mountinfo", "/proc/1/mountinfo"):
        try:
            found |= {line.split()[4] for line in Path(place).read_text().splitlines()}
        except OSError:
            continue
    return {place for place in found if PREFIX in place}


def _groups(pid: int) -> Iterator[Path]:
    for place in Path("/sys/fs/cgroup").glob("*"):
        own = _own_group(place.name)
        if own is not None and (place / own).is_dir():
            yield from (place / own).glob(f"suture-{pid}-*")


def _own_group(controller: str) -> str | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path.lstrip("/")
    return None


def _mounted(disk: Path) -> bool:
    return _libc.mount(b"tmpfs", str(disk).encode(), b"tmpfs", 0, f"size={DISK_MIB}m,mode=0755".encode()) == 0


def _python() -> str:
    """An interpreter that an ordinary user can start: the workspace is one's, since there are no warm attempts of root's."""
    found = sys.executable if os.geteuid() != 0 else shutil.which("python3", path="/usr/bin")
    if found is None:
        sys.exit("run this as an ordinary user: there is no interpreter in /usr that one could start")
    return found


def _copy_packages(folder: Path) -> None:
    """Pytest and what it needs, for whoever runs inside to read."""
    folder.mkdir()
    for name in DISTRIBUTIONS:
        for file in importlib.metadata.files(name) or ():
            if not str(file).startswith("..") and "__pycache__" not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file.locate(), folder / file)
    subprocess.run([_python(), "-m", "compileall", "-q", str(folder)], check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
