"""The sieve: which edits it lets through, what a hostile edit cannot do to it, and how an edit becomes a trial."""

from __future__ import annotations

import os

import msgspec
import psutil
import pytest

from suture_agent.direct.screen import Trial, screen, trials_of
from suture_agent.direct.templates import Edit
from suture_agent.direct.units import head_unit, unit_named
from suture_agent.meter import Meter
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.memory import REPORT, MemoryBackend
from suture_sandbox.sandbox import Sandbox

CART = """\
import os
import sys
import time

SEEN = []
LIMIT = 1


def total(prices):
    result = LIMIT
    for price in prices:
        result += price
    return result


class Cart:
    def __init__(self, prices):
        self.prices = prices

    def total(self):
        return total(self.prices)
"""
TESTS = """\
from cart import Cart, total


def test_two():
    assert total([1, 2]) == 3


def test_none():
    assert Cart([]).total() == 0


def test_passes():
    assert isinstance(total([]), int)
"""
FAILING = ["test_cart.py::test_two", "test_cart.py::test_none"]
MARK = "987.125"


def body(*lines: str) -> str:
    return "def total(prices):\n" + "".join(f"    {line}\n" for line in lines)


def made(unit, text: str, *sources: str, ran: bool = True) -> list[Trial]:
    """A trial for each source."""
    edits = [Edit(rule="test", source=source, line=0, weight=1.0) for source in sources]
    return list(trials_of(unit, text, edits, ran=ran))


def sleepers() -> list[int]:
    return [each.pid for each in psutil.process_iter(["cmdline"]) if MARK in " ".join(each.info["cmdline"] or ())]


async def test_only_right_edits_come_through_whatever_the_others_do(snapshot_with, own_tests, real_meter):
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    trials = made(
        unit, CART,
        body("return LIMIT"),
        body("return 3"),
        body("while True:", "    pass"),
        body("os._exit(0)"),
        body("sys.exit(0)"),
        body("raise KeyboardInterrupt"),
        body("os.kill(os.getpid(), 9)"),
        body("os.close(1)", "os.close(2)", "SEEN.append(1)", "os.chdir('/')", "sys.modules.clear()", "return 1"),
        body("SEEN.append(1)", "return sum(prices)"),
        body("return sum(prices) if not SEEN and os.getcwd() != '/' else -1"),
        body("sys.stdout.write('x' * 3_000_000)", "os.write(2, b'y' * 3_000_000)", "return sum(prices)"),
        body("if os.fork() == 0:", f"    os.execv('/bin/sleep', ['sleep', '{MARK}'])", "return sum(prices)"),
        body("return sum(prices)"),
    )  # fmt: skip
    assert all(trial.in_place for trial in trials)
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    found = await screen(real_meter, own_tests, snapshot, FAILING, trials)
    assert [(each.trial, each.whole) for each in found] == [(1, False), (8, True), (9, True), (10, True), (11, True)]
    assert found[0].passed == 1
    assert sleepers() == []
    assert (snapshot.root / "cart.py").read_text() == CART


async def test_what_breaks_a_passing_test_is_left_out_and_what_mends_more_is_told(snapshot_with, own_tests, real_meter):
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    trials = made(unit, CART, body("return 3 if prices else 1"), body("return 3.0"), body("return sum(prices)"))
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    found = await screen(real_meter, own_tests, snapshot, FAILING[:1], trials, passing=["test_cart.py::test_passes"], hoped=FAILING[1:])
    assert [(each.trial, each.whole, each.more) for each in found] == [(0, True, 0), (2, True, 1)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_files_of_somebody_else_are_tried_too(snapshot_with, own_tests, real_meter):
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    for path in (snapshot.root, *snapshot.root.iterdir()):
        os.chown(path, 12345, 12345)
    trials = made(unit, CART, body("return 3.0"), body("return sum(prices)"), ran=False)
    assert not any(trial.in_place for trial in trials), "these are written to the file"
    found = await screen(real_meter, own_tests, snapshot, FAILING, trials)
    assert [(each.trial, each.whole) for each in found if each.whole] == [(1, True)]
    assert (snapshot.root / "cart.py").read_text() == CART


async def test_edits_of_the_module_run_anew_and_one_that_exits_at_import_is_no_pass(snapshot_with, own_tests, real_meter):
    unit = head_unit("cart.py", CART)
    assert unit is not None
    head = unit.source
    trials = made(
        unit, CART,
        head.replace("LIMIT = 1", "LIMIT = 2"),
        f"{head}\nraise SystemExit(0)\n",
        f"{head}\nos._exit(0)\n",
        f"{head}\nos.write(1, b'x' * 3_000_000)\nraise KeyboardInterrupt\n",
        f"import pytest\n{head}\npytest.exit('done', 0)\n",
        head.replace("LIMIT = 1", "LIMIT = -0"),
        head.replace("LIMIT = 1", "LIMIT = 0"),
    )  # fmt: skip
    assert not any(trial.in_place for trial in trials)
    snapshot = snapshot_with({"cart.py": CART, "test_cart.py": TESTS})
    found = await screen(real_meter, own_tests, snapshot, FAILING, trials)
    assert [(each.trial, each.whole) for each in found] == [(5, True)]
    assert (snapshot.root / "cart.py").read_text() == CART


async def test_methods_closures_and_decorated_functions_are_tried_in_the_collected_program(snapshot_with, own_tests, real_meter):
    text = (
        "import functools\n\n\nclass Cart:\n    def total(self, prices):\n        return 1 + sum(prices)\n\n\n"
        "@functools.lru_cache\ndef cached(number):\n    return number + 1\n"
    )
    tests = (
        "from shop.cart import Cart, cached\n\n\ndef test_total():\n    assert Cart().total([2]) == 2\n\n\n"
        "def test_cached():\n    assert cached(2) == 2\n"
    )
    method, decorated = unit_named("shop/cart.py", text, "Cart.total"), unit_named("shop/cart.py", text, "cached")
    assert method is not None
    assert decorated is not None
    trials = [
        *made(method, text, method.source.replace("1 + ", "2 + "), method.source.replace("1 + ", "")),
        *made(decorated, text, decorated.source.replace(" + 1", " - 1"), decorated.source.replace(" + 1", "")),
    ]
    assert [trial.in_place for trial in trials] == [True] * 4
    snapshot = snapshot_with({"shop/cart.py": text, "shop/__init__.py": "", "tests/test_cart.py": tests})
    found = await screen(real_meter, own_tests, snapshot, ["tests/test_cart.py::test_total", "tests/test_cart.py::test_cached"], trials)
    assert [(each.trial, each.passed, each.whole) for each in found] == [(1, 1, False), (3, 1, False)]


@pytest.fixture
def asked(play, harness, told, sandbox):
    """A meter over a pretend interpreter, what it was given, and what it reports."""

    class Asked:
        def __init__(self) -> None:
            self.given: list[tuple[tuple[str, ...], bytes]] = []
            self.report = b"[]"
            environment = Environment(EnvironmentFields(), sandbox.environment.runtime)
            self.meter = Meter("p", play.policy(), Sandbox(MemoryBackend({"python": self.python}), environment), harness, told)

        async def python(self, view, argv) -> int:
            self.given.append((argv, view.stdin))
            view.write(REPORT, self.report)
            return 0

    return Asked()


async def test_nothing_is_run_where_nothing_can_be_told(asked, snapshot_with, own_tests):
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    trials, snapshot = made(unit, CART, body("return 3")), snapshot_with({"cart.py": CART})
    other = msgspec.structs.replace(own_tests, command=("python", "-m", "unittest"))
    assert await screen(asked.meter, other, snapshot, FAILING, trials) == ()
    assert await screen(asked.meter, own_tests, snapshot, [], trials) == ()
    assert await screen(asked.meter, own_tests, snapshot, FAILING, []) == ()
    assert asked.given == []


@pytest.mark.parametrize("report", [b"", b"{", b"{}", b"[[0]]", b'[["a", 1, true]]', b"[[1, 1, true], [-1, 1, true], [99, 2, false]]"])
async def test_report_that_is_none_or_of_other_trials_lets_nothing_through(asked, snapshot_with, own_tests, report):
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    asked.report = report
    assert await screen(asked.meter, own_tests, snapshot_with({"cart.py": CART}), FAILING, made(unit, CART, body("return 3"))) == ()


async def test_unsaved_text_is_what_is_tried(asked, snapshot_with, own_tests):
    typed = CART.replace("LIMIT = 1", "LIMIT = 7")
    unit = unit_named("cart.py", typed, "total")
    assert unit is not None
    snapshot = snapshot_with({"cart.py": CART}).with_edits({"cart.py": typed.encode()})
    await screen(asked.meter, own_tests, snapshot, FAILING, made(unit, typed, body("return 3")))
    ((argv, given),) = asked.given
    assert all(test in f"{' '.join(argv)} {given.decode()}" for test in FAILING)
    assert msgspec.json.decode(given)["files"] == {"cart.py": typed}


@pytest.mark.parametrize(
    ("name", "source", "in_place"),
    [
        ("total", body("return 3"), True),
        ("total", "def total(prices, more=0):\n    return 3\n", False),
        ("total", "@staticmethod\ndef total(prices):\n    return 3\n", False),
        ("total", "async def total(prices):\n    return 3\n", False),
        ("Cart.total", "def total(self):\n    return 0\n", True),
        ("Cart", "class Cart:\n    def total(self):\n        return 0\n", False),
    ],
)
def test_only_a_changed_body_is_tried_in_place(name, source, in_place):
    unit = unit_named("cart.py", CART, name)
    assert unit is not None
    (trial,) = made(unit, CART, source)
    assert trial.in_place is in_place
    changed = unit_named("cart.py", trial.apply(CART), name)
    assert changed is not None
    assert changed.source == source
    (never,) = made(unit, CART, source, ran=False)
    assert not never.in_place
    assert never.apply(CART) == trial.apply(CART)


def test_function_of_which_there_are_two_is_not_tried_in_place():
    text = f"{CART}\n\nif LIMIT:\n    def total(prices):\n        return 1\n"
    unit = unit_named("cart.py", text, "total")
    assert unit is not None
    (trial,) = made(unit, text, body("return 3"))
    assert not trial.in_place


def test_name_that_the_file_does_not_have_is_imported():
    unit = unit_named("cart.py", CART, "total")
    assert unit is not None
    (trial,) = made(unit, CART, body("return math.fsum(prices)"))
    assert trial.apply(CART) == CART.replace("import time\n", "import time\nimport math\n").replace(
        unit.source, body("return math.fsum(prices)")
    )
    assert not trial.in_place


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_trial_changes_nothing_but_the_unit(newline):
    text = CART.replace("\n", newline)
    unit = unit_named("cart.py", text, "Cart.total")
    assert unit is not None
    (trial,) = made(unit, text, "def total(self):\n    return sum(self.prices)\n")
    assert trial.apply(text) == text.replace("return total(self.prices)", "return sum(self.prices)")
