"""A workspace that means harm, against the real sandbox: contained, named in `Completed.ended`, and cleaned up."""

# ruff: noqa: ASYNC221, ASYNC240, E501  # one test at a time has the loop to itself; long lines are hostile scripts

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.errors import SandboxFailed
from suture_sandbox.snapshot import Snapshot


def processes_with(mark: str) -> list[int]:
    """Processes of the host that carry `mark` in their command line or environment."""
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


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


async def test_fork_bomb(local, mark):
    code = "import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)"
    done = await local.python(code, variables={"MARK": mark})
    assert (done.ended, done.exit_code) == ("processes", None)
    assert processes_with(mark) == []


async def test_shell_fork_bomb(local, mark):
    done = await local.sh("b() { b | b & b; }; b", variables={"MARK": mark})
    assert done.ended in ("processes", "exited")
    assert processes_with(mark) == []


async def test_a_few_processes_are_fine(local):
    done = await local.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.2 & done; wait; echo all")
    assert (done.ended, done.stdout) == ("exited", b"all\n")


async def test_threads_count_as_processes(local):
    code = "import threading, time\nfor _ in range(200):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\ntime.sleep(60)"
    done = await local.python(code)
    refused = done.ended == "exited" and b"can't start new thread" in done.stderr  # an ordinary user's are by the kernel, at once
    assert done.ended == "processes" or refused


async def test_memory_hog(local):
    done = await local.python("import time\nhog = []\nwhile True:\n    hog.append(bytearray(8 << 20)); time.sleep(0.004)")
    assert (done.ended, done.exit_code) == ("memory", None)


async def test_memory_of_many_processes_counts_together(local):
    code = "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        hog = bytearray(60 << 20); time.sleep(60)\ntime.sleep(60)"
    assert (await local.python(code)).ended == "memory"


async def test_forked_memory_counts_once(local):
    code = "import os, time\nshared = bytes(60 << 20)\nfor _ in range(12):\n    if os.fork() == 0:\n        time.sleep(0.5); os._exit(0)\n"
    done = await local.python(code + "for _ in range(12):\n    os.wait()\nprint('all')")
    assert (done.ended, done.stdout) == ("exited", b"all\n")


@pytest.mark.parametrize("place", ["/tmp/big", "big", "/home/suture/big", "/var/tmp/big"])
async def test_a_written_file_of_ten_gigabytes(local, workspace, place):
    done = await local.sh(f"head -c 10G /dev/zero > {place}")
    assert done.ended in ("disk", "memory")
    assert not (workspace / "big").exists()


async def test_a_sparse_file_of_ten_gigabytes(local):
    done = await local.sh("truncate -s 10G /tmp/sparse")
    assert (done.ended, done.exit_code) == ("disk", None)
    done = await local.python("open('sparse', 'wb').truncate(10 << 30)")
    assert done.exit_code == 1
    assert b"File too large" in done.stderr


async def test_many_files(local):
    done = await local.python("import os\nos.mkdir('many')\nn = 0\nwhile True:\n    open(f'many/{n}', 'wb').close(); n += 1")
    assert done.ended in ("disk", "memory")


async def test_shared_memory_is_small(local):
    done = await local.sh("head -c 1G /dev/zero > /dev/shm/big")
    assert done.exit_code != 0


async def test_a_gigabyte_of_output(local):
    done = await local.sh("head -c 1G /dev/zero; head -c 1G /dev/zero >&2")
    assert (done.ended, done.overflow) == ("output", True)
    assert len(done.stdout) < 2 << 20


async def test_a_gigabyte_of_report(local):
    done = await local.sh("head -c 1G /dev/zero > $0; sleep 60", seconds=1)
    assert done.ended in ("disk", "memory", "timeout")
    done = await local.backend.run(local.snapshot, local.environment, _command("sh", "-c", "head -c 60M /dev/zero > {report}"))
    assert len(done.report) <= local.environment.limits.output_mib * 8 << 20


def _command(*argv: str, **options: object):
    from suture_sandbox.backend import Command

    return Command(argv=argv, **options)


def _excluding(environment, globs: str):
    fields = msgspec.structs.replace(environment.fields, isolation={"excluded": globs})
    return msgspec.structs.replace(environment, fields=fields)


async def test_busy_loop(local):
    limits = msgspec.structs.replace(local.environment.limits, cpu_seconds=1)
    local.environment = msgspec.structs.replace(local.environment, limits=limits)
    done = await local.sh("while :; do :; done")
    assert (done.ended, done.exit_code) == ("timeout", None)
    assert done.seconds < local.environment.limits.seconds


async def test_signals_that_are_ignored_do_not_help(local):
    done = await local.python(
        "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\ntime.sleep(60)",
        seconds=1,
    )
    assert done.ended == "timeout"


async def test_a_daemon_does_not_survive(local, mark):
    script = f"setsid sh -c 'setsid sleep 1000 & exec sleep 1000' {mark} </dev/null >/dev/null 2>&1 & sleep 0.3; echo gone"
    done = await local.sh(script, variables={"MARK": mark})
    assert (done.ended, done.stdout) == ("exited", b"gone\n")
    assert processes_with(mark) == []


async def test_a_daemon_that_holds_the_output_open_does_not_delay(local, mark):
    done = await local.sh("setsid sleep 1000 & echo done", variables={"MARK": mark})
    assert (done.ended, done.stdout) == ("exited", b"done\n")
    assert processes_with(mark) == []


async def test_a_timeout_takes_the_daemons_too(local, mark):
    done = await local.sh("setsid sleep 1000 & setsid setsid sleep 1000 & sleep 1000", variables={"MARK": mark}, seconds=1)
    assert done.ended == "timeout"
    assert processes_with(mark) == []


async def test_network(local):
    listener = socket.create_server(("127.0.0.1", 0))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.setblocking(False)
    abstract = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    name = f"\0suture-{uuid.uuid4().hex}"
    abstract.bind(name)
    abstract.listen()
    with listener, datagrams, abstract:
        code = f"""
import socket
def reach(what, call):
    try:
        call(); print(what, "reached")
    except OSError as error:
        print(what, "refused")
reach("tcp", lambda: socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), 2))
reach("outside", lambda: socket.create_connection(("192.0.2.1", 80), 2))
reach("dns", lambda: socket.getaddrinfo("example.com", 80))
reach("abstract", lambda: socket.socket(socket.AF_UNIX).connect({name!r}))
reach("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
reach("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {datagrams.getsockname()[1]}))
except OSError:
    pass
"""
        done = await local.python(code)
        assert done.stdout.decode().split("\n")[:-1] == [
            f"{what} refused" for what in ("tcp", "outside", "dns", "abstract", "vsock", "raw")
        ]
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)


async def test_loopback_of_its_own_works(local):
    code = "import socket\ns = socket.create_server(('127.0.0.1', 0))\nc = socket.create_connection(s.getsockname())\nprint('talks')"
    assert (await local.python(code)).stdout == b"talks\n"


async def test_a_socket_file_of_the_host_is_not_reached(local, workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        listener.listen()
        done = await local.python("import socket\nsocket.socket(socket.AF_UNIX).connect('s.sock')")
    assert done.exit_code == 1
    assert b"Error" in done.stderr


async def test_files_of_the_host(local):
    if local.backend.name == "docker":
        pytest.skip("an image has files of its own in these places: tests/sandbox/docker looks for the host's")
    places = [
        "/etc/shadow",
        "/root",
        "~root",
        "/home/*/.ssh",
        "~/.ssh",
        "/run",
        "/sys",
        "/var/lib",
        "/boot",
        "/oldroot",
        "/mnt",
        "/srv",
        "/opt",
        "/etc/ssl/private",
    ]
    done = await local.sh("for p in " + " ".join(places) + "; do [ -d $p ] && ls -A $p || cat $p; done")
    shown = {line for line in done.stdout.decode().splitlines() if line}
    ours = [Path(part).parts for part in (sys.prefix, sys.base_prefix)]
    assert shown <= {".pyenv", ".venv"} | {parts[2] for parts in ours if parts[1] in ("root", "opt", "home")}


async def test_home_is_empty_and_its_own(local):
    done = await local.sh("ls -A ~; echo $HOME; echo x > ~/file && cat ~/file; whoami; hostname; cat /etc/passwd | wc -l")
    assert done.stdout.decode().split() == ["/home/suture", "x", "suture", "suture", "2"]


async def test_only_the_given_variables(local):
    done = await local.sh("env")
    names = {line.partition("=")[0] for line in done.stdout.decode().splitlines()}
    assert names - {"_", "SHLVL", "OLDPWD"} == {"PATH", "HOME", "TMPDIR", "PWD", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "TZ"}
    done = await local.sh("cat /proc/1/environ | tr '\\0' '\\n'")
    assert {line.partition("=")[0] for line in done.stdout.decode().split()} <= names


async def test_writing_outside(local, tmp_path):
    target = tmp_path / "outside.txt"
    target.write_text("host")
    script = f"echo x > {target}; echo x > /usr/bin/suture-was-here; echo x > {sys.prefix}/was-here; echo x > /was-here; echo x > /etc/passwd; rm -f {target}"
    await local.sh(script)
    assert target.read_text() == "host"
    assert not Path("/usr/bin/suture-was-here").exists()
    assert not (Path(sys.prefix) / "was-here").exists()
    assert not Path("/was-here").exists()


async def test_links_out_of_the_workspace_lead_nowhere(local, workspace, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    (workspace / "absolute").symlink_to(secret)
    (workspace / "relative").symlink_to("../secret.txt")
    (workspace / "folder").symlink_to("/root")
    done = await local.sh(
        "cat absolute relative /proc/self/cwd/../secret.txt; ls folder/.ssh; echo overwritten > absolute; echo overwritten > relative; ln -s /etc/shadow s; cat s"
    )
    assert b"hunter2" not in done.stdout
    assert b"root:" not in done.stdout
    assert secret.read_text() == "hunter2"


async def test_a_hard_link_is_broken_before_it_is_written_to(local, workspace, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("host")
    os.link(outside, workspace / "inside.txt")
    done = await local.sh("echo attempt > inside.txt; cat inside.txt")
    assert done.stdout == b"attempt\n"
    assert outside.read_text() == "host"
    edited = local.snapshot.with_edits({"inside.txt": b"edited"})
    assert (await local.sh("cat inside.txt", snapshot=edited)).stdout == b"edited"
    assert outside.read_text() == "host"


async def test_deleting_the_whole_workspace(local, workspace):
    before = sorted(path.relative_to(workspace) for path in workspace.rglob("*"))
    done = await local.sh("rm -rf ./* ./.??* ; ls -A")
    assert done.stdout == b""
    assert sorted(path.relative_to(workspace) for path in workspace.rglob("*")) == before


async def test_host_processes_are_not_there(local):
    done = await local.sh(f"ls /proc | grep -c '^[0-9]'; kill -9 {os.getpid()} {os.getppid()}; kill -9 -1; sleep 1", seconds=5)
    assert int(done.stdout.split()[0]) < 10
    assert done.ended in ("exited", "signalled")


async def test_the_first_process_cannot_be_killed_from_inside(local):
    done = await local.sh("kill -9 1; kill -15 1; echo alive")
    assert (done.ended, done.stdout) == ("exited", b"alive\n")


async def test_privileges(local):
    done = await local.sh(
        "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; id -u; su -c id; mount -t tmpfs x /tmp; unshare -U true; echo x > /proc/sys/kernel/core_pattern; chroot /; mknod /tmp/d c 1 1"
    )
    lines = done.stdout.decode().splitlines()
    assert {line.split()[1] for line in lines if line.startswith("Cap")} == {"0000000000000000"}
    assert "NoNewPrivs:\t1" in lines
    assert "Seccomp:\t2" in lines
    assert lines[-1] == "1000"
    assert "|/" not in Path("/proc/sys/kernel/core_pattern").read_text() or not Path(
        "/proc/sys/kernel/core_pattern"
    ).read_text().startswith("x")


SYSTEM_CALLS = """
import ctypes, errno, fcntl, platform, sys
libc = ctypes.CDLL(None, use_errno=True)
def error(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    return errno.errorcode.get(ctypes.get_errno(), "ok") if result == -1 else "ok"
for name, pair in NUMBERS.items():
    print(name, error(pair[platform.machine() == "aarch64"], 0, 0, 0, 0, 0))
print("clone-newuser", error((56, 220)[platform.machine() == "aarch64"], 0x10000000 | 17, 0, 0, 0, 0))
for request in (0x5412, 0x541C):
    try:
        fcntl.ioctl(0, request, b"x")
    except OSError as failed:
        print(hex(request), errno.errorcode[failed.errno])
"""


async def test_system_calls_that_no_check_needs(local):
    from suture_sandbox.local.seccomp import ABSENT, DENIED

    numbers = {name: pair for name, pair in {**DENIED, **ABSENT}.items() if name != "clone3"}
    done = await local.python(f"NUMBERS = {numbers!r}{SYSTEM_CALLS}")
    got = dict(line.split() for line in done.stdout.decode().splitlines())
    assert got == {
        **dict.fromkeys(DENIED, "EPERM"),
        **{name: "ENOSYS" for name in ABSENT if name != "clone3"},
        **dict.fromkeys(("clone-newuser", "0x5412", "0x541c"), "EPERM"),
    }


async def test_devices(local):
    done = await local.sh(
        "echo x > /dev/new; echo x > /dev/null && echo null; ls /dev; cat /dev/sda /dev/vda /dev/mem /dev/kmsg; rm -f /dev/null; [ -c /dev/null ] && echo stays"
    )
    words = done.stdout.decode().split()
    assert words[0] == "null"
    assert words[-1] == "stays"
    assert not {"new", "sda", "vda", "mem", "kmsg", "kvm", "fuse"} & set(words)


async def test_no_terminal_of_the_host(local):
    done = await local.sh("echo x > /dev/tty; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] && echo terminal")
    assert b"terminal" not in done.stdout
    assert done.stderr


async def test_open_files_are_limited(local):
    done = await local.python("files = [open('/dev/null') for _ in range(10_000)]")
    assert done.exit_code == 1
    assert b"Too many open files" in done.stderr


async def test_descriptors_of_suture_are_not_inherited(local, tmp_path):
    with (tmp_path / "held.txt").open("w+") as held:
        os.set_inheritable(held.fileno(), True)
        done = await local.sh("ls -l /proc/self/fd /proc/1/fd")
    assert b"held.txt" not in done.stdout


async def test_a_forged_list_of_changes_is_taken_as_what_it_is(local, workspace, tmp_path):
    forged = "F" + "".join(chr(0) * 7 + chr(len(part)) + part for part in ("../../x", "evil"))
    code = f"""
import os
for fd in os.listdir('/proc/self/fd') + os.listdir('/proc/1/fd'):
    for where in ('self', '1', str(os.getppid())):
        try:
            with open(f'/proc/{{where}}/fd/{{fd}}', 'wb') as file:
                file.write({forged.encode()!r} * 1000)
        except (OSError, ValueError):
            pass
"""
    done = await local.python(code, keep=True)
    assert all(not path.startswith(("/", "..")) for path in done.changes)
    assert not (tmp_path.parent / "x").exists()


async def test_changes_that_are_no_plain_files(local):
    done = await local.sh("ln -s /etc/passwd link; mkfifo pipe; echo ok > plain.txt", keep=True)
    assert (dict(done.changes), done.kept_all) == ({"plain.txt": b"ok\n"}, False)
    done = await local.sh("rm calc.py; ln -s /etc/passwd calc.py", keep=True)
    assert (dict(done.changes), done.kept_all) == ({}, False)


async def test_too_many_or_too_large_changes(local):
    done = await local.sh("for i in $(seq 100); do echo $i > new$i; done", keep=True)
    assert (len(done.changes), done.kept_all) == (64, False)
    done = await local.sh("head -c 9M /dev/zero > large; echo x > small", keep=True)
    assert (dict(done.changes), done.kept_all) == ({"small": b"x\n"}, False)


async def test_changes_to_secrets_and_to_git_are_left_out(local, workspace):
    (workspace / ".git").mkdir()
    (workspace / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    done = await local.sh(
        "echo x > .env; echo x > .git/HEAD; mkdir -p .git/hooks .ssh __pycache__; echo x > .git/hooks/pre-commit; echo x > .ssh/key; echo x > __pycache__/a.pyc; echo y > ok",
        keep=True,
    )
    assert dict(done.changes) == {"ok": b"y\n"}
    assert (workspace / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"


async def test_secrets(local, workspace):
    secrets = [
        ".env.production",
        "server.PEM",
        "deploy/id_rsa",
        "deploy/.netrc",
        "credentials-prod.json",
        "terraform.tfstate",
        ".aws/credentials",
        ".ssh/config",
        ".docker/config.json",
        ".suture/journal.db",
    ]
    for name in secrets:
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text("hunter2")
    (workspace / ".git").mkdir()
    (workspace / ".git" / "config").write_text("[remote]\nurl = https://me:hunter2@example.com/r.git\n")
    (workspace / "linked.key").symlink_to("innocent")
    (workspace / "innocent").write_text("hunter2")
    (workspace / ".env.example").write_text("TOKEN=yours")
    done = await local.sh("grep -r hunter2 . ; cat linked.key; echo; cat .env.example; cat " + " ".join(secrets))
    assert b"hunter2" not in done.stdout
    assert b"TOKEN=yours" in done.stdout
    (workspace / "later.pem").write_text("hunter2")
    assert b"hunter2" not in (await local.sh("cat later.pem")).stdout


async def test_a_secret_cannot_be_had_back_by_removing_what_hides_it(local):
    done = await local.sh(
        "rm -f .env; cat .env; mv .env x; umount .env; cat .env x; ls /tmp-overlay* /oldroot; cat /proc/1/root/oldroot/* /proc/self/mountinfo | grep -c hunter"
    )
    assert b"hunter2" not in done.stdout


async def test_what_is_excluded_shows_neither_as_a_folder_nor_as_bytecode_nor_by_a_link(local, workspace):
    (workspace / "prices.py").write_text("SECRET = 'hunter2'\n")
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(workspace / "prices.py")], check=True)
    (workspace / "internal" / "deep").mkdir(parents=True)
    (workspace / "internal" / "deep" / "notes.txt").write_text("hunter2")
    (workspace / "src" / "alias.py").symlink_to("../prices.py")
    assert (await local.sh("grep -rl hunter2 . | wc -l")).stdout.strip() == b"3"
    local.environment = _excluding(local.environment, "internal prices.py")
    edited = local.snapshot.with_edits({"internal/deep/notes.txt": b"hunter2 typed", "prices.py": b"SECRET = 'hunter2!'\n"})
    for snapshot in (local.snapshot, edited):
        done = await local.sh("grep -r hunter2 . ; cat src/alias.py ; ls internal ; echo end", snapshot=snapshot)
        assert (done.stdout, done.ended) == (b"end\n", "exited")


async def test_too_many_files_to_hide_one_by_one_say_what_to_do(local, workspace):
    (workspace / "data").mkdir()
    for number in range(800):
        (workspace / "data" / f"{number}.csv").write_text("x")
    local.environment = _excluding(local.environment, "*.csv")
    if local.backend.name == "docker":  # which needs no descriptor for each
        assert (await local.sh("cat data/*.csv; ls data | wc -l")).stdout == b"800\n"
        return
    with pytest.raises(SandboxFailed, match="801 files") as caught:
        await local.sh("true")
    assert "privacy.exclude" in caught.value.remedy
    local.environment = _excluding(local.environment, "data")
    assert (await local.sh("ls data")).stdout == b""


async def test_stale_bytecode_never_runs(local, workspace):
    source = workspace / "answer.py"
    source.write_text("VALUE = 1\n")
    now = time.time() + 3600
    os.utime(source, (now, now))
    subprocess.run([sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(source)], check=True)
    assert list((workspace / "__pycache__").iterdir())
    edited = local.snapshot.with_edits({"answer.py": b"VALUE = 2\n"})
    assert (await local.python("import answer; print(answer.VALUE)", snapshot=edited)).stdout == b"2\n"


async def test_bytecode_of_the_same_second_and_size_never_runs(local, workspace):
    source = workspace / "answer.py"
    edited = local.snapshot.with_edits({"answer.py": b"VALUE = 2\n"})
    # bytecode dated for every second in which the attempt could write its copy
    for second in range(3):
        source.write_text("VALUE = 1\n")
        moment = int(time.time()) + second
        os.utime(source, (moment, moment))
        subprocess.run([sys.executable, "-m", "compileall", "-q", "-f", str(source)], check=True)
        assert (await local.python("import answer; print(answer.VALUE)", snapshot=edited)).stdout == b"2\n"


async def test_a_workspace_in_an_awkward_place(local, workspace):
    for root in (workspace / "src", workspace / "with space 'and quote" / "deep"):
        root.mkdir(parents=True, exist_ok=True)
        (root / "here.txt").write_text("here")
        assert (await local.sh("cat here.txt; echo changed > here.txt; cat here.txt", snapshot=Snapshot(root))).stdout == b"herechanged\n"
        assert (root / "here.txt").read_text() == "here"
