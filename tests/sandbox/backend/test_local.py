"""The local backend's own promises: dying with suture, users, machines that forbid isolation, and nothing left behind."""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC240, ASYNC251, E501, PTH208  # one test at a time has the loop to itself; long lines are hostile scripts

from __future__ import annotations

import asyncio
import json
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
from suture_sandbox.backends import BACKENDS, default_backend
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import BackendUnavailable, ConfigurationError, SandboxFailed
from suture_sandbox.local import LocalBackend, account, bubblewrap, cgroups, layout
from suture_sandbox.local.start import Account
from suture_sandbox.snapshot import Snapshot

SOURCES = Path(layout.__file__).resolve().parents[2]


def processes_with(mark: str) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in text:
                found.append(int(entry.name))
    return found


def until(condition, seconds: float = 20.0):
    """Wait until `condition` gives something true; gives what it gave last."""
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return result


VICTIM = """
import asyncio, sys
from pathlib import Path
from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.snapshot import Snapshot
environment = Environment(EnvironmentFields(), Runtime(python="python", search_path=("/usr/bin", "/bin"), readonly=()), Limits())
script = "setsid sh -c 'setsid sleep 1000 & exec sleep 1000' & exec sleep 1000"
command = Command(argv=("sh", "-c", script), variables={"MARK": sys.argv[2]})
async def main():
    backend = LocalBackend()
    await asyncio.gather(*(backend.run(Snapshot(Path(sys.argv[1])), environment, command) for _ in range(3)))
asyncio.run(main())
"""


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


def _groups() -> set[str]:
    return {str(folder) for parent in cgroups.find_parents().values() for folder in parent.glob("suture-*")}


async def test_kill_9_of_suture_takes_everything_with_it(workspace, mark):
    mounts, files = Path("/proc/self/mountinfo").read_text(), set(os.listdir(tempfile.gettempdir()))
    with subprocess.Popen([sys.executable, "-c", VICTIM, str(workspace), mark]) as victim:
        assert until(lambda: len([pid for pid in processes_with(mark) if pid != victim.pid]) >= 9)
        victim.kill()
        victim.wait()
    assert until(lambda: not processes_with(mark)), processes_with(mark)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert {name for name in set(os.listdir(tempfile.gettempdir())) - files if "suture" in name} == set()
    backend = LocalBackend()
    await backend.probe()
    assert not [group for group in _groups() if f"suture-{victim.pid}-" in group]
    await backend.close()


async def test_kill_9_at_the_very_start(workspace, mark):
    """At whatever moment suture dies while it starts attempts, none goes on."""
    for delay in (0.0, 0.002, 0.004, 0.008):
        with subprocess.Popen([sys.executable, "-c", VICTIM, str(workspace), mark]) as victim:
            until(lambda: processes_with(f"suture-attempt-of-{victim.pid}"))  # called at once
            time.sleep(delay)
            victim.kill()
            victim.wait()
        assert until(lambda: not processes_with(mark) and not processes_with(f"suture-attempt-of-{victim.pid}"))  # the same


async def test_an_interrupt_ends_everything(workspace, mark):
    with subprocess.Popen([sys.executable, "-c", VICTIM, str(workspace), mark], stderr=subprocess.DEVNULL) as victim:
        assert until(lambda: len([pid for pid in processes_with(mark) if pid != victim.pid]) >= 9)
        victim.send_signal(signal.SIGINT)
        victim.wait(timeout=20)
        assert not processes_with(mark)
    assert not [group for group in _groups() if f"suture-{victim.pid}-" in group]


async def test_cancelling_waits_for_the_end_of_every_process(local, mark):
    task = asyncio.create_task(local.sh("setsid sleep 1000 & sleep 1000", variables={"MARK": mark}))
    while len(processes_with(mark)) < 2:  # noqa: ASYNC110  # no event tells it
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_with(mark) == []


async def test_cancelling_twice_still_waits(local, mark):
    task = asyncio.create_task(local.sh("sleep 1000", variables={"MARK": mark}))
    while not processes_with(mark):  # noqa: ASYNC110  # no event tells it
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_with(mark) == []


async def test_attempts_leave_nothing(local, workspace):
    await local.sh("true")
    descriptors, mounts = len(os.listdir("/proc/self/fd")), Path("/proc/self/mountinfo").read_text()
    before = sorted(str(path) for path in workspace.rglob("*"))
    for _ in range(30):
        await local.sh("echo x > new.txt", keep=True)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert processes_with(f"suture-attempt-of-{os.getpid()}") == []
    assert sorted(str(path) for path in workspace.rglob("*")) == before


async def test_closing_removes_the_control_groups(workspace, environment):
    backend = LocalBackend()
    await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
    await backend.close()
    assert not [group for group in _groups() if f"suture-{os.getpid()}-" in group]


async def test_pytest_writes_its_report(local, workspace):
    (workspace / "test_calc.py").write_text("from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n")
    argv = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={report}", "test_calc.py")
    done = await local.backend.run(local.snapshot, local.environment, Command(argv=argv))
    assert (done.ended, done.exit_code) == ("exited", 1)
    assert done.report.startswith(b"<?xml")
    assert b'failures="1"' in done.report
    fixed = local.snapshot.with_edits({"calc.py": b"def add(a, b):\n    return a + b\n"})
    done = await local.backend.run(fixed, local.environment, Command(argv=argv))
    assert (done.exit_code, b'failures="0"' in done.report) == (0, True)
    assert done.cpu_seconds > 0


async def test_the_report_can_be_written_by_a_grandchild(local):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'open(%r, \"w\").write(\"deep\")' % sys.argv[1]], check=True)"
    done = await local.backend.run(local.snapshot, local.environment, Command(argv=("python", "-c", code, "{report}")))
    assert (done.exit_code, done.report) == (0, b"deep")


async def test_an_exit_code_cannot_be_forged(local):
    code = """
import os, sys
for where in ("self", "1"):
    for fd in os.listdir(f"/proc/{where}/fd"):
        for text in (b'{ "exit-code": 0 }\\n', b"\\n"):
            try:
                with open(f"/proc/{where}/fd/{fd}", "wb", buffering=0) as file:
                    file.write(text)
            except OSError:
                pass
os._exit(9)
"""
    done = await local.python(code)
    assert (done.ended, done.exit_code) == ("exited", 9)


async def test_git_works_inside(local, workspace):
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    for command in (["init", "-q"], ["add", "calc.py"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=workspace, env=environment, check=True)
    done = await local.sh(
        "git log --format=%s; git status --short calc.py; echo x >> calc.py; git diff --stat; git commit -qam second; git log --format=%s | wc -l"
    )
    assert done.stdout.startswith(b"first\n"), done.stderr
    assert b"calc.py | 1 +" in done.stdout
    log = subprocess.run(["git", "log", "--format=%s"], cwd=workspace, capture_output=True, check=True)
    assert log.stdout == b"first\n"


async def test_a_virtual_environment_inside_the_workspace_is_read_only(workspace):
    (workspace / ".venv" / "lib").mkdir(parents=True)
    (workspace / ".venv" / "lib" / "module.py").write_text("pinned\n")
    runtime = Runtime(python="python", search_path=("/usr/bin",), readonly=(str(workspace / ".venv"),))
    backend = LocalBackend()
    command = Command(argv=("sh", "-c", "echo x > .venv/lib/module.py; cat .venv/lib/module.py; echo y > calc.py && cat calc.py"))
    done = await backend.run(Snapshot(workspace), Environment(EnvironmentFields(), runtime, Limits(seconds=20)), command)
    await backend.close()
    assert done.stdout == b"pinned\ny\n"


async def test_a_workspace_below_the_toolchain(workspace):
    runtime = Runtime(python="python", search_path=("/usr/bin",), readonly=(str(workspace),))
    backend = LocalBackend()
    command = Command(argv=("sh", "-c", "cat deep.txt; echo x > deep.txt; cat deep.txt; echo y > ../calc.py"))
    done = await backend.run(Snapshot(workspace / "src"), Environment(EnvironmentFields(), runtime, Limits(seconds=20)), command)
    await backend.close()
    assert (done.stdout, done.exit_code) == (b"deep\nx\n", 2)


@pytest.mark.parametrize("place", ["/", "/proc", "/dev/shm/x", "/etc/x", "relative"])
def test_places_that_cannot_be_workspaces(place):
    with pytest.raises(ConfigurationError):
        layout.check_root(Path(place))


async def test_too_many_edits_are_an_error_of_their_own(local):
    edited = local.snapshot.with_edits({f"many/f{n}.py": b"x" for n in range(401)})
    with pytest.raises(SandboxFailed, match="401"):
        await local.sh("true", snapshot=edited)
    edited = local.snapshot.with_edits({f"many/f{n}.py": b"x" for n in range(390)})
    assert (await local.sh("ls many | wc -l", snapshot=edited)).stdout == b"390\n"


ORDINARY = """
import asyncio, json, sys
from pathlib import Path
from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.snapshot import Snapshot
limits = Limits(seconds=20, memory_mib=200, processes=30, disk_mib=40)
own = (sys.prefix, sys.base_prefix)
environment = Environment(EnvironmentFields(), Runtime(python=sys.executable, search_path=("/usr/bin", "/bin"), readonly=own), limits)
async def main():
    backend, snapshot, results = LocalBackend(), Snapshot(Path(sys.argv[1])), {}
    probe = await backend.probe()
    results["probe"] = [probe.available, probe.level, probe.problem]
    scripts = {
        "who": "id -u; grep CapEff /proc/self/status; cat file.txt; echo changed > file.txt; cat file.txt",
        "bomb": "b() { b | b & b; }; b",
        "forks": "for i in $(seq 100); do sleep 30 & done; wait",
        "hog": "x=$(head -c 150M /dev/zero | tr '\\\\0' x); y=$x$x; sleep 5",
        "disk": "head -c 10G /dev/zero > big",
        "keep": "echo new > kept.txt",
    }
    for name, script in scripts.items():
        done = await backend.run(snapshot.with_edits({"edited.txt": b"e"}), environment, Command(argv=("sh", "-c", script), keep=name == "keep"))
        results[name] = [done.ended, done.exit_code, done.stdout.decode()[:300], sorted(done.changes)]
    await backend.close()
    print(json.dumps(results))
asyncio.run(main())
"""


@pytest.fixture
def open_workspace():
    """A workspace that every user can reach."""
    root = Path(tempfile.mkdtemp(prefix="suture-test-"))
    (root / "file.txt").write_text("original\n")
    if os.geteuid() == 0:
        os.chown(root, 65534, 65534)
        os.chown(root / "file.txt", 65534, 65534)
    (root / "file.txt").chmod(0o644)
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given", ["theirs theirs/file.txt", "theirs", "theirs/file.txt"])
async def test_edits_of_what_belongs_to_somebody_else(workspace, environment, given):
    """Root that keeps its own user, since the owner cannot reach the toolchain, may not write to the owner's files, in a copy neither.

    What is edited is mounted over them, and can be written to.
    """
    (workspace / "theirs").mkdir()
    (workspace / "theirs" / "file.txt").write_text("original\n")
    for path in given.split():
        os.chown(workspace / path, 12345, 12345)
    backend = LocalBackend()
    edited = Snapshot(workspace).with_edits({"theirs/file.txt": b"edited\n"})
    done = await backend.run(edited, environment, Command(argv=("sh", "-c", "cat theirs/file.txt; echo more >> theirs/file.txt")))
    await backend.close()
    assert (done.exit_code, done.stdout, done.stderr) == (0, b"edited\n", b"")
    assert (workspace / "theirs" / "file.txt").read_text() == "original\n"


def _interpreter_for_others() -> str | None:
    """An interpreter like this one that an ordinary user can start."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if candidate is not None:
            real = Path(os.path.realpath(candidate))
            if all(folder.stat().st_mode & 0o001 for folder in (real, *real.parents)):
                return candidate
    return None


def test_as_an_ordinary_user(open_workspace):
    python = sys.executable if os.geteuid() != 0 else _interpreter_for_others()
    if python is None:
        pytest.skip("no interpreter of this version that an ordinary user can start")
    import msgspec

    path = f"{SOURCES}:{Path(msgspec.__file__).resolve().parents[1]}"
    user = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [python, "-c", ORDINARY, str(open_workspace)],
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results["probe"][0], results["probe"]
    assert results["who"][:3] == ["exited", 0, "1000\nCapEff:\t0000000000000000\noriginal\nchanged\n"]
    assert results["bomb"][0] in ("processes", "exited")
    assert results["forks"][0] == "processes"
    assert results["hog"][0] == "memory"
    assert results["disk"][0] in ("disk", "memory")
    assert results["keep"] == ["exited", 0, "", ["kept.txt"]]
    assert (open_workspace / "file.txt").read_text() == "original\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_root_becomes_the_owner_of_the_workspace(open_workspace):
    reachable = bubblewrap.find()
    environment = Environment(EnvironmentFields(), Runtime(python="python3", search_path=("/usr/bin",), readonly=()), Limits(seconds=20))
    chosen = account.choose(open_workspace, environment, reachable)
    if chosen is None:
        pytest.skip("bubblewrap lies where the workspace's owner cannot start it")
    assert chosen.uid == 65534
    backend = LocalBackend()
    done = await backend.run(
        Snapshot(open_workspace), environment, Command(argv=("sh", "-c", "stat -c %u file.txt; echo x > file.txt; cat file.txt"))
    )
    await backend.close()
    assert done.stdout == b"1000\nx\n"


def test_root_stays_where_the_owner_cannot_reach_the_toolchain(open_workspace, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    runtime = Runtime(python="python3", search_path=(), readonly=(str(closed),))
    assert account.choose(open_workspace, Environment(EnvironmentFields(), runtime), bubblewrap.find()) is None


def test_who_may_enter(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o640)
    state = (tmp_path / "file").stat()
    enter = account._may_enter
    assert enter(state, Account(state.st_uid, 12345))
    assert enter(state, Account(12345, state.st_gid))
    assert not enter(state, Account(12345, 12345))


SAYS = {
    "bwrap: setting up uid map: Permission denied": "kernel.apparmor_restrict_unprivileged_userns",
    "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted": "apparmor",
    "bwrap: No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces.": "kernel.unprivileged_userns_clone",
    "bwrap: Creating new namespace failed: Operation not permitted": "seccomp=unconfined",
    "bwrap: Creating new namespace failed, likely because of a limit: No space left on device": "max_user_namespaces",
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted": "systempaths=unconfined",
    "bwrap: Can't make overlay mount on /newroot/w with options lowerdir=/w: Invalid argument": "5.11",
    "bwrap: prctl(PR_SET_SECCOMP): Invalid argument": "CONFIG_SECCOMP_FILTER",
}


def _fake_bwrap(folder: Path, script: str) -> str:
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("says", SAYS)
async def test_a_machine_that_forbids_isolation(says, tmp_path, workspace, environment):
    marker = tmp_path / "ran"
    backend = LocalBackend(bwrap=_fake_bwrap(tmp_path, f'echo "{says}" >&2; exit 1'))
    with pytest.raises(BackendUnavailable) as caught:
        await backend.run(Snapshot(workspace), environment, Command(argv=("touch", str(marker))))
    assert says in str(caught.value)
    assert SAYS[says] in caught.value.remedy
    probe = await backend.probe()
    assert not probe.available
    assert SAYS[says] in probe.remedy
    assert not marker.exists()
    await backend.close()


@pytest.mark.parametrize("script", ["exit 1", "echo what >&2; exit 1", "exit 0", "kill -9 $$"])
async def test_a_sandbox_that_fails_is_no_result(script, tmp_path, workspace, environment):
    backend = LocalBackend(bwrap=_fake_bwrap(tmp_path, script))
    with pytest.raises(SandboxFailed):
        await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
    await backend.close()


async def test_a_bubblewrap_that_is_not_there(tmp_path, workspace, environment):
    backend = LocalBackend(bwrap=str(tmp_path / "missing"))
    with pytest.raises(SandboxFailed):
        await backend.run(Snapshot(workspace), environment, Command(argv=("true",)))
    assert not (await backend.probe()).available
    await backend.close()


def test_an_old_bubblewrap_on_path_is_not_taken(tmp_path, monkeypatch):
    old = _fake_bwrap(tmp_path, "echo bubblewrap 0.8.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.version(old) == (0, 8, 0)
    assert bubblewrap.find() != old
    new = _fake_bwrap(tmp_path, "echo bubblewrap 0.12.1")
    assert bubblewrap.find() == new
    assert bubblewrap.version(str(tmp_path / "missing")) == (0,)


async def test_an_argument_with_a_nul_is_refused(local):
    with pytest.raises(SandboxFailed):
        await local.sh("true", variables={"X": "a\0b"}, folder=".")
    with pytest.raises(SandboxFailed):
        await local.backend.run(local.snapshot, local.environment, Command(argv=("echo", "a\0b")))


def test_backends_by_name():
    assert set(BACKENDS) == {"local", "docker", "memory"}
    assert default_backend().name == "local"
    assert default_backend("memory").name == "memory"
    with pytest.raises(ConfigurationError) as caught:
        default_backend("lokal")
    assert "local" in caught.value.remedy
