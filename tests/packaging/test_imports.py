"""Importing does nothing: no output, no files, no processes, no network, no environment reads, nothing heavy."""

from __future__ import annotations

import json
import sys

import pytest

HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "docker", "ray", "vllm", "xllamacpp"}
PROTOCOL = {"pygls", "lsprotocol"}
NOT_FOR_HELP = (
    HEAVY
    | PROTOCOL
    | {
        "openai",
        "httpx",
        "rich",
        "pydantic",
        "psutil",
        "detect_secrets",
        "suture_training",
        "suture_agent.repair",
        "asyncio",
    }
)

WATCH = """
import importlib, json, os, sys

MODULES = {modules!r}
seen = []
ACTIONS = {{
    "subprocess.Popen", "os.system", "os.fork", "os.exec", "os.kill", "os.chdir", "os.putenv", "os.mkdir", "os.remove", "os.rename",
    "os.rmdir", "os.symlink", "os.link", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp",
    "socket.__new__", "socket.connect", "socket.bind",
    "signal.pthread_kill", "sqlite3.connect",
}}


def whose(depth):
    frame = sys._getframe(depth)
    while frame and not frame.f_globals.get("__name__", "").startswith(("suture_", "__main__")):
        if frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_globals.get("__name__") == "gettext":
            return None  # a third-party module that is being imported; or click, which translates help texts as it builds commands
        frame = frame.f_back
    return frame.f_globals["__name__"] if frame and frame.f_globals["__name__"] != "__main__" else None


def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if (writes or event in ACTIONS) and whose(2):
        seen.append([whose(2), event, repr(arguments)[:200]])


class Watched(type(os.environ)):
    def __getitem__(self, key):
        if whose(2):
            seen.append([whose(2), "os.environ", str(key)])
        return super().__getitem__(key)


os.environ.__class__ = Watched
sys.addaudithook(hook)
for name in MODULES:
    importlib.import_module(name)
print(json.dumps({{"seen": seen, "loaded": sorted(sys.modules)}}))
"""

ALONE = """
import importlib, os, sys, traceback
import asyncio, click, msgspec, packaging, platformdirs, psutil  # what they share, so that each fork pays for its own only

for name in {modules!r}:
    pid = os.fork()
    if not pid:
        try:
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        print(name)
"""


@pytest.fixture
def imported(bare, modules):
    done = bare(sys.executable, "-W", "error", "-c", WATCH.format(modules=modules))
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert done.stdout.count("\n") == 1, "something was printed"
    return json.loads(done.stdout)


def test_importing_every_module_has_no_effect_and_loads_nothing_heavy(imported, modules):
    assert len(modules) > 80
    assert set(modules) <= set(imported["loaded"])
    assert imported["seen"] == []
    assert HEAVY & set(imported["loaded"]) == set()


def test_only_the_language_server_loads_the_protocol(bare, modules):
    others = [name for name in modules if not name.startswith("suture_server.lsp")]
    done = bare(sys.executable, "-W", "error", "-c", WATCH.format(modules=others))
    assert PROTOCOL & set(json.loads(done.stdout)["loaded"]) == set()


def test_the_language_server_loads_nothing_that_the_worker_is_for(bare):
    """What it answers from memory: its size and its start are measured (tests/bench/bench_lsp.py)."""
    done = bare(sys.executable, "-c", "import sys, suture_server.lsp.server; print(*sorted(sys.modules))")
    assert done.returncode == 0, done.stderr
    ours = {"suture_agent.repair", "suture_sandbox.verdict"}
    for_the_worker = {"openai", "httpx", "rich", "psutil", "watchdog", "zstandard", "sqlite3", *ours}
    assert (HEAVY | for_the_worker) & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("open('x', 'w')", "open"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import socket; socket.socket()", "socket.__new__"),
        ("import os; os.environ.get('HOME')", "os.environ"),
        ("import os; os.getenv('HOME')", "os.environ"),
        ("from pathlib import Path; Path('x').mkdir()", "os.mkdir"),
    ],
)
def test_the_watch_sees_what_it_is_there_for(bare, tmp_path, line, event):
    (tmp_path / "suture_noisy.py").write_text(line + "\n")
    watch = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + WATCH.format(modules=["suture_noisy"])
    done = bare(sys.executable, "-c", watch, left=["x"] if "'x'" in line else [])
    assert event in [seen[1] for seen in json.loads(done.stdout)["seen"]]


def test_every_module_imports_on_its_own(bare, modules):
    done = bare(sys.executable, "-c", ALONE.format(modules=modules))
    assert done.stdout == "", done.stderr


def test_the_command_line_loads_nothing_that_help_does_not_need(bare):
    done = bare(sys.executable, "-c", "import sys, suture_server.cli; print(*sorted(sys.modules))")
    assert done.returncode == 0, done.stderr
    assert NOT_FOR_HELP & set(done.stdout.split()) == set()
