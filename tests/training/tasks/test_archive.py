"""Archives of workspaces: the same files give the same name and the same bytes, and no archive can do harm."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest
import zstandard

from suture_sandbox.errors import ConfigurationError
from suture_training.tasks import archive
from suture_training.tasks.archive import File, folder_hash, pack, read_files, unpack, workspace_hash

FILES = {
    "shop/cart.py": File(b"def total(prices):\n    return sum(prices)\n"),
    "tools/run": File(b"#!/bin/sh\n", executable=True),
    "a/ümläut/" + "x" * 120 + ".txt": File("ä\r\n".encode()),
    "empty.py": File(b""),
}


def packed(folder: Path, files=FILES) -> Path:
    target = folder / f"{workspace_hash(files)}.tar.zst"
    pack(files, target)
    return target


def test_the_same_files_are_the_same_bytes_whoever_packs_them(tmp_path):
    first = packed(tmp_path).read_bytes()
    again = tmp_path / "again.tar.zst"
    os.umask(os.umask(0o077) & 0o022)
    pack(dict(reversed(FILES.items())), again)
    assert again.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []


def test_a_name_changes_with_path_content_and_mode():
    plain = {"a.py": File(b"x = 1\n")}
    others = [{"b.py": File(b"x = 1\n")}, {"a.py": File(b"x = 2\n")}, {"a.py": File(b"x = 1\n", executable=True)}, {}]
    assert len({workspace_hash(each) for each in (plain, *others)}) == 5


def test_what_is_unpacked_is_what_was_packed(tmp_path):
    target = packed(tmp_path)
    before = os.umask(0o077)
    try:
        unpack(target, tmp_path / "there")
    finally:
        os.umask(before)
    assert read_files(target) == FILES
    assert {path: (tmp_path / "there" / path).read_bytes() for path in FILES} == {path: file.content for path, file in FILES.items()}
    modes = {path: stat.S_IMODE((tmp_path / "there" / path).stat().st_mode) for path in ("shop/cart.py", "tools/run", "shop")}
    assert modes == {"shop/cart.py": 0o644, "tools/run": 0o755, "shop": 0o755}
    assert folder_hash(tmp_path / "there") == workspace_hash(FILES)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([target.name, "there"])


@pytest.mark.parametrize("change", ["content", "more", "link", "mode", "gone"])
def test_a_folder_that_was_changed_has_another_name_and_is_laid_out_again(tmp_path, change):
    target, folder = packed(tmp_path), tmp_path / "there"
    unpack(target, folder)
    if change == "content":
        (folder / "shop/cart.py").write_text("x")
    elif change == "more":
        (folder / "new.py").write_text("")
    elif change == "link":
        (folder / "link").symlink_to("/etc")
    elif change == "mode":
        (folder / "shop/cart.py").chmod(0o755)
    else:
        (folder / "tools/run").unlink()
    assert folder_hash(folder) != workspace_hash(FILES)
    unpack(target, folder)
    assert folder_hash(folder) == workspace_hash(FILES)


def hostile(folder: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for entry, content in entries:
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    path = folder / f"{hashlib.sha256(raw.getvalue()).hexdigest()}.tar.zst"
    path.write_bytes(zstandard.compress(raw.getvalue()))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made, b"x" if kind == tarfile.REGTYPE else b""


@pytest.mark.parametrize(
    "made",
    [
        entry("../out.py"),
        entry("/tmp/suture-out.py"),
        entry("a/../../out.py"),
        entry("./a.py"),
        entry(".git/hooks/post-checkout"),
        entry("sub/.GIT/config"),
        entry(".suture/patches/x"),
        entry("x" * 300),
        entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        entry("hard", tarfile.LNKTYPE, "a.py"),
        entry("device", tarfile.CHRTYPE),
        entry("pipe", tarfile.FIFOTYPE),
        entry("folder", tarfile.DIRTYPE),
    ],
    ids=lambda made: made[0].name[:20],
)
def test_what_is_no_plain_file_inside_is_refused(tmp_path, made):
    path = hostile(tmp_path, entry("a.py"), made)
    with pytest.raises(ConfigurationError, match="cannot be unpacked"):
        unpack(path, tmp_path / "there")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert not Path("/tmp/suture-out.py").exists()


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="twice"):
        read_files(hostile(tmp_path, entry("a.py"), entry("a.py")))


def test_an_archive_has_to_hold_what_its_name_says(tmp_path):
    other = tmp_path / f"{'0' * 64}.tar.zst"
    packed(tmp_path).rename(other)
    with pytest.raises(ConfigurationError, match="what it holds is not 000000000000"):
        unpack(other, tmp_path / "there")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_WORKSPACE", 1 << 20)
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    path = hostile(tmp_path, *((tarfile.TarInfo(f"{number}"), bytes(600_000)) for number in range(3)))
    assert path.stat().st_size < 1000
    with pytest.raises(ConfigurationError, match="too much in all"):
        read_files(path)
    long = tarfile.TarInfo("x")
    long.pax_headers = {"comment": "y" * (3 << 20)}
    with pytest.raises(ConfigurationError, match="more than any workspace"):
        read_files(hostile(tmp_path, (long, b"")))


@pytest.mark.parametrize("content", [b"", b"no archive", zstandard.compress(b"no tar at all, but long enough" * 50)])
def test_a_damaged_archive_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / f"{'a' * 64}.tar.zst"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="aaaa"):
        read_files(path)
    whole = packed(tmp_path)
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(ConfigurationError, match="cannot be unpacked"):
        read_files(whole)
    with pytest.raises(ConfigurationError, match="is missing"):
        read_files(tmp_path / "gone.tar.zst")


@pytest.mark.parametrize(
    ("path", "why"), [("../x", "no path inside"), ("a\udc80", "not UTF-8"), (".git/x", "belongs to git"), ("a//b", "no path")]
)
def test_names_that_lead_elsewhere_are_not_packed(tmp_path, path, why):
    with pytest.raises(ConfigurationError, match=why):
        pack({path: File(b"")}, tmp_path / "x.tar.zst")
    assert list(tmp_path.iterdir()) == []
