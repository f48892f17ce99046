"""The wheelhouse: only what was checked gets in, it is bounded, it can be erased, and what cannot be had is named with the reason."""

from __future__ import annotations

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.tags import Tag

from suture_sandbox import wheels as wheels_module
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.pylock import best
from suture_sandbox.wheels import Wheel, Wheelhouse, link


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def source(tmp_path, make_wheel):
    return make_wheel(tmp_path / "index", "alpha", "1.0", {"alpha.py": "X = 1\n"})


@pytest.fixture
def house(tmp_path):
    return Wheelhouse(tmp_path / "cache" / "wheelhouse")


def _wheel(path: Path, sha256: str | None = None, source: str | None = None) -> Wheel:
    return Wheel(name="alpha", version="1.0", file=path.name, sha256=_sha(path) if sha256 is None else sha256, source=source or str(path))


def test_a_wheel_lies_under_its_own_hash_and_cannot_be_written(house, source):
    said = []
    kept, missing = house.fill([_wheel(source)], said.append)
    assert (len(kept), missing, len(said)) == (1, [], 1)
    found = house.find(_sha(source))
    assert found == house.folder / _sha(source)[:2] / _sha(source) / source.name
    assert found.read_bytes() == source.read_bytes()
    assert found.stat().st_mode & 0o222 == 0
    source.unlink()
    assert house.fill(kept, said.append) == (kept, []), "it is here, so nothing is asked for"
    assert len(said) == 1


def test_a_hash_that_nobody_said_is_computed(house, source):
    (kept,), _ = house.fill([_wheel(source, sha256="")], print)
    assert kept.sha256 == _sha(source)


@pytest.mark.parametrize("address", [True, False])
def test_what_is_not_what_was_pinned_does_not_get_in(house, source, address):
    wheel = _wheel(source, sha256="0" * 64, source=source.as_uri() if address else None)
    kept, (missing,) = house.fill([wheel], print)
    assert kept == []
    assert f"its content is {_sha(source)[:12]}..., pinned is 000000000000..." in missing.reason
    assert [path for path in house.folder.rglob("*") if path.is_file()] == []


async def test_what_an_index_answers_is_told_without_its_address(house, source, listen):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        status = b"200 OK" if b"/good/" in asked else b"403 Forbidden"
        body = source.read_bytes()
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()

    port = await listen(answer)
    good, bad, dead = (f"http://127.0.0.1:{to}/{path}/secret-key/{source.name}" for to, path in ((port, "good"), (port, "bad"), (1, "x")))
    kept, missing = await asyncio.to_thread(house.fill, [_wheel(source, source=good)], print)
    assert (len(kept), missing) == (1, [])
    assert house.erase() == 1
    _, missing = await asyncio.to_thread(house.fill, [_wheel(source, source=bad), _wheel(source, source=dead)], print)
    assert "answered 403" in missing[0].reason
    assert "cannot be reached" in missing[1].reason
    assert not any("secret" in item.reason for item in missing)
    _, (missing,) = await asyncio.to_thread(lambda: house.fill([_wheel(source, source=good)], print, offline=True))
    assert "offline" in missing.reason


def test_a_wheel_without_an_end_is_not_kept(house, source, monkeypatch):
    monkeypatch.setattr(wheels_module, "LARGEST_WHEEL", 10)
    monkeypatch.setattr(wheels_module.urllib.request, "urlopen", lambda *_, **__: source.open("rb"))
    _, (missing,) = house.fill([_wheel(source, source="https://example.org/alpha.whl")], print)
    assert "larger than" in missing.reason


def test_what_was_used_longest_ago_goes_and_what_was_asked_for_stays(house, tmp_path, make_wheel, monkeypatch):
    made = [make_wheel(tmp_path / "index", f"p{number}", "1.0", {"a.py": "x" * 1000 * number}) for number in range(4)]
    monkeypatch.setattr(wheels_module, "MOST_BYTES", sum(path.stat().st_size for path in made[1:]))
    house.fill([_wheel(made[0]), _wheel(made[1]), _wheel(made[2])], print)
    for age, path in enumerate((made[1], made[2])):
        os.utime(house.find(_sha(path)).parent, (1000 + age, 1000 + age))
    assert house.find(_sha(made[0])), "just used"
    house.fill([_wheel(made[3])], print)
    assert [house.find(_sha(path)) is not None for path in made] == [True, False, True, True]
    monkeypatch.setattr(wheels_module, "MOST_BYTES", 1)
    house.fill([_wheel(path) for path in made], print)
    assert all(house.find(_sha(path)) for path in made), "all of them were asked for"


def test_several_at_once_keep_one(house, source):
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: house.fill([_wheel(source)], lambda _: None), range(16)))
    assert all(missing == [] for _, missing in done)
    assert len([path for path in house.folder.rglob("*") if path.is_file()]) == 1
    assert [path for path in house.folder.iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_cannot_be_made_is_an_infrastructure_error(tmp_path, source):
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot make"):
        Wheelhouse(tmp_path / "file" / "house").fill([_wheel(source)], print)


@pytest.mark.parametrize("value", ["", "../../etc", "A" * 64, "x"])
def test_a_hash_that_is_none_finds_nothing(house, value):
    assert house.find(value) is None


def test_wheels_are_laid_out_under_their_names_and_old_ones_go(house, source, tmp_path):
    kept, _ = house.fill([_wheel(source)], print)
    folder = tmp_path / "laid"
    folder.mkdir()
    (folder / "old-1.0-py3-none-any.whl").write_text("")
    link(kept, house, folder)
    assert [path.name for path in folder.iterdir()] == [source.name]
    assert (folder / source.name).read_bytes() == source.read_bytes()


def test_the_wheel_that_fits_best_is_taken():
    tags = [Tag("cp311", "cp311", "linux_x86_64"), Tag("cp311", "abi3", "linux_x86_64"), Tag("py3", "none", "any")]
    files = ["a-1-py3-none-any.whl", "a-1-cp311-abi3-linux_x86_64.whl", "a-1-cp312-cp312-linux_x86_64.whl", "no wheel", "a-1.tar.gz"]
    assert best(files, tags) == "a-1-cp311-abi3-linux_x86_64.whl"
    assert best(files[2:], tags) is None
