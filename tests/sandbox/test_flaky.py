"""Flaky tests: what is counted and guessed, what a perturbed command looks like, and hunts over a pretend tool and over real pytest."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.flaky import perturb
from suture_sandbox.flaky.hunt import file_of, hunt, source_of
from suture_sandbox.flaky.perturb import COPIES, ELSEWHERE, HASHED, PAUSED, PLAIN, REVERSED, STANDARD, TWICE, Perturbation
from suture_sandbox.flaky.statistics import FlakyTest, Tally, guess
from suture_sandbox.local import LocalBackend
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

TOOL = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
PYTEST = Check(
    name="tests",
    kind="tests",
    command=("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--junitxml={report}"),
    report="pytest",
    timeout=120,
    selectable=True,
)
RUNTIME = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())
KINDS = {each.name: each.kind for each in STANDARD if each.kind is not None}


def sandbox_of(check: Check, program: Callable[[View, list[str]], dict[str, bool]]) -> Sandbox:
    """A sandbox whose tool gives the outcomes of a function."""

    async def tool(view: View, argv: tuple[str, ...]) -> int:
        outcomes = program(view, list(argv[1:]))
        cases = [f'<testcase file="t" name="{name}">{"" if good else "<failure/>"}</testcase>' for name, good in outcomes.items()]
        view.write(argv[0], f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode())
        return 0 if all(outcomes.values()) else 1

    environment = Environment(fields=EnvironmentFields(checks={"tests": check}), runtime=RUNTIME)
    return Sandbox(MemoryBackend({"testtool": tool}), environment)


@pytest.fixture
def real() -> Sandbox:
    runtime = Runtime(
        python=sys.executable,
        search_path=(f"{sys.prefix}/bin", "/usr/bin", "/bin"),
        readonly=(sys.prefix, sys.base_prefix),
        variables={"PYTHONHASHSEED": "0", "TZ": "UTC", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    return Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": PYTEST}), runtime, Limits(seconds=120)))


def command_of(perturbation: Perturbation, check: Check, *select: str) -> tuple[Snapshot, Command]:
    environment = Environment(fields=EnvironmentFields(), runtime=RUNTIME)
    return perturb.apply(perturbation, check, Snapshot(Path("/w")), Command(argv=(*check.command, *select)), environment, select)


def test_other_order_is_a_plugin_for_pytest_and_an_order_of_ids_for_others():
    snapshot, command = command_of(REVERSED, PYTEST, "t.py::a", "t.py::b")
    assert command.argv[:5] == ("python", "-m", "pytest", "-p", perturb.PLUGIN)
    assert command.argv[-2:] == ("t.py::a", "t.py::b")
    assert "ORDER: str = 'reversed'" in snapshot.overlay[f"{perturb.PLUGIN}.py"].decode()
    _, command = command_of(REVERSED, TOOL, "t::a", "t::b")
    assert command.argv == ("testtool", "{report}", "t::b", "t::a")
    assert not perturb.applies(REVERSED, TOOL, ["t::a"])
    assert not perturb.applies(ELSEWHERE[0], TOOL)


def test_pytest_as_a_program_finds_the_plugin_on_its_path():
    check = msgspec.structs.replace(PYTEST, command=("pytest", "-q", "--junitxml={report}"))
    _, command = command_of(REVERSED, check)
    assert command.argv[:3] == ("pytest", "-p", perturb.PLUGIN)
    assert command.variables["PYTHONPATH"] == "/w"


def test_copies_run_below_the_program_that_starts_them_with_the_report_of_the_first():
    _, command = command_of(COPIES, TOOL)
    assert command.argv[:4] == ("python", "-I", "-S", "-c")
    assert msgspec.json.decode(command.argv[5])["copies"] == 3
    assert command.argv[6:] == ("{report}", "testtool", "{report}")
    assert command_of(HASHED[0], TOOL)[1] == Command(argv=TOOL.command, variables={"PYTHONHASHSEED": "1"})


@pytest.mark.parametrize(
    ("by", "source", "kind"),
    [
        ({"plain": (3, 0), "reversed order": (3, 3)}, "", "order"),
        ({"plain": (3, 0), HASHED[0].name: (3, 3)}, "", "randomness"),
        ({"plain": (3, 0), ELSEWHERE[0].name: (3, 3)}, "", "time"),
        ({"plain": (3, 0), "twice in one place": (3, 3)}, "", "shared state"),
        ({"plain": (3, 0), "pauses": (3, 1)}, "", "load"),
        ({"plain": (3, 1)}, "assert random.random() < 0.9", "randomness"),
        ({"plain": (3, 1)}, "assert datetime.now().second < 50", "time"),
        ({"plain": (3, 1)}, "done.set()\nassert done.wait(0.1)", "load"),
        ({"plain": (3, 0), "reversed order": (3, 1)}, "", "randomness"),
    ],
)
def test_kind_is_guessed_from_what_makes_it_fail(by, source, kind):
    assert guess(by, KINDS, source) == kind


def test_tally_tells_flipping_from_steady_and_from_failing():
    tally = Tally()
    for test, goods in {"a": (True, False), "b": (True, True), "c": (False, False)}.items():
        for good in goods:
            tally.add(test, "plain", good=good)
    assert (tally.flipping(), tally.steady()) == ({"a"}, {"b"})
    assert tally.by("a") == {"plain": (2, 1)}


async def test_what_fails_in_every_run_or_in_none_is_not_flaky(tmp_path):
    sandbox = sandbox_of(TOOL, lambda _view, _argv: {"good": True, "bad": False})
    found = await hunt(sandbox, TOOL, Snapshot(tmp_path), perturbations=(PLAIN, *HASHED))
    assert (found.flaky, found.steady, found.runs, found.lost) == ((), {"t::good"}, 4, 0)


async def test_failure_under_a_perturbation_is_confirmed_and_counted(tmp_path):
    def program(view: View, _argv: list[str]) -> dict[str, bool]:
        return {"a": view.variables.get("PYTHONHASHSEED") != "2", "b": True}

    told: list[tuple[str, int, int]] = []
    found = await hunt(
        sandbox_of(TOOL, program),
        TOOL,
        Snapshot(tmp_path),
        perturbations=(PLAIN, PLAIN, *HASHED),
        on_run=lambda *said: told.append(said),
    )
    by = {"plain": (2, 0), "hash seed 1": (1, 0), "hash seed 2": (3, 3), "hash seed 3": (1, 0)}
    assert found.flaky == (FlakyTest(check="tests", test="t::a", kind="randomness", by=by),)
    assert (found.flaky[0].runs, found.flaky[0].failures) == (7, 3)
    assert told[-1] == ("hash seed 2", 7, 7)


async def test_run_that_breaks_down_says_nothing_about_its_tests(tmp_path):
    def program(view: View, _argv: list[str]) -> dict[str, bool]:
        return {"a": True} if "PYTHONHASHSEED" not in view.variables else {}

    found = await hunt(sandbox_of(TOOL, program), TOOL, Snapshot(tmp_path), perturbations=(PLAIN, *HASHED, COPIES))
    assert (found.flaky, found.lost) == ((), 4)  # there is no python that could start copies here


def test_file_and_source_of_a_test_are_found_by_its_id(tmp_path):
    (tmp_path / "pkg").mkdir()
    text = "import time\n\n\nclass T:\n    def test_a(self):\n        assert time.time()\n\n    def test_b(self):\n        pass\n"
    (tmp_path / "pkg" / "test_x.py").write_text(text)
    snapshot = Snapshot(tmp_path)
    assert file_of(snapshot, "pkg/test_x.py::T::test_a[1]") == "pkg/test_x.py"
    assert file_of(snapshot, "pkg.test_x.T.test_a") == "pkg/test_x.py"
    assert file_of(snapshot, "gone.py::test") == file_of(snapshot, "gone.T.test") == ""
    assert "time.time()" in source_of(snapshot, "pkg/test_x.py::T::test_a[1]")
    assert source_of(snapshot, "pkg/test_x.py::T::test_none") == ""


FLAKY = """
import datetime, os, pathlib, tempfile, time

seen = []


def test_setter():
    seen.append(1)


def test_needs_the_setter():
    assert seen


def test_zone():
    assert time.localtime(0).tm_hour == 0


def test_year():
    assert datetime.datetime.now().year - datetime.date.today().year == 0
    assert datetime.datetime.now() < datetime.datetime(YEAR, 1, 1)


def test_hash():
    assert hash("alpha") % 2 == EVEN


def test_leftover():
    place = pathlib.Path(tempfile.gettempdir()) / "left"
    assert not place.exists()
    place.write_text("x")


def test_healthy(tmp_path):
    (tmp_path / "x").write_text("1")
    assert isinstance(datetime.datetime(2020, 1, 1), datetime.date)
    assert datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.now(datetime.timezone.utc) < datetime.timedelta(seconds=60)
"""


@pytest.fixture
def flaky_text() -> str:
    """Tests that pass in the environment as it is: until next year, and with what a string hashes to under seed 0."""
    said = [sys.executable, "-c", 'print(hash("alpha") % 2)']
    even = subprocess.run(said, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True).stdout.strip()
    return FLAKY.replace("YEAR", str(dt.datetime.now(dt.UTC).year + 1)).replace("EVEN", even)


async def test_real_pytest_under_other_circumstances(tmp_path, real, flaky_text):
    (tmp_path / "test_a.py").write_text(flaky_text)
    try:
        found = await hunt(real, PYTEST, Snapshot(tmp_path), perturbations=(PLAIN, REVERSED, *HASHED, ELSEWHERE[3], TWICE, PAUSED))
    finally:
        await real.close()
    kinds = {each.test.partition("::")[2]: each.kind for each in found.flaky}
    expected = {"needs_the_setter": "order", "zone": "time", "year": "time", "hash": "randomness", "leftover": "shared state"}
    assert kinds == {f"test_{name}": kind for name, kind in expected.items()}
    assert found.steady == {"test_a.py::test_setter", "test_a.py::test_healthy"}
    assert found.lost == 0
