"""Tracing: what ran in which test, with which values; and nothing at all where that cannot be told."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.direct.trace import Call, Trace, pytest_arguments, trace
from suture_agent.meter import Meter
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.memory import REPORT, MemoryBackend
from suture_sandbox.sandbox import Sandbox

SHOP = """\
import threading


class Rude:
    def __repr__(self):
        raise SystemExit


class Plain:
    def __init__(self, price, *, tax=2):
        self.price = price

    def double(self):
        return Plain(self.price * 2)


def total(prices, *more, **named):
    if not prices:
        return 0
    return sum(price for price in prices)


def fails(value):
    raise ValueError("no " + value)


def swallows(value):
    try:
        fails(value)
    except ValueError:
        pass


def long(text):
    return text * 1000


def rude(value):
    return value


def deep(number):
    return deep(number - 1) if number else "end"


def threaded():
    thread = threading.Thread(target=total, args=([5],))
    thread.start()
    thread.join()


def numbers():
    yield 1
    yield 2
"""
TESTS = """\
import pytest
from lib.shop import *


@pytest.fixture
def item():
    return Plain(3)


def test_passes(item):
    assert total([1]) == 1


@pytest.mark.parametrize("name", ["a b", "é"])
def test_values(name, item):
    item.double()
    total([], 7, kind="x")
    swallows("way")
    long("ab")
    rude(Rude())
    deep(9)
    threaded()
    assert list(numbers()) == [1]


def test_ends_itself():
    fails("way")


class TestCart:
    def test_exits(self):
        total([2])
        raise SystemExit(3)
"""
NODE = "tests/test_shop.py::"


async def test_what_ran_in_each_test_and_with_what(snapshot_with, own_tests, real_meter):
    snapshot = snapshot_with({"lib/shop.py": SHOP, "lib/__init__.py": "", "tests/test_shop.py": TESTS})
    found = await trace(real_meter, own_tests, snapshot, [f"{NODE}test_ends_itself", f"{NODE}test_values[a b]"])
    outcomes = {name.removeprefix(NODE): test.outcome for name, test in found.tests.items()}
    odd = next(name for name in outcomes if name.startswith("test_values") and "a b" not in name)
    assert outcomes.pop("test_passes") == "passed"
    assert outcomes == dict.fromkeys(("test_values[a b]", odd, "test_ends_itself", "TestCart::test_exits"), "failed")
    passed = found.tests[f"{NODE}test_passes"]
    assert [(each.path, each.name) for each in passed.functions] == [
        ("tests/test_shop.py", "item"), ("lib/shop.py", "Plain.__init__"), ("tests/test_shop.py", "test_passes"), ("lib/shop.py", "total"),
    ]  # fmt: skip
    assert not any(each.calls for each in passed.functions)
    ran = {each.name: each for each in found.tests[f"{NODE}test_values[a b]"].functions}
    lines = SHOP.splitlines()
    assert all(lines[each.line].lstrip().startswith("def ") for each in ran.values() if each.path == "lib/shop.py")
    assert [lines[line].strip() for line in ran["total"].lines] == ["if not prices:", "return 0", "return sum(price for price in prices)"]
    assert ran["total"].calls == (Call("prices=[], more=(7,), named={'kind': 'x'}", "0"), Call("prices=[5], more=(), named={}", "5"))
    assert ran["Plain.__init__"].calls[1] == Call("self=Plain(), price=6, tax=2", "None")
    assert ran["Plain.double"].calls == (Call("self=Plain(price=3)", "Plain(price=6)"),)
    assert ran["fails"].calls[0].result == "raised ValueError: ValueError('no way')"
    assert ran["swallows"].calls[0].result == "None"
    assert len(ran["long"].calls[0].result or "") < 200
    assert ran["rude"].calls == (Call("value=<Rude: repr raised SystemExit>", "<Rude: repr raised SystemExit>"),)
    assert [call.arguments for call in ran["deep"].calls] == ["number=9", "number=8", "number=7", "number=6"]
    assert not any(name.startswith("<") for name in ran)
    assert {each.name for each in found.tests[f"{NODE}TestCart::test_exits"].functions} == {"TestCart.test_exits", "total"}


@pytest.mark.parametrize(
    ("body", "seconds"),
    [("import os; os._exit(0)", 30), ("while True: pass", 1), ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 30)],
)
async def test_nothing_is_known_of_tests_that_take_the_run_with_them(snapshot_with, own_tests, real_meter, body, seconds):
    snapshot = snapshot_with({"test_a.py": f"def test_a():\n    {body}\n"})
    check = msgspec.structs.replace(own_tests, timeout=seconds)
    assert await trace(real_meter, check, snapshot, ["test_a.py::test_a"]) == Trace()


@pytest.fixture
def asked(play, harness, told, sandbox):
    """What the pretend interpreter was given, the meter that gives it, and what it reports."""

    class Asked:
        def __init__(self) -> None:
            self.argv: list[tuple[str, ...]] = []
            self.report = b'{"tests": {}}'
            backend = MemoryBackend({"python": self.python})
            environment = Environment(EnvironmentFields(), sandbox.environment.runtime)
            self.meter = Meter("p", play.policy(), Sandbox(backend, environment), harness, told)

        async def python(self, view, argv) -> int:
            self.argv.append(argv)
            view.write(REPORT, self.report)
            return 1

    return Asked()


async def test_files_of_the_tests_are_run_whole_so_that_passing_ones_tell_the_difference(asked, snapshot_with, own_tests):
    snapshot = snapshot_with({})
    await trace(asked.meter, own_tests, snapshot, ["b/test_b.py::T::test_1[a::b]", "test_a.py::test_2", "b/test_b.py::test_3"])
    ((flag, program, root, report, *rest),) = asked.argv
    assert (flag, root, report) == ("-c", str(snapshot.root), REPORT)
    assert "sys.settrace" in program
    assert rest == ["-q", "-p", "no:cacheprovider", "b/test_b.py", "test_a.py"]


@pytest.mark.parametrize("report", [b"", b"{", b"[]", b'{"tests": {"a": {}}}', b"\xff"])
async def test_report_that_is_none_is_an_empty_trace(asked, snapshot_with, own_tests, report):
    asked.report = report
    assert await trace(asked.meter, own_tests, snapshot_with({}), ["test_a.py::test_1"]) == Trace()
    assert asked.argv


async def test_nothing_is_run_for_other_tools_or_without_tests(asked, snapshot_with, own_tests):
    other = msgspec.structs.replace(own_tests, command=("python", "-m", "unittest"))
    assert await trace(asked.meter, other, snapshot_with({}), ["test_a.py::test_1"]) == Trace()
    assert await trace(asked.meter, own_tests, snapshot_with({}), []) == Trace()
    assert asked.argv == []


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (("pytest",), ()),
        (("pytest", "-x", "--junit-xml={report}", "tests"), ("-x", "tests")),
        (("python", "-m", "pytest", "-q"), ("-q",)),
        (("python", "-X", "dev", "-m", "pytest", "-m", "not slow"), ("-m", "not slow")),
        (("python", "-m", "unittest"), None),
        (("python", "-m"), None),
        (("tox", "-e", "pytest"), None),
        (("ruff", "check", "."), None),
    ],
)
def test_arguments_that_a_check_gives_to_pytest(own_tests, command, arguments):
    assert pytest_arguments(msgspec.structs.replace(own_tests, command=command)) == arguments
