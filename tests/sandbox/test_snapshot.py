"""Snapshots: a workspace as a value, and which paths it lets through."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_sandbox.errors import PatchError
from suture_sandbox.snapshot import Snapshot


@pytest.fixture
def snapshot(tmp_path):
    root = tmp_path / "w"
    (root / "pkg").mkdir(parents=True)
    (root / "a.py").write_bytes(b"a\r\n")
    (root / "pkg" / "b.py").write_bytes(b"b\n")
    (tmp_path / "secret").write_bytes(b"secret")
    return Snapshot(root)


def test_it_reads_the_disk_with_line_ends_as_they_are(snapshot):
    assert snapshot.read("a.py") == b"a\r\n"
    assert snapshot.read_text("a.py") == "a\r\n"
    assert snapshot.read("pkg/b.py") == b"b\n"
    assert snapshot.read("nothing.py") is None
    assert snapshot.read("pkg") is None


def test_edits_lie_over_the_disk_and_never_reach_it(snapshot):
    edited = snapshot.with_edits({"a.py": b"new", "pkg/b.py": None, "c/d.py": b"d"})
    assert (edited.read("a.py"), edited.read("pkg/b.py"), edited.read("c/d.py")) == (b"new", None, b"d")
    assert [edited.exists(path) for path in ("a.py", "pkg/b.py", "c/d.py")] == [True, False, True]
    assert snapshot.read("a.py") == (snapshot.root / "a.py").read_bytes() == b"a\r\n"
    assert not (snapshot.root / "c").exists()


def test_later_edits_win_and_a_deleted_file_can_come_back(snapshot):
    twice = snapshot.with_edits({"a.py": None}).with_edits({"a.py": b"again"})
    assert twice.read("a.py") == b"again"
    assert snapshot.with_edits({"a.py": b"x"}).with_edits({"a.py": None}).read_text("a.py") is None


def test_an_empty_file_is_a_file(snapshot):
    edited = snapshot.with_edits({"a.py": b""})
    assert edited.exists("a.py")
    assert edited.read_text("a.py") == ""


@pytest.mark.parametrize(("content", "text"), [(b"\xef\xbb\xbfx", "x"), (b"\xff", None), ("x".encode("utf-16"), None), (b"a\0b", "a\0b")])
def test_text_is_utf_8(snapshot, content, text):
    assert snapshot.with_edits({"a.py": content}).read_text("a.py") == text


HOSTILE = [
    "", ".", "..", "/", "/etc/passwd", "../secret", "pkg/../../secret", "pkg/..", "a.py/", "pkg//b.py", "./a.py", "pkg/./b.py", "a\0.py",
    "\ud800.py", "\udcff.py", ".git", ".git/config", "pkg/.git/hooks/post-checkout", ".GIT/config", ".suture", ".suture/patches/x", "pkg",
    "a.py/inner.py", "x" * 256, "new/" + "é" * 128, "x" * 256 + "/inner.py",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_paths_that_are_refused(snapshot, path):
    with pytest.raises(PatchError):
        snapshot.check_path(path)
    with pytest.raises(PatchError):
        snapshot.with_edits({path: b"x"})
    assert snapshot.read(path) is None
    assert not snapshot.exists(path)


@pytest.mark.parametrize(
    "path", ["a.py", "new.py", "x/y/z.py", "..odd/a.py", ".github/a.yml", ".gitignore", "a b.py", "é.py", "a\\b", "-x", "x/.suture"]
)
def test_paths_that_are_let_through(snapshot, path):
    snapshot.check_path(path)
    assert snapshot.with_edits({path: b"x"}).read(path) == b"x"


@given(path=st.text(st.one_of(st.characters(), st.sampled_from("./\0~")), max_size=30))
def test_a_path_is_let_through_only_when_it_names_itself_inside(tmp_path_factory, path):
    root = tmp_path_factory.getbasetemp()
    try:
        Snapshot(root).check_path(path)
    except PatchError:
        assert Snapshot(root).read(path) is None
        return
    joined = os.path.normpath(root / path)
    assert joined == f"{root}{os.sep}{path}"
    assert joined.startswith(f"{root}{os.sep}")


LINKS = [
    ("l.py", "../secret", "l.py"),
    ("l", "..", "l/secret"),
    ("l.py", "a.py", "l.py"),
    ("l", "l", "l"),
    ("l", "nowhere", "l"),
    ("pkg/l", "../pkg", "pkg/l/b.py"),
]


@pytest.mark.parametrize(("link", "target", "path"), LINKS)
def test_links_are_never_followed(snapshot, link, target, path):
    (snapshot.root / link).symlink_to(target)
    with pytest.raises(PatchError, match="is not a plain"):
        snapshot.check_path(path)
    assert snapshot.read(path) is None
    assert not snapshot.exists(path)


def test_a_pipe_is_no_file(snapshot):
    os.mkfifo(snapshot.root / "pipe")
    assert snapshot.read("pipe") is None  # and does not wait for a writer
    assert not snapshot.exists("pipe")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"n": b"x"}, {"n/m.py": b"y"}),
        ({"n/m.py": b"y"}, {"n": b"x"}),
        ({"n/a/b/c.py": b"y"}, {"n": b"x"}),
        ({}, {"n": b"x", "n/m.py": b"y"}),
    ],
)
def test_nothing_is_both_a_file_and_a_folder(snapshot, first, second):
    with pytest.raises(PatchError, match="n cannot be both a file and a folder"):
        snapshot.with_edits(first).with_edits(second)


def test_a_file_can_take_the_place_of_a_folder_that_was_only_an_edit(snapshot):
    moved = snapshot.with_edits({"n/m.py": b"y"}).with_edits({"n/m.py": None, "n": b"x"})
    assert moved.read("n") == b"x"


def test_a_name_that_is_too_long_is_no_file(snapshot):
    assert snapshot.read("x" * 5000) is None
    assert not snapshot.exists("x/" * 3000 + "y")
