"""Opening a workspace's files: whatever lies under a name, it costs a message and never waits, floods or touches it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from suture_sandbox.detect.configuration import INI_FILES, TOML_FILES, read_configuration
from suture_sandbox.errors import ConfigurationError, LockError, UnreadableFile
from suture_sandbox.files import as_text, read_head, read_plain
from suture_sandbox.local.masks import SecretIndex
from suture_sandbox.lockfile import NAME, read_lock
from suture_sandbox.lockformats import FORMATS, find_plan
from suture_sandbox.snapshot import Snapshot


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(path.parent)  # the address of a socket holds 108 bytes
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


def giant(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


NOT_PLAIN = {"pipe": os.mkfifo, "socket": unix_socket, "device": lambda path: path.symlink_to("/dev/zero"), "giant": giant}


@pytest.fixture(params=NOT_PLAIN)
def put(request):
    """Puts something under a name that is no file to be read; one parameter a kind."""
    return NOT_PLAIN[request.param]


def test_a_plain_file_is_read_whole_and_no_further_than_the_bound(tmp_path):
    place = tmp_path / "a"
    assert read_plain(place) is None
    assert read_plain(tmp_path / "no" / "folder") is None
    place.write_bytes(b"12345")
    assert read_plain(place / "inside") is None
    assert read_plain(place, most=5) == b"12345"
    with pytest.raises(UnreadableFile, match="a is larger than 0 KiB"):
        read_plain(place, most=4)


def test_what_grows_while_it_is_read_is_bounded():
    """A file of /proc says that it has no bytes, and has many."""
    assert len(read_plain(Path("/proc/self/status")) or b"") > 100
    with pytest.raises(UnreadableFile, match="larger than"):
        read_plain(Path("/proc/self/status"), most=100)


def test_links_are_followed_where_they_may_be(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("b")
    assert read_plain(tmp_path / "link") == b"x"
    assert read_plain(tmp_path / "loop") is read_plain(tmp_path / "nowhere") is None
    with pytest.raises(UnreadableFile, match="is not a plain file"):
        read_plain(tmp_path / "link", follow=False)


def test_what_is_no_plain_file_is_an_error_with_a_name_and_a_remedy(tmp_path, put):
    put(tmp_path / "a")
    with pytest.raises(UnreadableFile, match=r"^this (is not a plain file|is larger than 64 MiB)") as caught:
        read_plain(tmp_path / "a", name="this")
    assert "remove it" in caught.value.remedy
    assert len(read_head(tmp_path / "a", 10)) in (0, 10)


def test_a_head_is_the_beginning_of_what_there_is(tmp_path):
    assert read_head(tmp_path / "a", 3) == b""
    (tmp_path / "a").write_bytes(b"12345")
    assert read_head(tmp_path / "a", 3) == b"123"
    assert read_head(tmp_path / "a", 9) == b"12345"


def test_text_has_line_feeds():
    assert as_text(b"a\r\nb\rc\n") == "a\nb\nc\n"


@pytest.mark.parametrize("name", [*FORMATS, "requirements-dev.txt"])
def test_every_lock_file_of_other_tools(tmp_path, put, name):
    put(tmp_path / name)
    with pytest.raises(ConfigurationError, match=f"{name} is (not a plain file|larger than 32 MiB)") as caught:
        find_plan(tmp_path, {})
    assert caught.value.remedy


def test_suture_lock(tmp_path, put):
    put(tmp_path / NAME)
    with pytest.raises(LockError, match=f"{NAME} is (not a plain file|larger than 64 MiB)"):
        read_lock(tmp_path)


@pytest.mark.parametrize("name", [*TOML_FILES, *INI_FILES, ".pre-commit-config.yaml"])
def test_every_file_that_checks_are_found_in(tmp_path, put, name):
    put(tmp_path / name)
    with pytest.raises(UnreadableFile, match=f"{name} is (not a plain file|larger than 1 MiB)"):
        read_configuration(tmp_path)


def test_a_snapshot_has_no_such_files(tmp_path, put):
    put(tmp_path / "a.py")
    snapshot = Snapshot(tmp_path)
    assert snapshot.read("a.py") is snapshot.read_text("a.py") is None
    assert not snapshot.exists("a.py")


def test_git_settings_that_cannot_be_read_are_hidden_where_they_are_a_file(tmp_path, put):
    (tmp_path / ".git").mkdir()
    put(tmp_path / ".git" / "config")
    is_file = (tmp_path / ".git" / "config").is_file() and not (tmp_path / ".git" / "config").is_symlink()
    assert SecretIndex(tmp_path).refresh().files == ((".git/config",) if is_file else ())
