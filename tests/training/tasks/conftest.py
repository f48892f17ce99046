"""A small workspace with pretend tools over the in-memory backend.

The test tool runs the lines of `tests.txt` (`name: expression`) over the names of `shop.py`; a name that begins with `flaky` also fails
every second time. The type tool complains about lines that hold `wrong_type`, the lint tool about lines that hold `bad_style`.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from tasks_shop import CALC, CHECKS, SHOP, TEST_CALC, TESTS, empty_environment

from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_training.rollout import Site
from suture_training.tasks.archive import File, workspace_hash
from suture_training.tasks.making import baseline
from suture_training.tasks.task import Difficulty, Edit, Origin, Proof, Task, task_id
from suture_training.tasks.verify import Ground


class Tools:
    """The pretend tools, and on what the machine fails."""

    def __init__(self) -> None:
        self.breaks: Callable[[View], bool] = lambda _view: False
        self.runs: Counter[str] = Counter()
        self._flips: Counter[str] = Counter()

    async def test(self, view: View, argv: tuple[str, ...]) -> int:
        self.runs["tests"] += 1
        if self.breaks(view):
            raise SandboxFailed("the machine is on fire")
        chosen = {name.rpartition("::")[2] for name in argv[1:]}
        cases = [line.split(": ", 1) for line in view.read("tests.txt").decode().splitlines()]
        names: dict[str, object] = {}
        with contextlib.suppress(Exception):
            exec(view.read("shop.py").decode(), names)
        failed = {name for name, text in cases if (not chosen or name in chosen) and not self._holds(name, text, names)}
        report = "".join(_case(name, name in failed) for name, _ in cases if not chosen or name in chosen)
        view.write(argv[0], f"<testsuites><testsuite>{report}</testsuite></testsuites>".encode())
        return 1 if failed else 0

    def _holds(self, name: str, text: str, names: dict[str, object]) -> bool:
        if name.startswith("flaky"):
            self._flips[name] += 1
            if self._flips[name] % 2 == 0:
                return False
        try:
            return bool(eval(text, names))
        except Exception:  # noqa: BLE001  # whatever a test raises, it failed
            return False

    async def lint(self, view: View, argv: tuple[str, ...]) -> int:
        return _complain(view, "bad_style")

    async def types(self, view: View, argv: tuple[str, ...]) -> int:
        return _complain(view, "wrong_type")


def _complain(view: View, word: str) -> int:
    lines = view.read("shop.py").decode().splitlines()
    found = [number for number, line in enumerate(lines, 1) if word in line]
    for number in found:
        view.print(f"shop.py:{number}:1: error: {word}\n")
    return 1 if found else 0


def _case(name: str, failed: bool) -> str:
    inner = '<failure message="assert False">E   assert False</failure>' if failed else ""
    return f'<testcase file="tests.txt" classname="tests" name={quoteattr(name)}>{inner}</testcase>'


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def site_of(tmp_path: Path, tools: Tools) -> Callable[..., Site]:
    """A site of the shop, or of other files."""

    def make(**files: str) -> Site:
        root = tmp_path / "shop"
        root.mkdir(exist_ok=True)
        for name, text in {
            "shop.py": SHOP,
            "tests.txt": TESTS,
            **{each.replace("_", ".", 1): text for each, text in files.items()},
        }.items():
            (root / name).write_text(text)
        backend = MemoryBackend({"testtool": tools.test, "linttool": tools.lint, "typetool": tools.types})
        runtime = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())
        return Site(healthy=Snapshot(root), sandbox=Sandbox(backend, Environment(EnvironmentFields(checks=CHECKS), runtime)))

    return make


@pytest.fixture
def ground_of(site_of: Callable[..., Site]) -> Callable[..., object]:
    async def make(**files: str) -> Ground:
        site, healthy = await baseline(site_of(**files), 2)
        kept = {path.name: File(path.read_bytes()) for path in site.healthy.root.iterdir()}
        return Ground(site=site, workspace=workspace_hash(kept), healthy=healthy)

    return make


@pytest.fixture
def task_of() -> Callable[..., Task]:
    """A task as a record: nothing of it was run."""

    def make(broken: str, mended: str, *, path: str = "a.py", repository: str = "shop", time: str = "", **fields: object) -> Task:
        edits = (Edit(path=path, text=broken),)
        name = task_id("f" * 64, edits, f"tests of {repository}")
        task = Task(
            id=name,
            workspace="f" * 64,
            broken=edits,
            gold=(Edit(path=path, text=mended),),
            check="tests",
            findings=(),
            results=(),
            environment="e" * 64,
            origin=Origin(kind="mutation", repository=repository, name="compare", time=time),
            difficulty=Difficulty(lines=2, hunks=1, files=1, failing=1, passing=1),
            proof=Proof(runs=3, failed=3, mended=3, unchanged=0, seconds=0.1),
        )
        return task if not fields else type(task)(**{**{name: getattr(task, name) for name in task.__struct_fields__}, **fields})

    return make


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a home of their own; suture's cache folder lies in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith(("SUTURE_", "XDG_")) or name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def calc(tmp_path: Path) -> Path:
    """A real workspace with unittest, in an environment of its own."""
    root = tmp_path / "calc"
    root.mkdir()
    empty_environment(root)
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TEST_CALC)
    return root
