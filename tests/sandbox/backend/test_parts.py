"""The parts that need no process: names of secrets, their index, output, the list of changes, the filter, control groups, the fake."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.backend import Command
from suture_sandbox.environment import Limits
from suture_sandbox.errors import BackendUnavailable, SandboxFailed
from suture_sandbox.local import bubblewrap, cgroups, keep, layout, seccomp
from suture_sandbox.local.attempt import Attempt
from suture_sandbox.local.limits import resource_limits
from suture_sandbox.local.masks import Masks, SecretIndex, is_masked, is_secret, refused_glob
from suture_sandbox.local.output import STOP_FACTOR, Output
from suture_sandbox.local.start import Stop
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.snapshot import Snapshot

SECRET = [
    *(".env", "a/.env", ".env.local", "prod.env", ".ENV", "tls/server.pem", "x.key", "a.p12", "a.kdbx", "id_rsa", "id_ed25519_work"),
    *(".netrc", ".pypirc", ".npmrc", ".git-credentials", ".aws/credentials", ".ssh/known_hosts", ".docker/config.json", "credentials.json"),
    *("credentials-prod.json", "service-account-1.json", ".htpasswd", "terraform.tfstate", "infra/prod.tfvars", ".suture/journal.db"),
]
INNOCENT = [
    *("environment.py", "env.py", "src/env/__init__.py", ".env.example", ".env.template", "id_rsa.pub", "keys.py", "key.txt"),
    *("credentials.py", "config.json", "docker/config.json", "pem.md", "monkey", "awsome/x", "README.md"),
]


@pytest.mark.parametrize("path", SECRET)
def test_secret_names(path):
    assert is_secret(path)


@pytest.mark.parametrize("path", INNOCENT)
def test_innocent_names(path):
    assert not is_secret(path)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("tests/certs/*.pem", "tests/certs/a.pem"),
        ("tests/certs/a.pem", "tests/certs/a.pem"),
        ("tests/**", "tests/a/b/c.key"),
        ("tests/**/*.key", "tests/c.key"),
        ("tests/*/c.key", "tests/x/c.key"),
        ("src/.env", "src/.env"),
    ],
)
def test_what_a_glob_lets_be_seen(glob, path):
    assert refused_glob(glob) == ""
    assert is_secret(path)
    assert is_masked(path, [])
    assert not is_masked(path, ["other/*", glob])


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("tests/*.pem", "tests/certs/a.pem"),
        ("tests/*.pem", "more/tests/a.pem"),
        ("tests/a.pem", "tests/A.pem"),
        ("tests", "tests/a.pem"),
        ("tests/**", "tests/.ssh/id_rsa"),
        ("tests/**", "tests/.git/a.key"),
        ("tests/**", ".env"),
        ("tests/**", "tests/.suture/a.key"),
    ],
)
def test_what_a_glob_does_not_name_stays_hidden(glob, path):
    assert is_masked(path, [glob])


REFUSED_GLOBS = ["", ".", "*", "**", ".env", "*.pem", "*/a.pem", "**/a.pem", "/etc/*.pem", "../x/*.pem", "tests/../../a.pem", "a/**/b/**"]
REFUSED_GLOBS += [".git/config", ".ssh/id_rsa", "tests/.aws/credentials", "tests/a b.pem", "tests/a\n.pem", "t[a]/x.pem", "?/x.pem"]


@pytest.mark.parametrize("glob", REFUSED_GLOBS)
def test_globs_that_are_too_wide_or_lead_elsewhere_are_refused_and_name_nothing(glob):
    assert refused_glob(glob)
    for path in (".env", "a.pem", "x/a.pem", "t/x.pem", ".ssh/id_rsa", "tests/.aws/credentials"):
        assert is_masked(path, [glob])


def test_the_index_leaves_out_what_may_be_seen_and_never_what_a_link_leads_to(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.pem").write_text("x")
    (tmp_path / "tests" / "b.pem").symlink_to("../.env")
    (tmp_path / ".env").write_text("x")
    index = SecretIndex(tmp_path)
    assert index.refresh().files == (".env", "tests/a.pem")
    assert index.refresh(["tests/*.pem"]).files == (".env",)
    assert index.refresh().files == (".env", "tests/a.pem")


def test_the_index_finds_what_is_excluded_too(tmp_path):
    for path in ("data/a.csv", "data/deep/b.csv", "internal/x.py", "src/internal/y.py", "src/z.py", "venv/pyvenv.cfg"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    assert SecretIndex(tmp_path).refresh() == Masks()
    assert SecretIndex(tmp_path, ["*.csv", "internal", "venv"]).refresh() == Masks(
        files=("data/a.csv", "data/deep/b.csv"), folders=("internal", "src/internal")
    )
    assert SecretIndex(tmp_path, ["src/z.py", "data/**"]).refresh() == Masks(files=("src/z.py",), folders=("data",))


def test_the_index_follows_the_workspace(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".env").write_text("x")
    index = SecretIndex(tmp_path)
    assert index.refresh().files == ("a/.env",)
    (tmp_path / "a" / "b" / "id_rsa").write_text("x")
    assert index.refresh().files == ("a/.env", "a/b/id_rsa")
    (tmp_path / "a" / ".env").unlink()
    (tmp_path / ".ssh").mkdir()
    masks = index.refresh()
    assert (masks.files, masks.folders) == (("a/b/id_rsa",), (".ssh",))
    (tmp_path / "a" / "b").rename(tmp_path / "c")
    assert index.refresh().files == ("c/id_rsa",)


def test_the_index_sees_every_new_secret_at_once(tmp_path):
    index = SecretIndex(tmp_path)
    for number in range(30):
        (tmp_path / f"{number}.pem").write_text("x")
        assert f"{number}.pem" in index.refresh().files


def test_what_the_index_does_not_read(tmp_path):
    for folder in (".git/objects", "node_modules/x", "venv", "__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "cacert.pem").write_text("x")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    assert SecretIndex(tmp_path).refresh().files == ()


def test_a_password_in_the_configuration_of_git(tmp_path):
    (tmp_path / ".git").mkdir()
    config = tmp_path / ".git" / "config"
    config.write_text("[remote]\nurl = https://example.com/r.git\n")
    assert SecretIndex(tmp_path).refresh().files == ()
    config.write_text("[remote]\nurl = https://me:hunter2@example.com/r.git\n")
    assert SecretIndex(tmp_path).refresh().files == (".git/config",)


def test_links_under_secret_names(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "real").write_text("x")
    (tmp_path / "outside").write_text("x")
    (root / ".env").symlink_to("real")
    (root / "a.pem").symlink_to("../outside")
    (root / "b.pem").symlink_to("nowhere")
    assert SecretIndex(root).refresh().files == ("real",)


@given(st.lists(st.binary(max_size=50), max_size=60), st.integers(2, 60))
def test_output_keeps_head_and_tail(pieces, limit):
    output = Output(limit)
    for piece in pieces:
        output.add(piece)
    whole, half = b"".join(pieces), limit // 2
    assert output.total == len(whole)
    assert output.flooded == (len(whole) > 2 * half * STOP_FACTOR)
    if output.cut:
        assert output.content().startswith(whole[:half])
        assert output.content().endswith(whole[-half:])
        assert b"[... %d bytes left out ...]" % (len(whole) - 2 * half) in output.content()
    else:
        assert output.content() == whole


def _frame(kind: bytes, name: bytes = b"", content: bytes = b"") -> bytes:
    return kind + len(name).to_bytes(8, "big") + name + len(content).to_bytes(8, "big") + content


def test_a_list_of_changes(tmp_path):
    (tmp_path / "same").write_bytes(b"same")
    (tmp_path / "old").write_bytes(b"old")
    data = _frame(b"F", b"new", b"1") + _frame(b"F", b"same", b"same") + _frame(b"D", b"old") + _frame(b"E")
    assert keep.read_changes(data, Snapshot(tmp_path)) == ({"new": b"1", "old": None}, True)
    assert keep.read_changes(data[:-1], Snapshot(tmp_path)) == ({"new": b"1", "old": None}, False)
    assert keep.read_changes(_frame(b"F", b"new", b"1") + _frame(b"!") + _frame(b"E"), Snapshot(tmp_path)) == ({"new": b"1"}, False)
    assert keep.read_changes(b"", Snapshot(tmp_path)) == ({}, False)


@pytest.mark.parametrize("name", [b"../x", b"/etc/passwd", b"a/../../x", b"link/x", b"\xff", b"", b".git/config", b"a\0b", b"./x"])
def test_a_hostile_name_in_a_list_of_changes(name, tmp_path):
    (tmp_path / "link").symlink_to("/")
    changes, _ = keep.read_changes(_frame(b"F", name, b"evil") + _frame(b"E"), Snapshot(tmp_path))
    assert changes == {}


def test_too_many_changes(tmp_path):
    data = b"".join(_frame(b"F", b"f%d" % number, b"x") for number in range(100)) + _frame(b"E")
    changes, whole = keep.read_changes(data, Snapshot(tmp_path))
    assert (len(changes), whole) == (keep.MAX_FILES, False)


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_no_list_of_changes_raises(data):
    changes, _ = keep.read_changes(data, Snapshot(Path("/nonexistent")))
    assert all(not path.startswith(("/", "..")) for path in changes)


def _run_filter(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Interpret classic BPF as the kernel does."""
    steps = [struct.unpack_from("=HBBI", program, offset) for offset in range(0, len(program), 8)]
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *([0] * (6 - len(arguments))))
    register, position = 0, 0
    while True:
        code, if_true, if_false, value = steps[position]
        position += 1
        if code == 0x20:
            (register,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            position += if_true if holds else if_false


@pytest.mark.parametrize(
    ("machine", "audit", "column", "clone", "socket", "read"),
    [("x86_64", 0xC000003E, 0, 56, 41, 0), ("aarch64", 0xC00000B7, 1, 220, 198, 63)],
)
def test_the_filter_on_both_machines(machine, audit, column, clone, socket, read):
    program = seccomp.build(machine)
    allow, refuse = 0x7FFF0000, 0x00050000
    assert {_run_filter(program, audit, pair[column]) for pair in seccomp.DENIED.values()} == {refuse | 1}
    assert {_run_filter(program, audit, pair[column]) for pair in seccomp.ABSENT.values()} == {refuse | 38}
    assert _run_filter(program, audit, read) == allow
    assert _run_filter(program, audit, clone, 17) == allow
    assert _run_filter(program, audit, clone, 17 | 0x10000000) == refuse | 1
    assert [_run_filter(program, audit, socket, family) for family in (1, 2, 10, 16)] == [allow] * 4
    assert [_run_filter(program, audit, socket, family) for family in (17, 38, 40)] == [refuse | 97] * 3
    ioctl = 16 if column == 0 else 29
    assert [_run_filter(program, audit, ioctl, 0, request) for request in (0x5412, 0x541C, 0x5401)] == [refuse | 1, refuse | 1, allow]
    assert _run_filter(program, audit, ioctl, 0, 0xFFFFFFFF00005412) == refuse | 1
    assert _run_filter(program, 0x40000003, read) == refuse | 38


def test_other_machines_have_no_filter():
    assert seccomp.build("riscv64") is None


def test_what_bubblewrap_says_is_understood():
    assert isinstance(bubblewrap.failure("bwrap: Creating new namespace failed: Operation not permitted"), BackendUnavailable)
    assert isinstance(bubblewrap.failure("bwrap: execvp: something else"), SandboxFailed)
    assert isinstance(bubblewrap.failure(""), SandboxFailed)
    assert bubblewrap.is_no_folder(b"bwrap: Can't chdir to /x: No such file or directory\n")
    assert not bubblewrap.is_no_folder(b"bwrap: other\n")


def test_mounts_come_parents_first(tmp_path, make_environment):
    arguments = layout.mounts(tmp_path, make_environment())
    places = [arguments[index + 1] for index, argument in enumerate(arguments) if argument == "--tmp-overlay"]
    assert places == [str(tmp_path)]
    assert arguments.index("/tmp") < arguments.index("--tmp-overlay")
    assert "/root" not in arguments
    assert "/home" not in arguments


def test_the_bounds_of_the_kernel_are_above_the_limits(environment):
    cpu, hard, blocks, files, processes = map(int, resource_limits(environment.limits))
    assert (cpu, files) == (environment.limits.cpu_seconds, environment.limits.open_files)
    assert hard > cpu
    assert blocks * 512 > environment.limits.disk_mib << 20
    assert processes > environment.limits.processes


def test_groups_of_the_dead_are_reaped(tmp_path):
    parent = tmp_path / "memory"
    for name in ("suture-999999999-1", f"suture-{os.getpid()}-1", "other-999999999-1", "suture-x-1"):
        (parent / name).mkdir(parents=True)
    cgroups.reap({"memory": parent})
    assert sorted(path.name for path in parent.iterdir()) == sorted([f"suture-{os.getpid()}-1", "other-999999999-1", "suture-x-1"])


def test_no_groups_where_there_is_no_such_hierarchy(tmp_path):
    assert cgroups.find_parents(tmp_path) == {}


async def test_programs_of_the_fake_see_one_view(tmp_path, environment):
    (tmp_path / "a.txt").write_text("a")

    async def program(view, arguments):
        assert view.list() == ["a.txt", "b.txt"]
        view.write("sub/c.txt", b"c")
        view.remove("a.txt")
        assert view.list() == ["b.txt", "sub/c.txt"]
        assert view.read(str(tmp_path / "sub/c.txt")) == b"c"
        for outside in ("/etc/passwd", "../x"):
            with pytest.raises(FileNotFoundError):
                view.read(outside)
        view.print("done")
        return 0

    backend = MemoryBackend({"program": program})
    snapshot = Snapshot(tmp_path, {"b.txt": b"b"})
    done = await backend.run(snapshot, environment, Command(argv=("/anywhere/program",), keep=True))
    assert (done.exit_code, done.stdout, done.changes) == (0, b"done", {"sub/c.txt": b"c", "a.txt": None})


async def test_cancelling_the_fake_stops_its_program(tmp_path, environment):
    ended = []

    async def program(view, arguments):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        return 0

    task = asyncio.create_task(MemoryBackend({"p": program}).run(Snapshot(tmp_path), environment, Command(argv=("p",))))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


class Late:
    """An attempt that ended by itself while whoever watches it was stopped."""

    def __init__(self, gate: socket.socket, late: float) -> None:
        self.streams: dict[int, Output] = {}
        self.gate, self.outer, self.ready, self.returncode, self.cpu_seconds, self._late = gate, None, True, 0, 0.0, late

    def hear(self) -> bool:
        time.sleep(self._late)
        return False

    def first_process(self) -> int | None:
        return None

    def open_gate(self) -> None: ...

    def patience_is_over(self) -> None: ...

    def reap(self) -> None: ...

    def failure(self, stderr: bytes) -> Exception | None:
        return None


def test_a_command_that_ended_is_no_time_out_however_late_that_is_noticed():
    stop = Stop()
    gate, other = socket.socketpair()
    with gate, other:
        other.send(b"over")
        done = Attempt(Command(argv=("true",), seconds=0), Limits(), stop, None).run(lambda _sinks, _files: Late(gate, 0.05), None)
    stop.close()
    assert (done.ended, done.exit_code) == ("exited", 0)
