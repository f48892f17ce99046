"""What the backend tests share: small programs in two forms, a workspace, an environment, and every backend behind one fixture."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.backend import Backend, Command, Completed
from suture_sandbox.docker import DockerBackend, DockerOptions
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.snapshot import Snapshot

SMALL = Limits(seconds=20, cpu_seconds=20, memory_mib=256, processes=40, disk_mib=48, output_mib=1, open_files=256)


async def _cat(view: View, arguments: tuple[str, ...]) -> int:
    for path in arguments:
        view.print(view.read(path))
    return 0


async def _write(view: View, arguments: tuple[str, ...]) -> int:
    view.write(arguments[0], arguments[1].encode())
    return 0


async def _remove(view: View, arguments: tuple[str, ...]) -> int:
    view.remove(arguments[0])
    return 0


async def _copy_stdin(view: View, arguments: tuple[str, ...]) -> int:
    view.print(view.stdin)
    return 0


async def _sleep(view: View, arguments: tuple[str, ...]) -> int:
    view.print("asleep\n")
    await asyncio.sleep(float(arguments[0]))
    return 0


async def _spew(view: View, arguments: tuple[str, ...]) -> int:
    view.print("first\n")
    for _ in range(int(arguments[0])):
        view.print(b"x" * 1023 + b"\n")
    view.print("last\n")
    return 0


async def _exit(view: View, arguments: tuple[str, ...]) -> int:
    return int(arguments[0])


async def _die(view: View, arguments: tuple[str, ...]) -> int:
    return -int(arguments[0])


async def _variable(view: View, arguments: tuple[str, ...]) -> int:
    view.print(view.variables.get(arguments[0], "unset"))
    return 0


async def _complain(view: View, arguments: tuple[str, ...]) -> int:
    view.print(arguments[0], error=True)
    return 1


IN_MEMORY = {
    "cat": _cat,
    "write": _write,
    "remove": _remove,
    "stdin": _copy_stdin,
    "sleep": _sleep,
    "spew": _spew,
    "exit": _exit,
    "die": _die,
    "variable": _variable,
    "complain": _complain,
}

IN_SHELL: Mapping[str, str] = {
    "cat": 'exec cat -- "$@"',
    "write": 'case "$1" in */*) mkdir -p "${1%/*}";; esac; printf %s "$2" > "$1"',
    "remove": 'rm -- "$1"',
    "stdin": "cat",
    "sleep": 'echo asleep; exec sleep "$1"',
    "spew": 'echo first; yes "$(printf %1023s | tr " " x)" | head -n "$1"; echo last',
    "exit": 'exit "$1"',
    "die": 'kill -"$1" $$',
    "variable": 'eval "printf %s \\"\\${$1-unset}\\""',
    "complain": 'printf %s "$1" >&2; exit 1',
}


IN_PYTHON = """
import os, pathlib, sys, time


def main(name, *arguments):
    if name == "cat":
        for path in arguments:
            sys.stdout.buffer.write(pathlib.Path(path).read_bytes())
    elif name == "write":
        pathlib.Path(arguments[0]).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(arguments[0]).write_text(arguments[1])
    elif name == "remove":
        os.remove(arguments[0])
    elif name == "stdin":
        sys.stdout.buffer.write(sys.stdin.buffer.read())
    elif name == "sleep":
        print("asleep", flush=True)
        time.sleep(float(arguments[0]))
    elif name == "spew":
        print("first", flush=True)
        for _ in range(int(arguments[0])):
            print("x" * 1023)
        print("last", flush=True)
    elif name == "exit":
        sys.exit(int(arguments[0]))
    elif name == "die":
        os.kill(os.getpid(), int(arguments[0]))
        time.sleep(60)
    elif name == "variable":
        sys.stdout.write(os.environ.get(arguments[0], "unset"))
    elif name == "complain":
        sys.stderr.write(arguments[0])
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@dataclass
class Bench:
    """A backend with a workspace, ready to run the programs by name."""

    backend: Backend
    snapshot: Snapshot
    environment: Environment
    argv: Callable[..., tuple[str, ...]]
    warm: bool = False

    async def run(self, name: str, *arguments: str, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run one of the programs."""
        command = Command(argv=self.argv(name, *arguments), warm=self.warm, **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)

    async def sh(self, script: str, *, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run a shell script (local backend only)."""
        command = Command(argv=("/bin/sh", "-c", script), **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)

    async def python(self, code: str, *, snapshot: Snapshot | None = None, **options: object) -> Completed:
        """Run Python code (local backend only)."""
        command = Command(argv=("python", "-c", code), **options)
        return await self.backend.run(snapshot or self.snapshot, self.environment, command)


def _make_environment(limits: Limits = SMALL) -> Environment:
    runtime = Runtime(
        python=sys.executable,
        search_path=(f"{sys.prefix}/bin", "/usr/bin", "/bin"),
        readonly=(sys.prefix, sys.base_prefix),
        variables={"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )
    return Environment(EnvironmentFields(), runtime, limits)


@pytest.fixture
def environment() -> Environment:
    return _make_environment()


@pytest.fixture
def make_environment() -> Callable[..., Environment]:
    return _make_environment


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "src").mkdir(parents=True)
    (root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (root / "src" / "deep.txt").write_text("deep\n")
    (root / "gone.txt").write_text("still here\n")
    (root / ".env").write_text("TOKEN=hunter2\n")
    return root


def _shell(name: str, *arguments: str) -> tuple[str, ...]:
    script = IN_SHELL.get(name)
    return (name, *arguments) if script is None else ("/bin/sh", "-c", script, name, *arguments)


def _plain(name: str, *arguments: str) -> tuple[str, ...]:
    return (name, *arguments)


@dataclass(frozen=True)
class Ground:
    """Where an ordinary user's attempts can be made, whoever runs the tests."""

    folder: Path
    python: str
    site: Path
    """Folder of the packages that a zygote of these tests loads."""

    @staticmethod
    def owned(root: Path) -> Path:
        """Give a folder to an ordinary user, and let that user come to it."""
        if os.geteuid() == 0:
            for folder in root.parents:
                if not folder.stat().st_mode & 0o001:
                    folder.chmod(folder.stat().st_mode | 0o011)
            for path in (root, *root.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        return root

    def environment(self, limits: Limits = SMALL, **variables: str) -> Environment:
        set_inside = {"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(self.site), **variables}
        base = (os.path.realpath(sys.base_prefix),) if self.python == sys.executable else ()
        path = (str(self.folder / "bin"), "/usr/bin", "/bin")
        readonly = (str(self.site), str(self.folder / "bin"), *base)
        runtime = Runtime(python=self.python, search_path=path, readonly=readonly, variables=set_inside)
        return Environment(EnvironmentFields(), runtime, limits)


NOBODY = 54321
"""A user that has nothing."""
_PACKAGES = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py")


def _python_for_all() -> str | None:
    """An interpreter that an ordinary user can start; this one where that is who we are."""
    if os.geteuid() != 0:
        return sys.executable
    for version in range(14, 9, -1):
        found = shutil.which(f"python3.{version}", path="/usr/bin:/usr/local/bin")
        if found is not None and all(folder.stat().st_mode & 0o001 for folder in (Path(found).resolve(), *Path(found).resolve().parents)):
            return found
    return None


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    python = _python_for_all()
    if python is None:
        assert os.environ.get("SUTURE_TEST_WARM") != "required", "root, and no interpreter in /usr that an ordinary user can start"
        pytest.skip("root, and no interpreter in /usr that an ordinary user can start")
    with tempfile.TemporaryDirectory(prefix="suture-test-ground-") as folder:
        Path(folder).chmod(0o755)
        site = Path(folder, "site")
        site.mkdir()
        Path(folder, "bin").mkdir()
        Path(folder, "bin", "python").symlink_to(python)
        (site / "programs.py").write_text(IN_PYTHON)
        source = Path(pytest.__file__).parents[1]
        for name in (*_PACKAGES, *(each.name for each in source.glob("pytest-*.dist-info"))):
            if (source / name).is_dir():
                shutil.copytree(source / name, site / name)
            elif (source / name).exists():
                shutil.copy(source / name, site / name)
        for path in (site, *site.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield Ground(Path(folder), python, site)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return ("python", "-m", "programs", name, *arguments)


@contextlib.asynccontextmanager
async def _with_zygote(ground: Ground, workspace: Path) -> AsyncIterator[Bench]:
    backend = LocalBackend()
    made = Bench(backend, Snapshot(ground.owned(workspace)), ground.environment(), _module, warm=True)
    command = Command(argv=made.argv("exit", "0"), warm=True)
    assert await backend.warm_up(made.snapshot, made.environment, command) == ""
    assert (await backend.run(made.snapshot, made.environment, command)).warm
    yield made
    await backend.close()


@pytest.fixture
async def zygote(ground: Ground, workspace: Path) -> AsyncIterator[Bench]:
    """The local backend with a zygote that is ready."""
    async with _with_zygote(ground, workspace) as made:
        yield made


def _module_of_the_workspace(name: str, *arguments: str) -> tuple[str, ...]:
    return ("python", "-m", "runpy", "programs", name, *arguments)


@contextlib.asynccontextmanager
async def _in_a_container(environment: Environment, workspace: Path) -> AsyncIterator[Bench]:
    """A container with a zygote; the programs lie in the workspace, since the image has none."""
    (workspace / "programs.py").write_text(IN_PYTHON)
    variables = {**environment.runtime.variables, "PYTHONPATH": str(workspace)}
    environment = msgspec.structs.replace(environment, runtime=msgspec.structs.replace(environment.runtime, variables=variables))
    backend = DockerBackend(DockerOptions())
    made = Bench(backend, Snapshot(Ground.owned(workspace)), environment, _module_of_the_workspace, warm=True)
    command = Command(argv=made.argv("exit", "0"), warm=True)
    assert await backend.warm_up(made.snapshot, made.environment, command) == ""
    assert (await backend.run(made.snapshot, made.environment, command)).warm
    assert await backend.warm_up(made.snapshot, made.environment, command) == ""
    yield made
    await backend.close()


@pytest.fixture(params=["memory", "local", "local-watchdog", "local-warm", "docker-fast", "docker-warm", "docker-strict"])
async def bench(request: pytest.FixtureRequest, workspace: Path, environment: Environment) -> AsyncIterator[Bench]:
    """Every backend, and every way in which one works."""
    if request.param == "local-warm":
        async with _with_zygote(request.getfixturevalue("ground"), workspace) as made:
            yield made
        return
    if request.param == "docker-warm":
        async with _in_a_container(request.getfixturevalue("image_environment")(SMALL), workspace) as made:
            yield made
        return
    if request.param.startswith("docker"):
        environment = request.getfixturevalue("image_environment")(SMALL)
        backend: Backend = DockerBackend(DockerOptions(mode=request.param.removeprefix("docker-")), trial=environment)
    else:
        backend = MemoryBackend(IN_MEMORY) if request.param == "memory" else LocalBackend(control_groups=request.param == "local")
    argv = _plain if request.param == "memory" else _shell
    yield Bench(backend, Snapshot(workspace), environment, argv)
    await backend.close()


STRICT = frozenset(
    {
        *("test_fork_bomb", "test_memory_hog", "test_a_written_file_of_ten_gigabytes", "test_many_files", "test_a_gigabyte_of_output"),
        *(
            "test_a_daemon_does_not_survive",
            "test_a_timeout_takes_the_daemons_too",
            "test_network",
            "test_writing_outside",
            "test_privileges",
        ),
        *("test_links_out_of_the_workspace_lead_nowhere", "test_the_first_process_cannot_be_killed_from_inside"),
        "test_a_secret_cannot_be_had_back_by_removing_what_hides_it",
        *("test_system_calls_that_no_check_needs", "test_stale_bytecode_never_runs"),
        "test_what_is_excluded_shows_neither_as_a_folder_nor_as_bytecode_nor_by_a_link",
    }
)
"""What differs in strict mode: limits, the view, what can be reached. A container for each attempt takes its time."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What means harm is tried against everything that isolates; what is told of bubblewrap alone, against that."""
    if "local" in metafunc.fixturenames:
        ways = ["control groups", "watchdog"]
        if metafunc.module.__name__.rpartition(".")[2] == "test_hostile":
            ways += ["docker-fast", *(["docker-strict"] if metafunc.function.__name__ in STRICT else [])]
        metafunc.parametrize("local", ways, indirect=True)


@pytest.fixture
async def local(request: pytest.FixtureRequest, workspace: Path, environment: Environment) -> AsyncIterator[Bench]:
    """The local backend, with the kernel's caps where they can be had, and without; or one of containers."""
    if request.param.startswith("docker"):
        environment = request.getfixturevalue("image_environment")(SMALL)
        backend: Backend = DockerBackend(DockerOptions(mode=request.param.removeprefix("docker-")))
    else:
        backend = LocalBackend(control_groups=request.param == "control groups")
    yield Bench(backend, Snapshot(workspace), environment, _shell)
    await backend.close()
