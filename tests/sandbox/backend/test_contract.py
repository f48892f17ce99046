"""What every backend promises, whatever isolates: one suite, run against each of them."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from suture_sandbox.errors import PatchError, SandboxFailed
from suture_sandbox.snapshot import Snapshot


async def test_a_command_sees_the_workspace(bench):
    done = await bench.run("cat", "calc.py", "src/deep.txt")
    assert (done.ended, done.exit_code) == ("exited", 0)
    assert done.stdout == b"def add(a, b):\n    return a - b\ndeep\n"
    assert done.stderr == b""
    assert done.seconds > 0


async def test_the_workspace_lies_at_its_own_path(bench, workspace):
    assert (await bench.run("cat", str(workspace / "src/deep.txt"))).stdout == b"deep\n"


async def test_a_command_runs_in_its_folder(bench):
    assert (await bench.run("cat", "deep.txt", folder="src")).stdout == b"deep\n"


@pytest.mark.parametrize("folder", ["..", "/", "src/../.."])
async def test_a_folder_outside_is_refused(bench, folder):
    with pytest.raises(SandboxFailed):
        await bench.run("cat", "calc.py", folder=folder)


async def test_exit_codes_come_back(bench):
    done = await bench.run("exit", "42")
    assert (done.ended, done.exit_code) == ("exited", 42)


async def test_a_signal_of_its_own_is_told(bench):
    done = await bench.run("die", "11")
    assert (done.ended, done.exit_code) == ("signalled", -11)


async def test_a_program_that_is_not_there(bench):
    done = await bench.backend.run(bench.snapshot, bench.environment, msgspec.structs.replace(_command(), argv=("no-such-program",)))
    assert (done.ended, done.exit_code) == ("exited", 127)
    assert b"no-such-program" in done.stderr
    assert b"not found" in done.stderr


def _command():
    from suture_sandbox.backend import Command

    return Command(argv=("unused",))


async def test_the_two_streams_are_kept_apart(bench):
    done = await bench.run("complain", "wrong")
    assert (done.exit_code, done.stdout, done.stderr) == (1, b"", b"wrong")


async def test_standard_input(bench):
    content = bytes(range(256)) * 1000
    assert (await bench.run("stdin", stdin=content)).stdout == content
    assert (await bench.run("stdin")).stdout == b""


async def test_variables(bench):
    assert (await bench.run("variable", "TZ")).stdout == b"UTC"
    assert (await bench.run("variable", "TZ", variables={"TZ": "Europe/Berlin"})).stdout == b"Europe/Berlin"
    assert (await bench.run("variable", "EXTRA", variables={"EXTRA": "a b\n'\"$x"})).stdout == b"a b\n'\"$x"


async def test_no_variable_of_the_host(bench, monkeypatch):
    monkeypatch.setenv("SUTURE_HOST_SECRET", "hunter2")
    assert (await bench.run("variable", "SUTURE_HOST_SECRET")).stdout == b"unset"


async def test_edits_lie_over_the_disk(bench, workspace):
    edited = bench.snapshot.with_edits({"calc.py": b"new", "src/fresh/made.py": b"made"})
    assert (await bench.run("cat", "calc.py", "src/fresh/made.py", snapshot=edited)).stdout == b"newmade"
    assert (workspace / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"
    assert not (workspace / "src/fresh").exists()


async def test_deleted_files_are_not_there(bench, workspace):
    edited = bench.snapshot.with_edits({"gone.txt": None, "never/was.txt": None})
    done = await bench.run("cat", "gone.txt", snapshot=edited)
    assert done.exit_code == 1
    assert b"gone.txt" in done.stderr
    assert (workspace / "gone.txt").exists()


async def test_odd_names_are_just_names(bench):
    name = "src/-rf $(touch x) 'q\" \n.txt"
    assert (await bench.run("cat", f"./{name}", snapshot=bench.snapshot.with_edits({name: b"odd"}))).stdout == b"odd"
    done = await bench.run("cat", f"./{name}", snapshot=bench.snapshot.with_edits({name: None}))
    assert done.exit_code == 1


async def test_each_attempt_is_fresh(bench, workspace):
    assert (await bench.run("write", "left.txt", "over")).exit_code == 0
    assert (await bench.run("cat", "left.txt")).exit_code == 1
    assert not (workspace / "left.txt").exists()


async def test_nothing_comes_back_unasked(bench):
    done = await bench.run("write", "new.txt", "x")
    assert dict(done.changes) == {}
    assert done.kept_all


async def test_changes_come_back_when_asked(bench, workspace):
    done = await bench.run("write", "src/more/new.txt", "content", keep=True)
    assert dict(done.changes) == {"src/more/new.txt": b"content"}
    assert done.kept_all
    assert (await bench.run("write", "calc.py", "changed", keep=True)).changes == {"calc.py": b"changed"}
    assert (await bench.run("remove", "gone.txt", keep=True)).changes == {"gone.txt": None}
    assert (workspace / "gone.txt").exists()


async def test_changes_are_against_the_snapshot(bench):
    edited = bench.snapshot.with_edits({"calc.py": b"edited", "gone.txt": None})
    assert (await bench.run("cat", "calc.py", snapshot=edited, keep=True)).changes == {}
    assert (await bench.run("write", "gone.txt", "back", snapshot=edited, keep=True)).changes == {"gone.txt": b"back"}
    assert (await bench.run("remove", "calc.py", snapshot=edited, keep=True)).changes == {"calc.py": None}


async def test_keeping_does_not_change_the_result(bench):
    assert (await bench.run("exit", "7", keep=True)).exit_code == 7
    assert (await bench.run("die", "15", keep=True)).exit_code == -15
    assert (await bench.run("stdin", stdin=b"in", keep=True)).stdout == b"in"


async def test_a_stopped_command_keeps_nothing(bench):
    done = await bench.run("sleep", "60", keep=True, seconds=1)
    assert (done.ended, dict(done.changes), done.kept_all) == ("timeout", {}, False)


async def test_a_report_comes_back(bench):
    done = await bench.run("write", "{report}", "<testsuites/>")
    assert done.report == b"<testsuites/>"
    assert (await bench.run("cat", "calc.py")).report == b""


async def test_the_wall_clock_stops_a_command(bench):
    done = await bench.run("sleep", "60", seconds=1)
    assert (done.ended, done.exit_code) == ("timeout", None)
    assert done.stdout == b"asleep\n"


async def test_the_command_can_only_shorten_the_wall_clock(bench):
    limits = msgspec.structs.replace(bench.environment.limits, seconds=1)
    bench.environment = msgspec.structs.replace(bench.environment, limits=limits)
    assert (await bench.run("sleep", "60", seconds=3600)).ended == "timeout"


async def test_much_output_keeps_head_and_tail(bench):
    done = await bench.run("spew", "3000")
    assert (done.ended, done.exit_code, done.overflow) == ("exited", 0, True)
    assert done.stdout.startswith(b"first\nxxx")
    assert done.stdout.endswith(b"xxx\nlast\n")
    assert b"bytes left out" in done.stdout
    assert len(done.stdout) < (1 << 20) + 100


async def test_output_within_the_limit_is_whole(bench):
    done = await bench.run("spew", "500")
    assert not done.overflow
    assert len(done.stdout) == 500 * 1024 + len("first\nlast\n")


async def test_a_flood_is_stopped(bench):
    done = await bench.run("spew", "1000000")
    assert (done.ended, done.exit_code, done.overflow) == ("output", None, True)


async def test_cancelling_leaves_with_cancelled_error(bench):
    task = asyncio.create_task(bench.run("sleep", "60"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await bench.run("cat", "src/deep.txt")).stdout == b"deep\n"


async def test_cancelling_before_it_began(bench):
    task = asyncio.create_task(bench.run("sleep", "60"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_at_once_do_not_meet(bench):
    runs = [bench.run("cat", "mine.txt", snapshot=bench.snapshot.with_edits({"mine.txt": b"%d" % n})) for n in range(12)]
    assert [done.stdout for done in await asyncio.gather(*runs)] == [b"%d" % n for n in range(12)]


async def test_secrets_of_the_workspace_are_empty(bench):
    assert b"hunter2" not in (await bench.run("cat", ".env")).stdout
    edited = Snapshot(bench.snapshot.root, {".env": b"TOKEN=hunter3"})
    assert b"hunter" not in (await bench.run("cat", ".env", snapshot=edited)).stdout


async def test_a_secret_name_that_the_environment_lets_be_seen(bench, workspace):
    (workspace / "tests" / "certs").mkdir(parents=True)
    for name in ("server.pem", "server.key"):
        (workspace / "tests" / "certs" / name).write_text(f"the {name}")
    assert (await bench.run("cat", "tests/certs/server.pem")).stdout == b""
    fields = msgspec.structs.replace(bench.environment.fields, isolation={"unmasked": ".env* tests/certs/*.pem"})
    bench.environment = msgspec.structs.replace(bench.environment, fields=fields)
    done = await bench.run("cat", "tests/certs/server.pem", "tests/certs/server.key", ".env")
    assert done.stdout == b"the server.pem"
    edited = bench.snapshot.with_edits({"tests/certs/server.pem": b"edited", "tests/certs/server.key": b"edited"})
    assert (await bench.run("cat", "tests/certs/server.pem", "tests/certs/server.key", snapshot=edited)).stdout == b"edited"


async def test_what_the_environment_excludes_is_empty_and_not_handed_back(bench, workspace):
    (workspace / "tests").mkdir()
    for name in ("tests/customers.csv", "tests/server.pem", "src/prices.csv"):
        (workspace / name).write_text(f"the {name}")
    fields = msgspec.structs.replace(bench.environment.fields, isolation={"unmasked": "tests/*.pem", "excluded": "*.csv tests/server.pem"})
    open_to_see = (await bench.run("cat", "tests/customers.csv", "src/prices.csv")).stdout
    assert open_to_see == b"the tests/customers.csvthe src/prices.csv"
    bench.environment = msgspec.structs.replace(bench.environment, fields=fields)
    assert (await bench.run("cat", "tests/customers.csv", "tests/server.pem", "src/prices.csv", "src/deep.txt")).stdout == b"deep\n"
    edited = bench.snapshot.with_edits({"src/prices.csv": b"typed"})
    assert (await bench.run("cat", "src/prices.csv", snapshot=edited)).stdout == b""
    done = await bench.run("write", "src/prices.csv", "mine", keep=True)
    assert (done.changes, done.kept_all) == ({}, True)
    assert (await bench.run("write", "src/prices.txt", "mine", keep=True)).changes == {"src/prices.txt": b"mine"}


@pytest.mark.parametrize("path", ["../out.txt", "/etc/out", ".git/hooks/pre-commit", "a/../../b", ""])
async def test_an_overlay_outside_the_workspace_is_refused(bench, path):
    with pytest.raises(PatchError):
        await bench.run("cat", "calc.py", snapshot=Snapshot(bench.snapshot.root, {path: b"x"}))


async def test_an_overlay_through_a_link_is_refused(bench, workspace, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (workspace / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PatchError):
        await bench.run("cat", "calc.py", snapshot=Snapshot(workspace, {"link/out.txt": b"x"}))
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_the_probe_says_what_holds(bench):
    probe = await bench.backend.probe()
    assert probe.available, probe.problem
    assert probe.level
    assert probe.gaps
    assert await bench.backend.probe() == probe


async def test_closing_twice(bench):
    await bench.run("cat", "calc.py")
    await bench.backend.close()
    await bench.backend.close()


async def test_its_name(bench):
    assert bench.backend.name in ("local", "docker", "memory")
