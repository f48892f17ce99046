"""Remembering hashes, and writing files whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

import pytest

from suture_sandbox.capture.files import digest, hash_file, remembered, walk, write_atomically


@pytest.fixture
def settled_tree(tmp_path):
    """A tree whose files are old enough to be remembered."""
    tree = tmp_path / "tree"
    (tree / "deep" / "__pycache__").mkdir(parents=True)
    (tree / "a.py").write_text("a")
    (tree / "deep" / "b.py").write_text("b")
    (tree / "deep" / "__pycache__" / "b.pyc").write_text("no")
    time.sleep(2.1)
    return tree


def test_walk_leaves_bytecode_out_and_stamps_the_rest(settled_tree):
    found = walk(settled_tree)
    assert sorted(os.path.relpath(path, settled_tree) for path in found) == ["a.py", "deep/b.py"]
    status = (settled_tree / "a.py").stat()
    assert found[str(settled_tree / "a.py")] == (1, status.st_mtime_ns, status.st_ctime_ns)
    assert walk(settled_tree / "nowhere") == {}


def test_an_answer_is_remembered_until_a_stamp_or_the_salt_changes(settled_tree, cache):
    computed = []

    def ask(salt="") -> str:
        def compute(hashes) -> str:
            computed.append(dict(hashes))
            return digest(hashes.items())

        return remembered("tree", walk(settled_tree), cache, str, compute, salt=salt)

    first = ask()
    assert ask() == first
    assert len(computed) == 1
    assert ask("other") == first
    assert len(computed) == 2
    (settled_tree / "a.py").write_text("x")
    assert ask() != first
    assert len(computed) == 3


def test_a_file_that_was_just_written_is_not_trusted(settled_tree, cache):
    computed = []

    def ask() -> int:
        return remembered("tree", walk(settled_tree), cache, int, lambda hashes: computed.append(1) or len(hashes))

    (settled_tree / "new.py").write_text("n")
    assert (ask(), ask()) == (3, 3)
    assert len(computed) == 2


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\x94\x01\xa0\xc0\xc0", b"garbage" * 100])
def test_a_damaged_memory_costs_time_and_nothing_else(settled_tree, cache, damage):
    def ask() -> str:
        return remembered("tree", walk(settled_tree), cache, str, lambda hashes: digest(hashes.items()))

    first = ask()
    (memory,) = (cache / "trees").iterdir()
    memory.write_bytes(damage)
    assert ask() == first
    memory.write_bytes(memory.read_bytes()[:-7])
    assert ask() == first


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(settled_tree, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert remembered("tree", walk(settled_tree), blocked, int, len) == 2


def test_digest_depends_on_names_and_content_not_on_order():
    assert digest([("a", "1"), ("b", "2")]) == digest([("b", "2"), ("a", "1")])
    assert digest([("a", "1")]) != digest([("a", "2")]) != digest([("b", "2")])
    assert digest([("a", "1b")]) != digest([("a1", "b")])


def test_hash_of_what_cannot_be_read(tmp_path):
    assert hash_file(str(tmp_path / "nowhere")) == "missing"
    assert hash_file(str(tmp_path)) == "missing"


def test_write_replaces_whole_and_sets_the_mode(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    write_atomically(path, b"new", mode=0o640, durable=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_for_space_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    code = f"""
        import resource, signal
        from pathlib import Path
        from suture_sandbox.capture.files import write_atomically
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        try:
            write_atomically(Path({str(path)!r}), b"x" * 1000)
        except OSError as error:
            print("refused", error.errno)
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True).stdout
    assert said.startswith("refused")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_walk_follows_links_once_and_passes_over_what_is_no_file(settled_tree, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "c.py").write_text("c")
    (settled_tree / "linked").symlink_to(tmp_path / "outside")
    (settled_tree / "again").symlink_to(tmp_path / "outside")
    (settled_tree / "file.py").symlink_to(tmp_path / "outside" / "c.py")
    (settled_tree / "broken.py").symlink_to(tmp_path / "nowhere")
    (settled_tree / "self").symlink_to(settled_tree)
    os.mkfifo(settled_tree / "pipe")
    found = {os.path.relpath(path, settled_tree) for path in walk(settled_tree) if "self/" not in path}
    assert len(found & {"linked/c.py", "again/c.py"}) == 1
    assert found - {"linked/c.py", "again/c.py"} == {"a.py", "deep/b.py", "file.py"}
