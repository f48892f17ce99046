"""Warm attempts: what forked processes can see and do, what zygotes load, and what happens when one of them dies."""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from suture_sandbox.backend import Command
from suture_sandbox.environment import Limits
from suture_sandbox.local import LocalBackend
from suture_sandbox.local.warm import orders
from suture_sandbox.snapshot import Snapshot

PYTEST = ("python", "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--junitxml={report}")
FAILS = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
RIGHT = {"calc.py": b"def add(a, b):\n    return a + b\n"}


class Tests:
    """A workspace with tests, run by pytest from a zygote."""

    __test__ = False

    def __init__(self, backend: LocalBackend, ground, root: Path, limits: Limits | None = None) -> None:
        self.backend, self.ground, self.root = backend, ground, root
        self.environment = ground.environment(limits) if limits else ground.environment()

    async def run(self, *tests: str, edits: dict[str, bytes | None] | None = None, warm: bool = True, **options):
        command = Command(argv=(*PYTEST, *tests), warm=warm, **options)
        return await self.backend.run(Snapshot(self.root).with_edits(edits or {}), self.environment, command)

    async def inside(self, code: str, **options):
        """Run the body of a test; what it prints comes back."""
        body = "".join(f"    {line}\n" for line in code.splitlines())
        edits = {"test_inside.py": f"def test_inside():\n{body}".encode()}
        command = Command(argv=("python", "-m", "pytest", "-q", "-s", "--color=no", "-p", "no:cacheprovider", "test_inside.py"), warm=True)
        done = await self.backend.run(Snapshot(self.root).with_edits(edits), self.environment, msgspec.structs.replace(command, **options))
        assert done.warm
        return done

    async def ready(self) -> str:
        return await self.backend.warm_up(Snapshot(self.root), self.environment, Command(argv=PYTEST, warm=True))


@pytest.fixture
async def tests(ground, workspace: Path):
    (workspace / "test_calc.py").write_text(FAILS)
    made = Tests(LocalBackend(), ground, ground.owned(workspace))
    assert await made.ready() == ""
    yield made
    await made.backend.close()


async def test_a_warm_run_says_what_a_cold_one_says(tests):
    for edits, code in (({}, 1), (RIGHT, 0)):
        cold = await tests.run("test_calc.py", edits=edits, warm=False)
        warm = await tests.run("test_calc.py", edits=edits)
        assert (cold.warm, warm.warm) == (False, True)
        assert (cold.exit_code, warm.exit_code) == (code, code)
        assert [line for line in warm.stdout.splitlines() if b" in 0." not in line] == [
            line for line in cold.stdout.splitlines() if b" in 0." not in line
        ]
        assert warm.report.count(b"<testcase") == cold.report.count(b"<testcase") == 1
        assert warm.cpu_seconds > 0


async def test_an_edit_of_the_same_size_in_the_same_second_is_run(tests):
    """Python would take the bytecode of the other text for this one's."""
    (tests.root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    assert compileall.compile_dir(tests.root, quiet=1)
    tests.ground.owned(tests.root)
    for _ in range(3):
        assert (await tests.run("test_calc.py")).exit_code == 1
        assert (await tests.run("test_calc.py", edits=RIGHT)).exit_code == 0


async def test_new_folders_and_deleted_files(tests):
    edits = {"deep/er/module.py": b"VALUE = 5\n", "test_new.py": b"from deep.er.module import VALUE\ndef test(): assert VALUE == 5\n"}
    assert (await tests.run("test_new.py", edits=edits)).exit_code == 0
    assert (await tests.run("test_calc.py", edits={"calc.py": None})).exit_code == 2
    assert sorted(path.name for path in tests.root.iterdir()) == [".env", "calc.py", "gone.txt", "src", "test_calc.py"]


WHO = """
import json, os, pathlib, socket
status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
def fails(work):
    try:
        work()
    except OSError as error:
        return error.strerror
    return ""
listening = socket.create_server(("127.0.0.1", 7654))
socket.create_connection(("127.0.0.1", 7654))
found = {
    "user": os.getuid(), "groups": os.getgroups(), "host": socket.gethostname(),
    "capabilities": [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "alone": [status["NoNewPrivs"].strip(), status["Seccomp"].strip()],
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    "root": sorted(os.listdir("/")), "home": os.listdir(os.path.expanduser("~")), "temporary": os.listdir("/tmp"),
    "secret": pathlib.Path(".env").read_text(), "devices": sorted(os.listdir("/dev")), "cwd": os.getcwd(),
    "network": fails(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "etc": fails(lambda: pathlib.Path("/etc/new").write_text("")),
    "top": fails(lambda: pathlib.Path("/new").write_text("")),
    "usr": fails(lambda: pathlib.Path("/usr/new").write_text("")),
    "run": fails(lambda: pathlib.Path("/run/suture/new").write_text("")),
    "chmod": fails(lambda: os.chmod("/etc", 0o777)),
    "kernel": fails(lambda: pathlib.Path("/proc/sys/kernel/core_pattern").write_text("x")),
    "mounts": pathlib.Path("/proc/self/mountinfo").read_text(),
    "limits": pathlib.Path("/proc/self/limits").read_text(),
}
print("found" + json.dumps(found))
"""


def found_in(done) -> dict:
    return json.loads(done.stdout.partition(b"found{")[2].partition(b"\n")[0].join([b"{", b""]))


async def test_what_it_sees_and_may_do(tests):
    found = found_in(await tests.inside(WHO))
    assert (found["user"], found["host"], found["cwd"]) == (1000, "suture", str(tests.root))
    assert set(found["capabilities"]) == {"0" * 16}
    assert found["alone"] == ["1", "2"] if os.uname().machine in ("x86_64", "aarch64") else found["alone"][0] == "1"
    assert found["processes"] == 2  # the first of its namespace, and pytest
    assert not {"root", "opt", "srv", "mnt", "media", "boot", "sys"} & set(found["root"])
    assert found["home"] == []
    assert set(found["temporary"]) <= {part for part in tests.root.parts if part.startswith(("pytest-of", "suture-"))} | {
        tests.ground.folder.name
    }
    assert found["secret"] == ""
    assert not [name for name in found["devices"] if name.startswith(("sd", "vd", "kvm", "mem", "loop"))]
    assert all(found[name] for name in ("network", "etc", "top", "usr", "run", "chmod", "kernel")), found
    written = [line for line in found["mounts"].splitlines() if " rw," in line.partition(" - ")[0] and " / / " in line]
    assert written == []


async def test_one_attempt_does_not_see_another(tests):
    leave = "import pathlib, os\nfor name in ('left', '/tmp/left', os.path.expanduser('~/left'), '/dev/shm/left'): "
    leave += "pathlib.Path(name).write_text('x')\n"
    assert (await tests.inside(leave)).exit_code == 0
    look = "import os\nassert not [n for n in ('left', '/tmp/left', os.path.expanduser('~/left'), '/dev/shm/left') if os.path.exists(n)]"
    assert (await tests.inside(look)).exit_code == 0
    assert not (tests.root / "left").exists()
    same = "import socket, time\ns = socket.create_server(('127.0.0.1', 7654))\ntime.sleep(0.5)"
    assert [done.exit_code for done in await asyncio.gather(tests.inside(same), tests.inside(same))] == [0, 0]


async def test_numbers_drawn_at_random_differ(tests):
    code = "import random, uuid, tempfile\nprint('found{\"n\": %r}' % [random.random(), random.random()])"
    first, second = [await tests.inside(code) for _ in range(2)]
    assert first.stdout != second.stdout


WRITE_TO_ALL = """import os
for fd in os.listdir('{0}'):
    try:
        with open(f'{0}/{{fd}}', 'wb', buffering=0) as file:
            file.write(b'rubbish')
    except OSError:
        pass
"""
HOSTILE = {
    "kill all": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "kill the first process": "import os\nos.kill(1, 9)",
    "new namespaces": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == -1",
    "mount": "import ctypes\nassert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == -1",
    "unmount": "import ctypes\nassert ctypes.CDLL(None).umount2(b'/proc', 2) == -1",
    "trace": "import ctypes\nassert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == -1",
    "descriptors": WRITE_TO_ALL.format("/proc/self/fd"),
    "those of the first": WRITE_TO_ALL.format("/proc/1/fd"),
    "monkey patches": "import builtins, os, json\nbuiltins.open = None\njson.loads = None\nos.fork = None",
    "daemon": "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(60)\n    os._exit(0)",
    "exit at once": "import os\nos._exit(0)",
    "close all": "import os\nos.closerange(0, 100)",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_tests_leave_the_zygote_as_it_was(tests, name):
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    await tests.inside(HOSTILE[name], seconds=10)
    assert (await tests.run("test_calc.py")).exit_code == 1
    right = await tests.run("test_calc.py", edits=RIGHT)
    assert (right.warm, right.exit_code) == (True, 0)
    assert {process.pid for process in psutil.Process().children(recursive=True)} == before


async def test_a_test_that_kills_itself_is_told(tests):
    done = await tests.inside("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\nimport time; time.sleep(5)")
    assert (done.ended, done.exit_code) == ("signalled", -11)


SMALL = Limits(seconds=20, cpu_seconds=20, memory_mib=256, processes=30, disk_mib=32, output_mib=1, open_files=256)


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        ("memory", "kept = []\nwhile True:\n    kept.append(b'x' * 10_000_000)"),
        ("processes", "import os, time\nfor _ in range(60):\n    if not os.fork():\n        time.sleep(30)\ntime.sleep(30)"),
        ("disk", "with open('big', 'wb') as file:\n    while True:\n        file.write(b'x' * 1_000_000)\n        file.flush()"),
        ("disk", "with open('/tmp/big', 'wb') as file:\n    while True:\n        file.write(b'x' * 1_000_000)\n        file.flush()"),
        ("output", "while True:\n    print('x' * 10_000)"),
        ("timeout", "import time\ntime.sleep(60)"),
    ],
)
async def test_limits(ground, workspace, ended, code):
    tests = Tests(LocalBackend(), ground, ground.owned(workspace), SMALL)
    assert await tests.ready() == ""
    done = await tests.inside(code, seconds=4 if ended == "timeout" else 18)
    assert done.ended == ended
    assert (await tests.inside("pass")).exit_code == 0
    await tests.backend.close()


async def test_cancelling_kills_the_attempt_and_leaves_the_zygote(tests):
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    running = asyncio.ensure_future(tests.inside("import time\ntime.sleep(60)"))
    await asyncio.sleep(1)
    assert {process.pid for process in psutil.Process().children(recursive=True)} != before
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {process.pid for process in psutil.Process().children(recursive=True)} == before
    assert (await tests.inside("pass")).exit_code == 0


async def test_cancelling_at_any_moment(tests):
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    for number in range(30):
        running = asyncio.ensure_future(tests.run("test_calc.py"))
        await asyncio.sleep(number * 0.003)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert {process.pid for process in psutil.Process().children(recursive=True)} == before
    done = await tests.run("test_calc.py", edits=RIGHT)
    assert (done.warm, done.exit_code) == (True, 0)


def zygotes() -> list[psutil.Process]:
    """The processes of this one that are called by bubblewrap's title, outermost ones."""
    title = f"suture-attempt-of-{os.getpid()}"
    alive = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in alive if each.cmdline()[:1] == [title]]


async def test_a_zygote_that_dies_in_the_middle_costs_nothing_but_time(tests):
    running = asyncio.ensure_future(tests.run("test_calc.py", edits={"test_calc.py": f"import time\ntime.sleep(2)\n{FAILS}".encode()}))
    await asyncio.sleep(0.5)
    for each in zygotes():
        each.kill()
    done = await running
    assert (done.warm, done.exit_code) == (False, 1)
    await tests.run("test_calc.py")
    assert await tests.ready() == ""
    assert (await tests.run("test_calc.py")).warm


async def test_closing_leaves_nothing(tests):
    await tests.run("test_calc.py")
    assert len(zygotes()) == 1
    await tests.backend.close()
    assert zygotes() == []


DYING = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = sys.argv[3].split(":")
from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.snapshot import Snapshot
import msgspec
environment = Environment(EnvironmentFields(), msgspec.json.decode(sys.argv[2], type=Runtime), Limits(seconds=60))
async def main():
    backend, snapshot = LocalBackend(), Snapshot(Path(sys.argv[1]))
    command = Command(argv=("python", "-m", "pytest", "-q", "test_slow.py"), warm=True)
    print(await backend.warm_up(snapshot, environment, command), flush=True)
    running = asyncio.ensure_future(backend.run(snapshot, environment, command))
    await asyncio.sleep(0.7)
    print("running", flush=True)
    await running
asyncio.run(main())
"""


async def test_everything_dies_with_suture(tests):
    (tests.root / "test_slow.py").write_text("import time\ndef test(): time.sleep(300)\n")
    tests.ground.owned(tests.root)
    runtime = msgspec.json.encode(tests.environment.runtime).decode()
    command = [sys.executable, "-c", DYING, str(tests.root), runtime, ":".join(sys.path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert await process.stdout.readline() == b"\n"
    assert await process.stdout.readline() == b"running\n"
    everything = psutil.Process(process.pid).children(recursive=True)
    assert len(everything) >= 4
    process.kill()
    await process.wait()
    _, alive = psutil.wait_procs(everything, timeout=5)
    assert alive == []


async def until_loaded(tests: Tests, name: str) -> bool:
    for _ in range(100):
        (entry,) = tests.backend._zygotes._entries.values()
        if entry.zygote is not None and name in entry.zygote.names:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_what_tests_import_from_the_environment_is_loaded_and_nothing_of_the_workspace(tests):
    (tests.root / "helper.py").write_text("import fractions\n")
    (tests.root / "test_more.py").write_text("import helper, sqlite3\ndef test(): pass\n")
    tests.ground.owned(tests.root)
    assert (await tests.run("test_more.py")).exit_code == 0
    assert await until_loaded(tests, "sqlite3")
    (entry,) = tests.backend._zygotes._entries.values()
    assert "fractions" in entry.zygote.names
    assert not {"helper", "test_more", "calc"} & entry.zygote.names


async def test_a_package_that_starts_threads_is_left_out(tests):
    (tests.ground.site / "threading_package.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(999,), daemon=True).start()\n"
    )
    (tests.root / "test_more.py").write_text("import threading_package, sqlite3\ndef test(): pass\n")
    tests.ground.owned(tests.root)
    try:
        assert (await tests.run("test_more.py")).exit_code == 0
        assert await until_loaded(tests, "sqlite3")
        (entry,) = tests.backend._zygotes._entries.values()
        assert entry.left_out == {"threading_package"}
        assert entry.settled.wait(10)
        done = await tests.run("test_more.py")
        assert (done.warm, done.exit_code) == (True, 0)
    finally:
        (tests.ground.site / "threading_package.py").unlink()


async def test_a_module_of_the_workspace_is_not_hidden_by_one_that_is_loaded(tests):
    (tests.root / "test_more.py").write_text("import sqlite3\ndef test(): pass\n")
    tests.ground.owned(tests.root)
    await tests.run("test_more.py")
    assert await until_loaded(tests, "sqlite3")
    shadow = {"sqlite3.py": b"VALUE = 1\n", "test_shadow.py": b"import sqlite3\ndef test(): assert sqlite3.VALUE == 1\n"}
    done = await tests.run("test_shadow.py", edits=shadow)
    assert (done.warm, done.exit_code) == (False, 0)
    (tests.root / "iniconfig.py").write_text("from iniconfig_of_the_workspace import *\n")
    assert "iniconfig" in await tests.ready()
    assert not (await tests.run("test_calc.py")).warm


@pytest.mark.parametrize(
    "command",
    [
        Command(argv=("pytest", "test_calc.py"), warm=True),
        Command(argv=("python", "-c", "print(1)"), warm=True),
        Command(argv=("python", "-X", "dev", "-m", "pytest"), warm=True),
        Command(argv=("python", "-m"), warm=True),
        Command(argv=("python", "-m", "../x"), warm=True),
        Command(argv=PYTEST, warm=True, variables={"PYTHONHASHSEED": "7"}),
        Command(argv=PYTEST, warm=True, keep=True),
    ],
)
def test_what_cannot_be_run_warm(command, environment):
    assert orders.module_of(command, environment) == ""


ROOTS = """
import os, pathlib
print("private", pathlib.Path("private.txt").read_text(), os.stat("private.txt").st_uid == os.getuid())
pathlib.Path("private.txt").write_text("changed")
for place in ("others.txt", "/etc/shadow", "/proc/sys/kernel/core_pattern"):
    try:
        os.listdir(place) if os.path.isdir(place) else open(place, "a").close()
        print("open", place)
    except OSError:
        pass
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has workspaces of root's")
async def test_roots_own_workspaces_are_run_warm_by_a_user_who_owns_nothing(workspace, environment):
    (workspace / "private.txt").write_text("mine")
    (workspace / "private.txt").chmod(0o600)
    (workspace / "others.txt").write_text("not mine")
    (workspace / "others.txt").chmod(0o600)
    os.chown(workspace / "others.txt", 54321, 54321)
    tests = Tests(LocalBackend(), SimpleNamespace(environment=lambda: environment), workspace)
    assert await tests.ready() == ""
    done = await tests.inside(ROOTS)
    assert (done.exit_code, b"private mine True" in done.stdout, b"open" in done.stdout) == (0, True, False), done.stdout
    users = {user for each in zygotes() for process in (each, *each.children(recursive=True)) for user in process.uids()}
    assert len(users) == 1
    assert min(users) > 1_000_000_000
    assert ((workspace / "private.txt").read_text(), (workspace / "private.txt").stat().st_uid) == ("mine", 0)
    assert (await tests.inside("import os\nassert os.getuid() == 1000")).warm
    await tests.backend.close()
    assert zygotes() == []
    assert str(workspace) not in Path("/proc/self/mountinfo").read_text()  # noqa: ASYNC240  # nothing else runs


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has workspaces of root's")
async def test_where_no_user_can_be_borrowed_roots_workspaces_are_run_cold(workspace, environment):
    runtime = msgspec.structs.replace(environment.runtime, readonly=(*environment.runtime.readonly, str(workspace.parent)))
    environment = msgspec.structs.replace(environment, runtime=runtime)
    backend, command = LocalBackend(), Command(argv=("python", "-m", "this"), warm=True)
    assert "inside its own toolchain" in await backend.warm_up(Snapshot(workspace), environment, command)
    done = await backend.run(Snapshot(workspace), environment, command)
    assert (done.warm, done.exit_code) == (False, 0)
    await backend.close()


async def test_a_tool_that_is_not_there_is_told_by_a_cold_run(ground, workspace):
    backend, environment = LocalBackend(), ground.environment()
    command = Command(argv=("python", "-m", "no_such_tool"), warm=True)
    snapshot = Snapshot(ground.owned(workspace))
    assert "no_such_tool" in await backend.warm_up(snapshot, environment, command)
    done = await backend.run(snapshot, environment, command)
    assert (done.warm, done.exit_code) == (False, 1)
    await backend.close()


async def test_a_zygote_that_is_left_alone_goes(tests, monkeypatch):
    await tests.run("test_calc.py")
    monkeypatch.setattr("suture_sandbox.local.warm.pool.IDLE_SECONDS", -1.0)
    tests.backend._zygotes._drop_idle()
    assert zygotes() == []
    assert (await tests.run("test_calc.py")).warm is False


async def test_as_many_zygotes_as_there_may_be(tests, ground, tmp_path, monkeypatch):
    monkeypatch.setattr("suture_sandbox.local.warm.pool.MOST", 2)
    for number in range(3):
        root = tmp_path / f"other{number}"
        root.mkdir()
        other = Tests(tests.backend, ground, ground.owned(root))
        assert await other.ready() == ""
    assert len(zygotes()) == 2
