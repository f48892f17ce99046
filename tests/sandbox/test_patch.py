"""Patches: what git makes of their diffs, what they expect, and what they count."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.errors import PatchError
from suture_sandbox.patch import FileEdit, Patch, patch_between
from suture_sandbox.snapshot import Snapshot

ENDS = [
    "a\n",
    "b\n",
    "a",
    "\n",
    "\r\n",
    "\r",
    "\f",
    "\x1c",
    "\x85",
    "\u2028",
    "é\n",
    "\U0001f600",
    "-- x\n",
    "+++ b\n",
    "@@\n",
    "\\ No\n",
    "\t \n",
]
PIECES = st.sampled_from(ENDS)
CONTENTS = st.lists(PIECES, max_size=12).map(lambda parts: "".join(parts).encode())
EITHER = st.one_of(st.none(), CONTENTS)


def applied_by_git(folder, patch, *, reverse=False):
    """Lay a patch's diff over a folder with `git apply`."""
    options = ["--reverse"] if reverse else []
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", *options, "-"]
    done = subprocess.run(command, cwd=folder, input=patch.diff().encode(), capture_output=True, check=False)
    assert done.returncode == 0, (done.stderr.decode(), patch.diff())


def snapshot_of(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Snapshot(folder)


def agree_with_git(folder, before, after, *, name="pkg/a.py"):
    """The diff, applied by git forwards and back, gives what the patch says."""
    snapshot = snapshot_of(folder, {} if before is None else {name: before})
    patch = patch_between(snapshot, {name: after})
    if before == after:
        assert patch == Patch()
        assert patch.diff() == ""
        return
    applied_by_git(folder, patch)
    path = folder / name
    assert (path.read_bytes() if path.exists() else None) == after
    applied_by_git(folder, patch, reverse=True)
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\n", b"a\nc\n"),
        (None, b"new\n"),
        (b"gone\n", None),
        (None, b""),
        (b"", None),
        (b"", b"x\n"),
        (b"x\n", b""),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\nb", b"a\nc"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\rb\n", b"a\rc\n"),
        (b"def a():\n    pass\n\x0c\ndef b():\n    pass\n", b"def a():\n    pass\n\x0c\ndef b():\n    return 1\n"),
        ("x = 'a\u2028b\x85c\x1cd\x0be'\ny = 1\n".encode(), "x = 'a\u2028b\x85c\x1cd\x0be'\ny = 2\n".encode()),
        ("x = 'a\u2028b'".encode(), b"x = 1"),
        (b"\xef\xbb\xbfx = 1\n", b"x = 1\n"),
        (b"--- a\n+++ b\n@@ -1 +1 @@\n", b"--- b\n+++ a\n@@ -2 +2 @@\n"),
        (b"x\n" * 500, b"x\n" * 250 + b"y\n" + b"x\n" * 249),
    ],
)
def test_git_takes_the_diff_both_ways(tmp_path, before, after):
    agree_with_git(tmp_path, before, after)


@given(before=EITHER, after=EITHER)
@settings(max_examples=60, deadline=None)
def test_git_takes_the_diff_of_any_two_texts(before, after):
    with tempfile.TemporaryDirectory() as folder:
        agree_with_git(Path(folder), before, after)


@pytest.mark.parametrize("name", ["a b.py", "é.py", 'qu"ote.py', "back\\slash.py", "tab\there.py", "line\nbreak.py", "-x.py", "b/a b/c.py"])
def test_git_takes_files_of_any_name(tmp_path, name):
    for index, (before, after) in enumerate([(b"a\n", b"b\n"), (None, b"b\n"), (b"b\n", None)]):
        folder = tmp_path / str(index)
        folder.mkdir()
        agree_with_git(folder, before, after, name=name)


def test_git_takes_several_files_at_once(tmp_path):
    snapshot = snapshot_of(tmp_path, {"a.py": b"a\n", "b.py": b"b", "c.py": b""})
    patch = patch_between(snapshot, {"a.py": b"A\n", "b.py": None, "c.py": b"c\n", "d/e.py": b"", "d/f.py": b"f"})
    applied_by_git(tmp_path, patch)
    left = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a.py": b"A\n", "c.py": b"c\n", "d/e.py": b"", "d/f.py": b"f"}


def test_a_diff_reads_as_people_know_it(tmp_path):
    patch = patch_between(snapshot_of(tmp_path, {"a.py": b"x = 1\ny = 2"}), {"a.py": b"x = 1\ny = 3"})
    assert patch.diff() == (
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 2\n\\ No newline at end of file\n"
        "+y = 3\n\\ No newline at end of file\n"
    )


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (b"a\nb\n", b"a\nc\nd\n", (2, 1)),
        (None, b"a\nb\n", (2, 0)),
        (b"a\nb\n", None, (0, 2)),
        (None, b"", (0, 0)),
        (b"a", b"a\n", (1, 1)),
        (b"x\x0cy\n", b"x\x0cz\n", (1, 1)),
        (b"-- a\n", b"++ a\n", (1, 1)),
        (b"\0", b"\0\n", (0, 0)),
        (b"\xff\n", b"a\n", (0, 0)),
    ],
)
def test_lines_added_and_removed(tmp_path, before, after, counts):
    snapshot = snapshot_of(tmp_path, {} if before is None else {"a.py": before})
    assert patch_between(snapshot, {"a.py": after}).counts == counts


@given(before=CONTENTS, after=CONTENTS)
def test_the_counts_are_those_of_git_and_balance(before, after):
    added, removed = Patch((FileEdit(path="a", before=before, after=after),)).counts
    lines = [content.count(b"\n") + (not content.endswith(b"\n") and content != b"") for content in (before, after)]
    assert added - removed == lines[1] - lines[0]
    assert (added, removed) == (0, 0) if before == after else added + removed > 0


@pytest.mark.parametrize("content", [b"a\0b", b"\xff\xfe\n", "x".encode("utf-16")])
def test_binary_files_are_named_not_shown(tmp_path, content):
    patch = patch_between(snapshot_of(tmp_path, {"a.bin": content}), {"a.bin": b"text\n", "new.bin": content})
    assert "Binary files a/a.bin and b/a.bin differ\n" in patch.diff()
    assert "Binary files /dev/null and b/new.bin differ\n" in patch.diff()
    patch.diff().encode()


def test_a_patch_holds_only_what_changes_in_the_order_of_paths(tmp_path):
    snapshot = snapshot_of(tmp_path, {"a.py": b"a", "b.py": b"b"})
    patch = patch_between(snapshot, {"c.py": b"c", "b.py": b"b", "a.py": b"A", "nothing.py": None})
    assert patch.paths == ("a.py", "c.py")
    assert [edit.expects for edit in patch.edits] == [hashlib.sha256(b"a").hexdigest(), None]


def test_a_patch_sees_the_edits_that_are_laid_over_the_disk(tmp_path):
    buffer = snapshot_of(tmp_path, {"a.py": b"disk"}).with_edits({"a.py": b"buffer"})
    patch = patch_between(buffer, {"a.py": b"new"})
    assert patch.edits[0].before == b"buffer"
    assert patch.apply(buffer).read("a.py") == b"new"
    assert (tmp_path / "a.py").read_bytes() == b"disk"


@pytest.mark.parametrize("now", [b"other", None])
def test_a_text_that_moved_is_refused(tmp_path, now):
    patch = Patch((FileEdit(path="a.py", before=b"a", after=b"b"),))
    with pytest.raises(PatchError, match=r"a\.py is not what the patch expects") as caught:
        patch.apply(snapshot_of(tmp_path, {} if now is None else {"a.py": now}))
    assert caught.value.remedy


def test_a_new_file_must_not_exist_yet(tmp_path):
    patch = Patch((FileEdit(path="a.py", before=None, after=b"b"),))
    assert patch.apply(Snapshot(tmp_path)).read("a.py") == b"b"
    with pytest.raises(PatchError):
        patch.apply(snapshot_of(tmp_path, {"a.py": b"already"}))


@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", ".git/hooks/pre-commit", ".suture/x", "a//b", "./a", ".", ""])
def test_a_patch_stays_inside(tmp_path, path):
    with pytest.raises(PatchError):
        Patch((FileEdit(path=path, before=None, after=b"x"),)).apply(Snapshot(tmp_path))


def test_some_files_can_be_left_out(tmp_path):
    patch = patch_between(Snapshot(tmp_path), {"a.py": b"a", "b.py": b"b"})
    assert patch.without(frozenset({"a.py", "z"})).paths == ("b.py",)
    assert patch.without(frozenset({"a.py", "b.py"})) == Patch()
