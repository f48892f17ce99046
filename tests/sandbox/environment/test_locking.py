"""Pinning by hash and building again from nothing but the wheels: no index, no cache of uv's, nothing left behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from suture_sandbox.environment import Limits
from suture_sandbox.errors import ConfigurationError, InfrastructureError, LockError
from suture_sandbox.lockfile import sentences
from suture_sandbox.locking import pin_wheels, rebuild
from suture_sandbox.pylock import NAME, own_plan
from suture_sandbox.resolve import resolve
from suture_sandbox.uv_program import find_uv

BASE = Path(os.path.realpath(sys.executable))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def wheels(tmp_path, make_wheel, own_uv_cache, monkeypatch):
    house = tmp_path / "index"
    made = [
        make_wheel(house, "alpha", "1.0", {"alpha.py": "import beta\n"}, requires=("beta>=2",)),
        make_wheel(house, "beta", "2.1", {"beta.py": "Y = 7\n"}),
    ]
    monkeypatch.setenv("UV_FIND_LINKS", str(house))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    return made


@pytest.fixture
def no_index(monkeypatch, tmp_path):
    """From now on uv has an empty cache and an index that nobody can reach."""

    def cut() -> None:
        monkeypatch.setenv("UV_FIND_LINKS", "/gone")
        monkeypatch.delenv("UV_NO_INDEX")
        monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another empty cache"))

    return cut


@pytest.fixture
def opened(root, cache):
    async def run(**options):
        return await resolve(root, checks=(), limits=Limits(), isolation={"backend": "local"}, cache=cache, **options)

    return run


@pytest.fixture
def venv(root, wheels):
    """The workspace's own environment, with both packages in it."""
    folder = root / ".venv"
    _uv(root, "venv", "--no-project", "--python", BASE, folder)
    _uv(root, "pip", "install", "--python", folder / "bin/python", "alpha")
    return folder


def _uv(root, *arguments):
    subprocess.run([find_uv(root), *arguments, "--quiet"], check=True)


def _requirements(root, wheels):
    lines = [f"{'=='.join(path.name.split('-')[:2])} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in wheels]
    (root / "requirements.txt").write_text("".join(lines) + f"gone==1.0 ; python_version < '3' --hash=sha256:{'0' * 64}\n")


async def test_a_lock_file_is_pinned_and_built_again_without_an_index(root, wheels, cache, opened, no_index):
    _requirements(root, wheels)
    environment = await opened()
    pinned = await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    assert [(wheel.name, wheel.version) for wheel in pinned.wheels] == [("alpha", "1.0"), ("beta", "2.1")]
    assert (pinned.missing, pinned.note) == ((), "")
    no_index()
    assert await rebuild(root, environment.fields, cache=cache, progress=lambda _: None) == ()
    assert [path for path in cache.iterdir() if path.name.startswith(".rebuild")] == []
    await asyncio.to_thread(shutil.rmtree, cache / "environments")
    assert (await opened(offline=True)).identity == environment.identity, "made anew from the wheelhouse, as after any loss of the cache"


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml"])
async def test_the_wheels_of_another_tools_lock_are_taken_from_where_it_says(root, wheels, cache, opened, no_index, name):
    project = "[project]\nname = 'mine'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['alpha']\n"
    (root / "pyproject.toml").write_text(project)
    await asyncio.to_thread(_uv, root, "lock", "--project", root, "--no-python-downloads")
    if name == "pylock.toml":
        await asyncio.to_thread(_uv, root, "export", "--project", root, "--format", name, "-o", root / name, "--no-emit-local")
        (root / "uv.lock").unlink()
    environment = await opened()
    pinned = await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    assert [wheel.name for wheel in pinned.wheels] == ["alpha", "beta"]
    assert pinned.missing == ()
    no_index()
    assert await rebuild(root, environment.fields, cache=cache, progress=lambda _: None) == ()


async def test_an_environment_that_no_lock_made_is_pinned_as_it_is(root, venv, cache, opened, no_index, monkeypatch):
    environment = await opened()
    pinned = await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    assert [wheel.name for wheel in pinned.wheels] == ["alpha", "beta"]
    text = (root / NAME).read_text()
    assert "://" not in text, "no address"
    assert str(cache) not in text
    assert len(Pylock.from_dict(tomllib.loads(text)).packages) == 2
    no_index()
    other = root.parent / "other"
    monkeypatch.delenv("UV_FIND_LINKS")
    await asyncio.to_thread(_uv, root, "venv", "--no-project", "--python", BASE, other)
    await asyncio.to_thread(_uv, root, "pip", "sync", "--python", other / "bin/python", root / NAME)
    by_hand = await opened(python=other / "bin" / "python")
    assert by_hand.fields.dependencies == environment.fields.dependencies, "uv alone builds it from the pylock"
    venv.rename(root.parent / "gone")
    again = await opened(offline=True)
    assert again.fields.dependencies == environment.fields.dependencies, "a clone without .venv gets it from the pins"
    assert any(NAME in note for note in again.runtime.notes)


async def test_a_package_that_is_not_what_the_index_has_is_named_by_the_rebuild(root, venv, cache, opened, no_index):
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "beta.py").unlink()
    (site / "beta.py").write_text("Y = 8\n")
    environment = await opened()
    await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    no_index()
    drift = await rebuild(root, environment.fields, cache=cache, progress=lambda _: None)
    assert [item.field for item in drift] == ["dependencies.beta.content"]
    assert sentences(drift, cache) == ("beta has the locked version but other files: something in it was changed (changed: beta.py)",)


async def test_what_the_index_does_not_have_is_missing_and_the_rest_is_pinned(root, venv, cache, opened, put, wheels):
    (site,) = venv.glob("lib/python*/site-packages")
    put(site, "inhouse", "3.0", {"inhouse.py": ""})
    environment = await opened()
    pinned = await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    assert [wheel.name for wheel in pinned.wheels] == ["alpha", "beta"]
    ((name, version, reason),) = [(item.name, item.version, item.reason) for item in pinned.missing]
    assert (name, version) == ("inhouse", "3.0")
    assert "inhouse" in reason
    drift = await rebuild(root, environment.fields, cache=cache, progress=lambda _: None)
    assert sentences(drift) == ("inhouse 3.0 is locked and not installed",)


async def test_a_rebuild_without_its_wheels_says_which(root, venv, cache, opened, no_index):
    environment = await opened()
    with pytest.raises(LockError, match="does not exist"):
        await rebuild(root, environment.fields, cache=cache, progress=lambda _: None)
    pinned = await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    no_index()
    (cache / "wheelhouse" / pinned.wheels[0].sha256[:2] / pinned.wheels[0].sha256 / pinned.wheels[0].file).unlink()
    with pytest.raises(InfrastructureError, match=r"missing: alpha 1\.0\)") as caught:
        await rebuild(root, environment.fields, cache=cache, progress=lambda _: None)
    assert "env lock" in caught.value.remedy


async def test_suture_own_interpreter_is_not_the_workspaces_to_pin(root, cache, opened):
    pinned = await pin_wheels(root, await opened(), cache=cache, progress=lambda _: None)
    assert (pinned.wheels, pinned.missing) == ((), ())
    assert "nothing of its own" in pinned.note
    assert not (root / NAME).exists()


@pytest.mark.parametrize("where", [NAME, ".suture", ".suture/wheels"])
async def test_nothing_is_written_through_a_link(root, venv, cache, opened, tmp_path, where):
    environment = await opened()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "precious").write_text("x")
    (root / where).parent.mkdir(exist_ok=True)
    (root / where).symlink_to(tmp_path / "theirs")
    with pytest.raises(LockError, match="symbolic link"):
        await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "text",
    [
        "packages = 1",
        "[[packages]]\nname = 'a'",
        "[[packages]]\nname = '--index-url x'\nversion = '1'\nwheels = [{hashes = {sha256 = 'x'}}]",
        "[[packages]]\nname = 'a'\nversion = '1\\n--index-url http'\nwheels = [{hashes = {sha256 = 'x'}}]",
        "[[packages]]\nname = 'a'\nversion = '1'\nwheels = []",
        "= 1",
    ],
)
def test_damaged_or_hostile_pins_are_refused(root, text):
    (root / NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=r"pylock\.suture\.toml"):
        own_plan(root)


async def test_cancelling_a_rebuild_leaves_nothing(root, venv, cache, opened):
    environment = await opened()
    await pin_wheels(root, environment, cache=cache, progress=lambda _: None)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(rebuild(root, environment.fields, cache=cache, progress=lambda _: loop.call_soon_threadsafe(begun.set)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path for path in cache.iterdir() if path.name.startswith(".rebuild")] == []
