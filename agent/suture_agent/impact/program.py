"""Runs inside the sandbox, never imported by suture: pytest with a plugin that notes which workspace functions each test runs.

Its text is handed to the workspace's own interpreter (`python -c TEXT ROOT OUTPUT PYTEST-ARGUMENTS...`), so it needs nothing but pytest
and the standard library of any Python >= 3.8, and relies on nothing else in this package. It writes one JSON object to OUTPUT:

    {"tests": [node id, ...], "homes": [file of each test, ...],
     "files": [[path, SHA-256, {first line: [first test, last test, ...]}, [lines that ran outside tests], [files it imports]], ...]}

Files and tests are named by their numbers, tests that follow each other are one pair. What a fixture of a wider scope ran counts for every
test that uses it. Not seen: other processes, what a cache spared a test, imports by a computed name that an earlier test had done already.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import os
import sys
import threading
from types import CodeType, FrameType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Place = tuple[str, int]

MOST_TESTS, MOST_FILES, MOST_RUNS, LARGEST_FILE = 20_000, 5_000, 1_000_000, 1 << 20
MOST_CALLS = 2_000
"""Calls of one function in one test after which the interpreter stops telling of it until the next test."""
OPTIMIZED = 1  # the flag of code that is a function's, not a module's or a class body's


class Watch:
    """Notes the workspace's functions that begin to run, and which file made which other be imported.

    A place is the path and the first line of a function, decorators included.
    """

    def __init__(self, root: str) -> None:
        self.root = root + os.sep
        self.known: dict[str, str] = {}
        self.stack: list[set[Place]] = [set()]
        self.imports: dict[str, set[str]] = {}
        self.hashes: dict[str, str] = {}
        self.calls: dict[int, int] = {}
        self.silenced = False

    def wanted(self, name: str) -> str:
        """Relative path of a source file of the workspace, empty for anything else."""
        found = self.known.get(name)
        if found is None:
            inside = name.startswith(self.root) and not any(part in name for part in ("site-packages", "/.venv/", "/venv/"))
            found = self.known[name] = name[len(self.root) :].replace(os.sep, "/") if inside else ""
            if found:
                self.hashes.setdefault(found, digest(name))
        return found

    def begins(self, code: CodeType, path: str) -> None:
        """A function, or a module's own code, begins to run."""
        if code.co_flags & OPTIMIZED:
            self.stack[-1].add((path, code.co_firstlineno))
        elif code.co_name == "<module>":
            self.imports.setdefault(self.importer(path), set()).add(path)

    def importer(self, path: str) -> str:
        """The workspace file whose code, however indirectly, has a module imported; empty where that is pytest."""
        frame: Any = inspect.currentframe()
        while frame is not None:
            found = self.wanted(frame.f_code.co_filename)
            if found and found != path:
                return found
            frame = frame.f_back
        return ""

    def enter(self) -> None:
        """What runs from here on is noted apart."""
        self.stack.append(set())

    def leave(self) -> set[Place]:
        """What ran since `enter`; it ran for whoever was noted before, too."""
        ran = self.stack.pop()
        self.stack[-1].update(ran)
        return ran

    def start(self) -> None:
        """Begin to watch, in all threads."""
        if sys.version_info >= (3, 12):
            self.start_monitoring()
        else:
            threading.settrace(self.traced)
            sys.settrace(self.traced)

    def traced(self, frame: FrameType, event: str, _argument: Any) -> None:
        """The trace function: no frame is traced further."""
        code = frame.f_code
        path = self.wanted(code.co_filename)
        if path and event == "call":
            self.begins(code, path)

    def again(self) -> None:
        """A test begins: hear of everything again, also where somebody else's trace function has replaced ours."""
        self.calls.clear()
        if sys.version_info >= (3, 12):
            if self.silenced:
                self.silenced = False
                sys.monitoring.restart_events()
        elif sys.gettrace() is None:
            self.start()

    if sys.version_info >= (3, 12):

        def start_monitoring(self) -> None:
            """Be told of every function's beginning; of one that is none of ours only once."""
            monitoring = sys.monitoring
            tool = next(number for number in (4, 3, 2, 5) if monitoring.get_tool(number) is None)
            monitoring.use_tool_id(tool, "suture")

            def started(code: CodeType, _offset: int) -> Any:
                path = self.wanted(code.co_filename)
                if not path:
                    return monitoring.DISABLE
                self.begins(code, path)
                count = self.calls[id(code)] = self.calls.get(id(code), 0) + 1
                if count < MOST_CALLS:
                    return None
                self.silenced = True
                return monitoring.DISABLE

            monitoring.register_callback(tool, monitoring.events.PY_START, started)
            monitoring.set_events(tool, monitoring.events.PY_START)


class Plugin:
    """The pytest plugin: what ran is noted a test, from the set-up to the tear-down."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.tests: dict[str, int] = {}
        self.homes: list[str] = []
        self.ran: dict[Place, list[int]] = {}
        self.fixtures: dict[int, tuple[Any, set[Place]]] = {}
        self.used: list[Any] = []
        self.runs = 0

    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What sets a fixture up is kept with the fixture: later tests get its value without running it."""
        self.watch.enter()
        yield
        self.fixtures[id(fixturedef)] = (fixturedef, self.watch.leave())

    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """One test, all of its phases."""
        self.watch.again()
        self.used = []
        outside, self.watch.stack = self.watch.stack, [set()]
        yield
        ran, self.watch.stack = self.watch.stack[0], outside
        for fixture in self.used:
            ran.update(self.fixtures.get(id(fixture), (None, ()))[1])
        if len(self.tests) < MOST_TESTS and self.runs < MOST_RUNS:
            self.note(item.nodeid, str(getattr(item, "path", None) or item.fspath), ran)

    def pytest_runtest_teardown(self, item: Any) -> None:
        """Which fixtures the test used can be told until its tear-down."""
        self.used = used(item)

    def note(self, name: str, home: str, ran: set[Place]) -> None:
        """Put a test's functions to those of the tests before it; neighbours are one pair."""
        number = self.tests.setdefault(name, len(self.tests))
        if number == len(self.homes):
            self.homes.append(self.watch.wanted(home))
        for place in ran:
            pairs = self.ran.setdefault(place, [])
            if pairs and pairs[-1] in (number, number - 1):
                pairs[-1] = number
            else:
                pairs += [number, number]
                self.runs += 1


def used(item: Any) -> list[Any]:
    """The definitions of all fixtures that a test uses, those that it asked for while it ran too, as far as this pytest tells."""
    named = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    asked = getattr(getattr(item, "_request", None), "_fixture_defs", {})
    return [each for several in named.values() for each in several] + list(asked.values())


def digest(name: str) -> str:
    """SHA-256 of a file as it is here; empty when it cannot be read."""
    try:
        with open(name, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def imports_of(watch: Watch, plugins: list[Any]) -> dict[str, set[str]]:
    """File -> files that it imports: those seen, those that its import statements name, and for every file the conftest files over it."""
    loaded = {each for each in [*sys.modules.values(), *plugins] if isinstance(each, ModuleType)}
    files = {path: each for each in loaded for path in [watch.wanted(str(getattr(each, "__file__", "")))] if path}
    found = {path: set(reached) for path, reached in watch.imports.items() if path}
    for path, module in list(files.items())[:MOST_FILES]:
        names = named_by(module)
        found.setdefault(path, set()).update(filter(None, (watch.wanted(str(getattr(each, "__file__", ""))) for each in names)))
    conftests = {path: path[: -len("conftest.py")] for path in files if path.split("/")[-1] == "conftest.py"}
    for path in files:
        found.setdefault(path, set()).update(each for each, folder in conftests.items() if path.startswith(folder) and path != each)
    return found


def named_by(module: ModuleType) -> Iterator[Any]:
    """The modules that the import statements of a module lead to, with the packages around them, as far as they are loaded."""
    try:
        with open(str(module.__file__), "rb") as file:
            nodes = list(ast.walk(ast.parse(file.read(LARGEST_FILE))))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = getattr(module, "__package__", None) or ""
    for node in nodes:
        wanted: list[str] = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(part for part in [*above, node.module or ""] if part)
            wanted = [base, *(base + "." + alias.name for alias in node.names)]
        for name in wanted:
            parts = name.split(".")
            for length in range(1, len(parts) + 1):
                yield sys.modules.get(".".join(parts[:length]))


def result(plugin: Plugin, plugins: list[Any]) -> dict[str, Any]:
    """The object that is written; no test at all where there were too many to keep."""
    watch = plugin.watch
    if plugin.runs >= MOST_RUNS or len(plugin.tests) >= MOST_TESTS:
        return {"tests": [], "homes": [], "files": []}
    imports = imports_of(watch, plugins)
    paths = sorted(path for path, content in watch.hashes.items() if content)[:MOST_FILES]
    number = {path: each for each, path in enumerate(paths)}
    functions: dict[str, dict[int, list[int]]] = {}
    for (path, line), pairs in plugin.ran.items():
        functions.setdefault(path, {})[line] = pairs
    early: dict[str, list[int]] = {}
    for path, line in watch.stack[0]:
        early.setdefault(path, []).append(line)
    files = [
        [
            path,
            watch.hashes[path],
            functions.get(path, {}),
            sorted(early.get(path, [])),
            sorted(number[each] for each in imports.get(path, ()) if each in number),
        ]
        for path in paths
    ]
    return {"tests": list(plugin.tests), "homes": [number.get(home, -1) for home in plugin.homes], "files": files}


def without_helpers(arguments: list[str]) -> list[str]:
    """The arguments, with what takes tests elsewhere (xdist) or measures them itself (pytest-cov) turned off where it is installed."""
    off = {} if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD") else {"xdist": "-n0", "pytest_cov": "--no-cov"}
    return [*arguments, *(option for name, option in off.items() if importlib.util.find_spec(name) is not None)]


def main(arguments: list[str]) -> int:
    """Run pytest under the plugin and write what it saw."""
    import pytest

    root, output, *rest = arguments
    rest = without_helpers(rest)
    sys.argv = ["pytest", *rest]
    sys.path.insert(0, os.getcwd())  # as `python -m pytest` does
    watch = Watch(root)
    plugin = Plugin(watch)
    modules: list[Any] = []

    class Loaded:
        """Keeps what pytest loaded: in some import modes no conftest file is among the interpreter's modules."""

        def pytest_unconfigure(self, config: Any) -> None:
            modules.extend(config.pluginmanager.get_plugins())

    for hook in (Plugin.pytest_fixture_setup, Plugin.pytest_runtest_protocol):
        pytest.hookimpl(hookwrapper=True)(hook)
    watch.start()
    code = pytest.main(rest, plugins=[plugin, Loaded()])
    with open(output, "w", encoding="utf-8") as file:
        json.dump(result(plugin, modules), file, separators=(",", ":"))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
