"""Code that was compiled at an earlier start: used where it is whole and ours, made anew where it is not, never wrong."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest

from suture_server.lsp.generated import kept_code

START = """
import builtins, logging, sys
logging.basicConfig(level=logging.INFO)
compiled = []
was = builtins.compile
def counting(*given, **named):
    compiled.append(given)
    return was(*given, **named)
builtins.compile = counting
import attr._make  # which makes some classes for itself
compiled.clear()
from suture_server.lsp.generated import import_protocol
import_protocol()
from lsprotocol import types
assert "compile" not in vars(attr._make)
assert types.Position(line=1, character=2) == types.Position(line=1, character=2)
assert types.Position(line=1, character=2) < types.Position(line=1, character=3)
assert repr(types.Position(line=1, character=2)) == "1:2"
print(sum("attrs generated" in given[1] for given in compiled))
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def started(cache: Path) -> tuple[int, str]:
    """How many generated methods a new process compiled, and what it logged."""
    done = subprocess.run(
        [sys.executable, "-c", START], env={**os.environ, "XDG_CACHE_HOME": str(cache)}, capture_output=True, text=True, check=True
    )
    return int(done.stdout), done.stderr


def kept_file(cache: Path) -> Path:
    (found,) = (cache / "suture" / "protocol").iterdir()
    return found


def test_the_second_start_compiles_nothing(cache):
    first, _ = started(cache)
    assert first > 500
    assert started(cache)[0] == 0
    assert kept_file(cache).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, b"cut"], ids=["empty", "zeros", "cut"])
def test_a_damaged_file_is_made_anew(cache, damage):
    started(cache)
    whole = kept_file(cache).read_bytes()
    kept_file(cache).write_bytes(whole[: len(whole) // 2] if damage == b"cut" else damage)
    assert started(cache)[0] > 500
    assert started(cache)[0] == 0


def test_a_file_that_others_could_have_written_is_not_used(cache):
    started(cache)
    kept_file(cache).chmod(0o666)
    count, log = started(cache)
    assert count > 500
    assert "could have been written by another user" in log


def test_no_room_for_the_file_is_no_reason_not_to_start(cache):
    cache.write_text("a file where the folder would be")
    count, log = started(cache)
    assert count > 500
    assert "cannot be written" in log
    assert cache.read_text() == "a file where the folder would be"


def test_code_is_known_by_its_text(tmp_path):
    path = tmp_path / "codes"
    names: dict[str, object] = {}

    def made(script: str, filename: str = "here") -> CodeType:
        with kept_code(path, names):
            return names["compile"](script, filename, "exec")  # type: ignore[operator,no-any-return]

    assert made("a = 1").co_consts[0] == 1
    before = path.stat().st_mtime_ns
    assert made("a = 1").co_consts[0] == 1
    assert path.stat().st_mtime_ns == before, "nothing was new"
    assert made("a = 2").co_consts[0] == 2
    assert made("a = 1", "there").co_filename == "there"
    assert "compile" not in names


def test_what_fails_to_compile_fails_as_ever_and_leaves_the_builtin(tmp_path):
    names: dict[str, object] = {}
    with pytest.raises(SyntaxError), kept_code(tmp_path / "codes", names):
        names["compile"]("a =", "here", "exec")  # type: ignore[operator]
    assert "compile" not in names
    assert not (tmp_path / "codes").exists()
    assert builtins.compile("1", "here", "eval")


def test_without_a_cache_folder_everything_is_compiled():
    names: dict[str, object] = {}
    with kept_code(None, names):
        assert names["compile"]("1", "here", "eval")  # type: ignore[operator]


def test_the_server_starts_with_it(cache):
    command = [sys.executable, "-c", "from suture_server.lsp.entry import stdio; stdio()"]
    subprocess.run(command, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, input=b"", capture_output=True, check=False, timeout=60)
    assert kept_file(cache).stat().st_size > 100_000
