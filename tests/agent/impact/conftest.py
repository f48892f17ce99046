"""A shop whose tests run its functions in many ways, and the real sandbox with this environment's pytest."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from suture_agent.impact.map import ImpactMap
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")
TESTS = Check(name="tests", kind="tests", command=COMMAND, report="pytest", selectable=True, tool="pytest")

PRICES = "src/shop/prices.py"
FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n',
    "src/shop/__init__.py": "from .prices import total\n",
    "src/shop/rates.py": "def make():\n    return 1\n\n\nTAX = make()\n",
    "src/shop/lazy.py": "def late():\n    return 1\n",
    "src/shop/prices.py": """\
import functools
import threading

from shop.rates import TAX

KEY = lambda item: item[0]


def total(prices):
    return sum(p for p in prices) * TAX


def logged(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper


class Cart:
    limit = 3

    def __init__(self):
        self.items = []

    @logged
    def add(self, item):
        self.items.append(item)

    @property
    def first(self):
        return sorted(self.items, key=KEY)[0]


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def hot():
    return 1
""",
    "tests/conftest.py": """\
import pytest
from shop.prices import Cart


@pytest.fixture(scope="session")
def cart():
    made = Cart()
    made.add((1, "a"))
    return made
""",
    "tests/test_shop.py": """\
import unittest

import pytest
from shop import total
from shop.prices import hot, in_thread


@pytest.mark.parametrize("number", [1, 2, 3])
def test_total(number):
    assert total([number]) == number


class TestCart:
    def test_made(self, cart):
        assert cart.items

    def test_asked(self, request):
        assert request.getfixturevalue("cart").first == (1, "a")


class Old(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        total([5])

    def test_one(self):
        pass

    def test_two(self):
        pass


def test_thread():
    in_thread(lambda: total([3]))


def test_hot():
    for _ in range(5000):
        hot()


def test_hot_again():
    hot()


def test_late():
    import importlib

    assert importlib.import_module("shop.lazy").late() == 1


def test_fails():
    assert total([1]) == 2
""",
    "tests/test_alone.py": "import pytest\n\n\n@pytest.mark.parametrize('n', range(6))\ndef test_nothing(n):\n    pass\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Snapshot:
    root = tmp_path / "shop"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Snapshot(root)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin",), readonly=(sys.prefix, sys.base_prefix))
    fields = EnvironmentFields(checks={"tests": TESTS})
    made = Sandbox(LocalBackend(), Environment(fields, runtime, Limits(seconds=60, memory_mib=512)))
    yield made
    await made.close()


class Python:
    """In place of the interpreter: writes a map by hand of `hot` in the shop, and can take its time."""

    def __init__(self) -> None:
        self.runs = 0
        self.waits = 0.0
        self.started = asyncio.Event()

    async def __call__(self, view: View, argv: tuple[str, ...]) -> int:
        self.runs += 1
        self.started.set()
        await asyncio.sleep(self.waits)
        digest = hashlib.sha256(view.read(PRICES)).hexdigest()
        hot = FILES[PRICES].splitlines().index("def hot():") + 1
        tests = ["tests/test_shop.py::test_hot", *(f"tests/test_alone.py::test_nothing[{number}]" for number in range(6))]
        found = {"tests": tests, "homes": [-1] * 7, "files": [[PRICES, digest, {hot: [0, 0]}, [], []]]}
        view.write(argv[3], json.dumps(found).encode())
        return 0


@pytest.fixture
def python() -> Python:
    return Python()


@pytest.fixture
def pretended(python: Python) -> Sandbox:
    runtime = Runtime(python=sys.executable, search_path=(), readonly=())
    environment = Environment(EnvironmentFields(checks={"tests": TESTS}), runtime)
    return Sandbox(MemoryBackend({"python": python}), environment, slots=1)


@pytest.fixture
def ran_by() -> Callable[[ImpactMap, str, int], set[str]]:
    """The tests, without their files, that ran the function of a file at a line."""

    def find(found: ImpactMap, path: str, line: int) -> set[str]:
        (file,) = [each for each in found.files if each.path == path]
        pairs = file.functions.get(line, ())
        numbers = {test for first, last in zip(pairs[::2], pairs[1::2], strict=True) for test in range(first, last + 1)}
        return {found.tests[number].partition("::")[2] for number in numbers}

    return find
