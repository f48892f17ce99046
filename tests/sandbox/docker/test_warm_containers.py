"""Warm attempts in containers: what forked processes see and may do, what zygotes load, what happens when one dies."""

from __future__ import annotations

import asyncio
import compileall
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.backend import Command, Completed
from suture_sandbox.docker import DockerBackend, DockerOptions
from suture_sandbox.environment import Environment, Limits
from suture_sandbox.snapshot import Snapshot

NOBODY = 54321
PYTEST = ("python", "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--junitxml={report}")
SMALL = Limits(seconds=20, cpu_seconds=20, memory_mib=256, processes=40, disk_mib=48, output_mib=1, open_files=256)
FAILS = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
RIGHT = {"calc.py": b"def add(a, b):\n    return a + b\n"}


class Tests:
    """A workspace with tests, run by pytest from a zygote in a container."""

    __test__ = False

    def __init__(self, root: Path, environment: Environment) -> None:
        self.backend, self.root, self.environment = DockerBackend(DockerOptions(containers=1)), root, environment

    async def run(self, *tests: str, edits: dict[str, bytes | None] | None = None, warm: bool = True, **options: object) -> Completed:
        command = msgspec.structs.replace(Command(argv=(*PYTEST, *tests), warm=warm), **options)
        return await self.backend.run(Snapshot(self.root).with_edits(edits or {}), self.environment, command)

    async def inside(self, code: str, **options: object) -> Completed:
        """Run the body of a test; what it prints comes back."""
        body = "".join(f"    {line}\n" for line in code.splitlines())
        edits = {"test_inside.py": f"def test_inside():\n{body}".encode()}
        command = Command(argv=("python", "-m", "pytest", "-q", "-s", "--color=no", "-p", "no:cacheprovider", "test_inside.py"), warm=True)
        done = await self.backend.run(Snapshot(self.root).with_edits(edits), self.environment, msgspec.structs.replace(command, **options))
        assert done.warm
        return done

    async def ready(self) -> str:
        return await self.backend.warm_up(Snapshot(self.root), self.environment, Command(argv=PYTEST, warm=True))


def owned(root: Path) -> Path:
    """Give a workspace to an ordinary user: there are no zygotes for root's."""
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return root


@pytest.fixture
async def tests(image_environment: Callable[[Limits], Environment], workspace: Path) -> AsyncIterator[Tests]:
    (workspace / "test_calc.py").write_text(FAILS)
    made = Tests(owned(workspace), image_environment(SMALL))
    assert await made.ready() == ""
    assert (await made.run("test_calc.py")).warm  # it has scouted
    assert await made.ready() == ""
    yield made
    await made.backend.close()


async def test_a_warm_run_says_what_a_cold_one_says(tests):
    for edits, code in (({}, 1), (RIGHT, 0), ({"calc.py": None}, 2)):
        cold = await tests.run("test_calc.py", edits=edits, warm=False)
        warm = await tests.run("test_calc.py", edits=edits)
        assert (cold.warm, warm.warm) == (False, True)
        assert (cold.exit_code, warm.exit_code) == (code, code)
        plain = [[line for line in done.stdout.splitlines() if b" in 0." not in line] for done in (cold, warm)]
        assert plain[0] == plain[1]
        assert warm.report.count(b"<testcase") == cold.report.count(b"<testcase") == 1
        assert warm.cpu_seconds > 0


async def test_an_edit_of_the_same_size_in_the_same_second_is_run(tests):
    """Python would take the bytecode of the other text for this one's."""
    (tests.root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    assert compileall.compile_dir(tests.root, quiet=1)
    owned(tests.root)
    for _ in range(3):
        assert (await tests.run("test_calc.py")).exit_code == 1
        assert (await tests.run("test_calc.py", edits=RIGHT)).exit_code == 0


WHO = """
import json, os, pathlib, signal, socket
status = dict(line.split(":\\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
def fails(work):
    try:
        work()
    except OSError as error:
        return error.strerror
    return ""
found = {
    "user": os.getuid(), "groups": sorted(set(os.getgroups())),
    "capabilities": [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "alone": [status["NoNewPrivs"].strip(), status["Seccomp"].strip()],
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    "home": os.listdir(os.path.expanduser("~")), "temporary": os.listdir("/tmp"), "shared": os.listdir("/dev/shm"),
    "open": sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in (*os.listdir("/proc/self/fd"),)[:-1]),
    "environ": len(pathlib.Path("/proc/self/environ").read_bytes()),
    "first": [fails(lambda: os.listdir("/proc/1/fd")), fails(lambda: pathlib.Path("/proc/1/mem").read_bytes())],
    "network": fails(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "outside": [fails(lambda place=place: pathlib.Path(place).write_text("")) for place in
                ("/etc/new", "/new", "/usr/new", "/run/suture-agent/new", "/proc/sys/kernel/core_pattern", "/sys/new")],
    "modules": sorted(name for name in __import__("sys").modules if name.startswith("suture")),
    "path": [path for path in __import__("sys").path if "suture-agent" in path],
    "mounts": pathlib.Path("/proc/self/mountinfo").read_text(),
}
print("found" + json.dumps(found))
"""


async def test_what_it_sees_and_may_do(tests):
    done = await tests.inside(WHO)
    found = json.loads(done.stdout.partition(b"found")[2].partition(b"\n")[0])
    assert found["user"] == 1000
    assert set(found["capabilities"]) == {"0" * 16}
    assert found["alone"] == ["1", "2"]
    assert found["processes"] == 2  # the first of its namespace, and pytest
    assert (found["home"], found["shared"], found["modules"], found["path"]) == ([], [], [], [])
    assert set(found["temporary"]) <= {part for part in tests.root.parts if part.startswith("pytest-of")}
    assert [name for name in found["open"] if name in ("socket", "/memfd")] == ["/memfd"], found["open"]  # standard input, no more
    assert found["environ"] > 0
    assert all(found["first"])
    assert found["network"]
    assert all(found["outside"]), found["outside"]


async def test_one_attempt_does_not_see_another(tests):
    places = "('left', '/tmp/left', '/var/tmp/left', os.path.expanduser('~/left'), '/dev/shm/left')"
    leave = f"import os, pathlib, time\nfor name in {places}: pathlib.Path(name).write_text('x')\nif not os.fork(): time.sleep(60)"
    assert (await tests.inside(leave)).exit_code == 0
    look = f"import os\nassert not [name for name in {places} if os.path.exists(name)]\n"
    look += "assert len([name for name in os.listdir('/proc') if name.isdigit()]) == 2"
    assert (await tests.inside(look)).exit_code == 0
    assert not (tests.root / "left").exists()


HOSTILE = {
    "kill all": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "kill the first process": "import os\nos.kill(1, 9)",
    "new namespaces": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == -1",
    "mount": "import ctypes\nassert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == -1",
    "unmount": "import ctypes\nassert ctypes.CDLL(None).umount2(b'/proc', 2) == -1",
    "unseal": "import ctypes\nassert ctypes.CDLL(None).mount(None, b'/proc/sys', None, 32 | 4096, None) == -1",
    "trace": "import ctypes\nassert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == -1",
    "monkey patches": "import builtins, os, json\nbuiltins.open = None\njson.loads = None\nos.fork = None\nos.waitpid = None",
    "daemon": "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(60)\n    os._exit(0)",
    "exit at once": "import os\nos._exit(0)",
    "close all": "import os\nos.closerange(0, 200)",
    "write to all": "import os\nfor fd in range(3, 99):\n    try:\n        os.write(fd, b'D' + bytes(8))\n    except OSError: pass",
}


@pytest.mark.parametrize("names", [[*HOSTILE][:6], [*HOSTILE][6:]], ids=["kernel", "process"])
async def test_hostile_tests_leave_the_zygote_as_it_was(tests, names):
    for name in names:
        await tests.inside(HOSTILE[name], seconds=10)
        right = await tests.run("test_calc.py", edits=RIGHT)
        assert (right.warm, right.exit_code) == (True, 0), name
    assert (await tests.run("test_calc.py")).exit_code == 1


async def test_limits(tests):
    for ended, code in (
        ("memory", "kept = []\nwhile True:\n    kept.append(b'x' * 10_000_000)"),
        ("processes", "import os, time\nfor _ in range(80):\n    if not os.fork():\n        time.sleep(30)\ntime.sleep(30)"),
        ("disk", "with open('big', 'wb') as file:\n    while True:\n        file.write(b'x' * 1_000_000)\n        file.flush()"),
        ("output", "while True:\n    print('x' * 10_000)"),
        ("timeout", "import time\ntime.sleep(60)"),
    ):
        assert (await tests.inside(code, seconds=6)).ended == ended
        assert (await tests.inside("pass")).exit_code == 0, ended
    crashed = await tests.inside("import os, signal, time\nos.kill(os.getpid(), signal.SIGSEGV)\ntime.sleep(5)")
    assert (crashed.ended, crashed.exit_code) == ("signalled", -11)


async def test_cancelling_costs_the_attempt_alone(tests):
    for delay in (0.02, 0.1, 0.6):
        running = asyncio.ensure_future(tests.inside("import time\ntime.sleep(60)"))
        await asyncio.sleep(delay)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await tests.run("test_calc.py", edits=RIGHT)).exit_code == 0


def _zygotes(container: str) -> list[int]:
    """Process ids of the zygote and what it has forked, the outermost first."""
    told = subprocess.run(["docker", "top", container, "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in told.splitlines()[1:] if "zygote.main" in line]


async def test_a_zygote_that_dies_in_the_middle_costs_nothing_but_time(tests, containers):
    slow = {"test_calc.py": f"import time\ntime.sleep(3)\n{FAILS}".encode()}
    running = asyncio.ensure_future(tests.run("test_calc.py", edits=slow))
    await asyncio.sleep(1)
    (killed,) = [zygotes[0] for name in containers(os.getpid()) if (zygotes := _zygotes(name))]
    os.kill(killed, 9)
    done = await running
    assert (done.warm, done.exit_code) == (False, 1)
    assert await tests.ready() == ""
    await tests.run("test_calc.py")
    assert await tests.ready() == ""
    assert (await tests.run("test_calc.py")).warm


async def test_what_tests_import_of_the_image_is_loaded_and_nothing_of_the_workspace(image_environment, workspace):
    (workspace / "helper.py").write_text("import fractions\n")
    (workspace / "test_more.py").write_text("import helper, sqlite3\ndef test(): pass\n")
    tests = Tests(owned(workspace), image_environment(SMALL))
    assert await tests.ready() == ""
    assert (await tests.run("test_more.py")).warm
    assert await tests.ready() == ""
    loaded = "import sys\nprint('found', sorted({'fractions', 'sqlite3', 'helper', 'calc', 'test_more'} & set(sys.modules)))"
    assert b"found ['fractions', 'sqlite3']" in (await tests.inside(loaded)).stdout
    shadow = {"sqlite3.py": b"VALUE = 1\n", "test_shadow.py": b"import sqlite3\ndef test(): assert sqlite3.VALUE == 1\n"}
    done = await tests.run("test_shadow.py", edits=shadow)
    assert (done.warm, done.exit_code) == (False, 0)
    await tests.backend.close()


async def test_what_cannot_be_run_warm_runs_cold(image_environment, workspace):
    strict, fast = DockerBackend(DockerOptions(mode="strict")), DockerBackend()
    snapshot, environment = Snapshot(owned(workspace)), image_environment(SMALL)
    command = Command(argv=("python", "-m", "this"), warm=True)
    assert "strict" in await strict.warm_up(snapshot, environment, command)
    assert "python -m" in await fast.warm_up(snapshot, environment, Command(argv=("true",), warm=True))
    assert "no_such_tool" in await fast.warm_up(snapshot, environment, Command(argv=("python", "-m", "no_such_tool"), warm=True))
    done = await fast.run(snapshot, environment, Command(argv=("python", "-m", "no_such_tool"), warm=True))
    assert (done.warm, done.exit_code) == (False, 1)
    assert (await strict.run(snapshot, environment, command)).warm is False
    await strict.close()
    await fast.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has workspaces of root's")
async def test_there_is_no_zygote_for_a_workspace_of_roots(image_environment, workspace):
    tests = Tests(workspace, image_environment(SMALL))
    assert "ordinary user" in await tests.ready()
    done = await tests.backend.run(Snapshot(workspace), tests.environment, Command(argv=("python", "-m", "this"), warm=True))
    assert (done.warm, done.exit_code) == (False, 0)
    await tests.backend.close()
