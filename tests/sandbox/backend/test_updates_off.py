"""Automatic updates are off in a real attempt: the variables arrive, and the tools that are here refuse to fetch instead of hanging."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from suture_sandbox.backend import Command
from suture_sandbox.capture import capture_fields, runtime_of
from suture_sandbox.capture.interpreter import inspect
from suture_sandbox.capture.variables import UPDATERS, VARIABLES
from suture_sandbox.environment import Environment, Limits
from suture_sandbox.local import LocalBackend
from suture_sandbox.snapshot import Snapshot

PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["anything-at-all"]\n'


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Shared, since finding out about the interpreter takes a second."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
async def run(tmp_path, cache):
    root = tmp_path / "work"
    root.mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "package.json").write_text('{"name": "x", "version": "1.0.0", "dependencies": {"anything-at-all": "*"}}')
    backend = LocalBackend()
    if not (await backend.probe()).available:
        pytest.skip("this machine does not let the backend isolate")
    runtime = runtime_of(inspect(Path(sys.executable), root=root, cache=cache), root=root)
    fields, _ = capture_fields(
        runtime, root=root, checks=(), limits=Limits(), isolation={"backend": "local", "network": "none"}, cache=cache
    )
    environment = Environment(fields, runtime, Limits(seconds=60))

    async def inside(*argv):
        return environment, await backend.run(Snapshot(root), environment, Command(argv=argv))

    yield inside
    await backend.close()


async def test_every_variable_arrives_and_every_tool_is_recorded(run):
    environment, done = await run("env", "-0")
    inside = dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)
    assert {name: inside.get(name) for name in VARIABLES} == dict(VARIABLES)
    assert dict(environment.fields.policy_updates) == dict.fromkeys(UPDATERS, "off")
    assert {name: environment.fields.variables[name] for name in VARIABLES} == dict(VARIABLES)


TOOLS = {
    "pip": ((sys.executable, "-m", "pip", "install", "--target", "/tmp/x", "anything-at-all"), "from versions: none"),
    "uv": (("uv", "pip", "install", "--target", "/tmp/x", "anything-at-all"), "network was disabled"),
    "uv lock": (("uv", "lock", "--python", sys.executable), "UV_FROZEN"),
    "npm": (("npm", "install"), "ENOTCACHED"),
}


@pytest.mark.parametrize("tool", TOOLS)
async def test_tools_refuse_to_fetch_and_say_so(run, tool):
    argv, said = TOOLS[tool]
    search_path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    if shutil.which(argv[0], path=search_path) is None or not os.access(argv[0] if "/" in argv[0] else "/", os.X_OK):
        pytest.skip(f"{argv[0]} is not installed where an attempt could see it")
    _, done = await run(*argv)
    text = (done.stdout + done.stderr).decode()
    assert done.ended == "exited", text
    assert done.exit_code != 0, text
    assert said in text
    assert done.seconds < 20, "refused, and not given up after a time-out"
