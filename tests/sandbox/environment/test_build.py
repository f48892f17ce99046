"""Building from each lock format with real uv and wheels made here; no network."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import psutil
import pytest

from suture_sandbox.build import build, environment_folder, marker_environment
from suture_sandbox.capture.distributions import scan
from suture_sandbox.capture.files import hash_file
from suture_sandbox.capture.interpreter import inspect
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.lockformats import find_plan
from suture_sandbox.uv_program import find_uv

BASE = Path(os.path.realpath(sys.executable))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def wheels(tmp_path, make_wheel, own_uv_cache, monkeypatch):
    house = tmp_path / "wheelhouse"
    made = [
        make_wheel(house, "alpha", "1.0", {"alpha.py": "import beta\nX = beta.Y\n"}, requires=("beta>=2",)),
        make_wheel(
            house,
            "beta",
            "2.1",
            {"beta.py": "Y = 7\ndef main(): print('beta runs')\n"},
            entry_points="[console_scripts]\nbeta = beta:main\n",
        ),
        make_wheel(house, "tester", "3.0", {"tester.py": "", "tester.pth": "import os; open(os.environ['HOME'] + '/ran', 'w')\n"}),
    ]
    monkeypatch.setenv("UV_FIND_LINKS", str(house))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    return {wheel.name.split("-")[0]: wheel for wheel in made}


def _pins(wheels, names=("alpha", "beta")):
    return {
        name: (wheels[name].name.split("-")[1], hashlib.sha256(wheels[name].read_bytes()).hexdigest(), wheels[name].name) for name in names
    }


def _requirements(root, wheels, names=("alpha", "beta")):
    lines = [f"{name}=={version} --hash=sha256:{value}\n" for name, (version, value, _) in _pins(wheels, names).items()]
    (root / "requirements.txt").write_text("".join(lines))


@pytest.fixture
def make(root, cache):
    """Build what the workspace pins; hands back the environment's python and what was said."""

    async def run(**options):
        interpreter = await asyncio.to_thread(inspect, BASE, root=root, cache=cache)
        plan = find_plan(root, marker_environment(interpreter))
        assert plan is not None
        said: list[str] = []
        python = await build(plan, interpreter, root=root, cache=cache, progress=said.append, **options)
        return python, said

    return run


def _versions(python):
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    return {item.name: item.version for item in scan(site)}


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _leftovers(cache):
    return sorted(path.name for path in (cache / "environments").iterdir() if path.name.startswith("."))


async def test_requirements_with_hashes(root, wheels, make, cache):
    _requirements(root, wheels)
    before = sorted(root.rglob("*"))
    python, said = await make()
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1"}
    assert python.is_relative_to(cache)
    assert said[0] == "building the environment from requirements.txt (2 packages pinned)"
    assert sorted(root.rglob("*")) == before, "the workspace is not written"
    assert _leftovers(cache) == []
    assert {path.name for path in python.parents[1].iterdir()} <= {
        "bin",
        "lib",
        "lib64",
        "pyvenv.cfg",
        ".gitignore",
        ".lock",
        "CACHEDIR.TAG",
    }
    assert _output(python, "-c", "import alpha; print(alpha.X)") == "7\n"
    assert _output(python.parent / "beta") == "beta runs\n", "start scripts work although the folder was renamed"


async def test_bytecode_is_compiled_once_without_running_anything(root, wheels, make, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    _requirements(root, wheels, ("alpha", "beta", "tester"))
    python, _ = await make()
    compiled = [path.name.partition(".")[0] for path in python.parents[1].rglob("*.pyc")]
    assert {"alpha", "beta", "tester"} <= set(compiled)
    assert not (home / "ran").exists(), "the .pth file of a package did not run outside the sandbox"


async def test_a_second_build_is_not_one(root, wheels, make):
    _requirements(root, wheels)
    python, _ = await make()
    again, said = await make()
    assert (again, said) == (python, [])


async def test_another_lock_is_another_environment(root, wheels, make):
    _requirements(root, wheels)
    first, _ = await make()
    _requirements(root, wheels, ("beta",))
    second, _ = await make()
    assert _versions(second) == {"beta": "2.1"}
    assert _versions(first) == {"alpha": "1.0", "beta": "2.1"}


async def test_uv_lock_without_the_project_and_with_its_groups(root, wheels, make, tmp_path):
    (root / "pyproject.toml").write_text(
        "[project]\nname = 'mine'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['alpha']\n"
        "[project.optional-dependencies]\ntest = ['tester']\n[dependency-groups]\ndev = []\n"
        "[build-system]\nrequires = []\nbuild-backend = 'hostile'\nbackend-path = ['.']\n"
    )
    (root / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    _output(find_uv(root), "lock", "-q", "--project", root, "--no-python-downloads")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    python, _ = await make(offline=True)
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1", "tester": "3.0"}
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert not (tmp_path / "ran").exists()


async def test_pylock(root, wheels, make):
    entries = "".join(
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        f'wheels = [{{name = "{file}", path = "../wheelhouse/{file}", hashes = {{sha256 = "{value}"}}}}]\n'
        for name, (version, value, file) in _pins(wheels).items()
    )
    (root / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "hand"\n{entries}')
    python, _ = await make()
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1"}


@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock"])
async def test_poetry_and_pdm(root, wheels, make, name):
    groups = "main" if name == "poetry.lock" else "default"
    entries = "".join(
        f'[[package]]\nname = "{package}"\nversion = "{version}"\ngroups = ["{groups}"]\n'
        f'files = [{{file = "{file}", hash = "sha256:{value}"}}]\n\n'
        for package, (version, value, file) in _pins(wheels).items()
    )
    (root / name).write_text(entries + '[metadata]\nlock-version = "2.1"\n')
    python, said = await make()
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1"}
    assert name in said[0]


async def test_a_wheel_that_is_not_what_was_pinned_is_refused(root, wheels, make, cache):
    _requirements(root, wheels)
    with zipfile.ZipFile(wheels["beta"], "a") as archive:
        archive.writestr("evil.py", "")
    with pytest.raises(ConfigurationError) as caught:
        await make()
    assert "beta" in str(caught.value)
    assert "not what the lock file pins" in str(caught.value)
    assert _leftovers(cache) == []


async def test_a_package_that_has_only_sources_is_named_and_not_built(root, wheels, make, tmp_path, cache):
    folder = tmp_path / "srconly-1.0"
    folder.mkdir()
    (folder / "setup.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom setuptools import setup\nsetup(name='srconly', version='1.0')\n"
    )
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: srconly\nVersion: 1.0\n")
    archive = shutil.make_archive(str(wheels["beta"].parent / "srconly-1.0"), "gztar", tmp_path, "srconly-1.0")
    (root / "requirements.txt").write_text(f"srconly==1.0 --hash=sha256:{hash_file(archive)}\n")
    with pytest.raises(ConfigurationError, match="srconly") as caught:
        await make()
    assert "no wheel" in str(caught.value)
    assert "--python" in caught.value.remedy
    assert not (tmp_path / "ran").exists()
    assert _leftovers(cache) == []


async def test_what_cannot_be_had_offline_says_so(root, wheels, make, monkeypatch):
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    _requirements(root, wheels)
    with pytest.raises(InfrastructureError, match="local cache") as caught:
        await make(offline=True)
    assert "network" in caught.value.remedy


async def test_the_users_shell_cannot_change_what_is_built(root, wheels, make, monkeypatch, tmp_path):
    for name, value in {
        "UV_FROZEN": "1",
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "theirs"),
        "UV_SYSTEM_PYTHON": "1",
        "UV_NO_BINARY": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "theirs"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "theirs"))
    _requirements(root, wheels)
    python, _ = await make()
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1"}
    assert not (tmp_path / "theirs").exists()


async def test_two_at_once_build_once(root, wheels, make):
    _requirements(root, wheels)
    (one, said_one), (two, said_two) = await asyncio.gather(make(), make())
    assert one == two
    assert sum(line.startswith("building") for line in (*said_one, *said_two)) == 1
    assert sum("waiting" in line for line in (*said_one, *said_two)) == 1


async def _stuck_index(root, wheels, monkeypatch, listen):
    """An index that takes connections and never answers; hands back the event of the first connection."""
    reached = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reached.set()
        await asyncio.sleep(60)

    port = await listen(hang)
    for name in ("UV_FIND_LINKS", "UV_NO_INDEX"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{port}/simple")
    _requirements(root, wheels)
    return reached


def _children():
    return [child for child in psutil.Process().children(recursive=True) if "uv" in Path(child.name()).name]


async def test_cancelling_ends_uv_and_leaves_nothing(root, wheels, make, monkeypatch, cache, listen):
    reached = await _stuck_index(root, wheels, monkeypatch, listen)
    task = asyncio.create_task(make())
    await asyncio.wait_for(reached.wait(), 30)
    assert _children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children() == []
    assert _leftovers(cache) == []


@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="the build dies with suture only where util-linux is installed")
async def test_what_a_killed_build_left_is_swept_by_the_next(root, wheels, cache, make, monkeypatch, listen):
    reached = await _stuck_index(root, wheels, monkeypatch, listen)
    code = f"""
        import asyncio
        from pathlib import Path
        from suture_sandbox.resolve import find_runtime
        asyncio.run(find_runtime(Path({str(root)!r}), cache=Path({str(cache)!r})))
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", textwrap.dedent(code))
    await asyncio.wait_for(reached.wait(), 30)
    orphans = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert len(_leftovers(cache)) == 1
    assert orphans
    _, alive = psutil.wait_procs(orphans, timeout=10)
    assert alive == [], "the build died with suture"
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels["beta"].parent))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    python, _ = await make()
    assert _versions(python) == {"alpha": "1.0", "beta": "2.1"}
    assert _leftovers(cache) == []


async def test_an_environment_whose_interpreter_went_away_is_built_again(root, wheels, make):
    _requirements(root, wheels)
    python, _ = await make()
    for link in python.parent.glob("python*"):
        link.unlink()
    python.symlink_to("/gone/python")
    again, said = await make()
    assert again.exists()
    assert said


async def test_a_cache_that_cannot_be_written_is_an_infrastructure_error(root, wheels, tmp_path):
    _requirements(root, wheels)
    interpreter = inspect(BASE, root=root, cache=tmp_path / "c")
    (tmp_path / "file").write_text("")
    plan = find_plan(root, marker_environment(interpreter))
    with pytest.raises(InfrastructureError, match="cannot make"):
        await build(plan, interpreter, root=root, cache=tmp_path / "file", progress=print)


def test_uv_of_the_workspace_is_not_taken(tmp_path, monkeypatch):
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not find_uv(tmp_path).is_relative_to(tmp_path)


def test_the_folder_follows_plan_and_interpreter(root, wheels, tmp_path):
    _requirements(root, wheels)
    interpreter = inspect(BASE, root=root, cache=tmp_path / "c")
    plan = find_plan(root, marker_environment(interpreter))
    one = environment_folder(plan, interpreter, tmp_path)
    assert environment_folder(plan, interpreter, tmp_path) == one
    _requirements(root, wheels, ("beta",))
    assert environment_folder(find_plan(root, marker_environment(interpreter)), interpreter, tmp_path) != one
