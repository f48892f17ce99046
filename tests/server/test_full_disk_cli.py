"""`suture fix` where a disk is full: it says which one and what to do, loses nothing and leaves nothing half done.

The disk is a small memory file system in a mount namespace of the program's own, which is gone with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

RIGHT = {"text": "    return sum(prices)\n", "repeat": 0}
ALONE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
FULL = """
place=$1 free=$2 out=$3; shift 3
mkdir "$out" && cp -a "$place/." "$out" && mount -t tmpfs -o size=4m tmpfs "$place" && cp -a "$out/." "$place" && rm -r "$out" || exit 77
head -c 8m /dev/zero > "$place/.fill" 2>/dev/null
truncate -s "-$free" "$place/.fill"
"$@"
code=$?
rm "$place/.fill"
cp -a "$place" "$out"
exit $code
"""

Program = Callable[..., Any]
Script = Callable[..., str]
OnFullDisk = Callable[..., tuple[subprocess.CompletedProcess[str], Path]]


@pytest.fixture
def on_full_disk(environ: Mapping[str, str], tmp_path: Path) -> OnFullDisk:
    """Runs suture while a folder lies on a disk with so many bytes free; gives what it said and a copy of the folder afterwards."""

    def run(folder: Path, free: int, *arguments: str | Path) -> tuple[subprocess.CompletedProcess[str], Path]:
        folder.mkdir(parents=True, exist_ok=True)
        out = tmp_path / "afterwards"
        program = (sys.executable, "-c", "from suture_server.cli import main; main()", *map(str, arguments))
        command = (*ALONE, "sh", "-c", FULL, "sh", str(folder), str(free), str(out), *program)
        done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=120, check=False)
        if done.returncode == 77 or "unshare: " in done.stderr:
            pytest.skip("no file systems can be mounted here")
        assert "Traceback (most recent call last)" not in done.stderr, done.stderr
        return done, out

    return run


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("free", [0, 4096, 8192, 12288])
def test_the_workspaces_disk(on_full_disk: OnFullDisk, suture: Program, shop: Path, script: Script, free: int):
    before = contents(shop)
    done, after = on_full_disk(shop, free, "fix", shop, "--apply", "--policy", script(RIGHT))
    assert done.returncode == 3, done.stderr
    assert f"proven, but not written: the disk that holds {shop} is full; make room, then: suture fix --resume" in done.stderr
    left = contents(after)
    assert {path: content for path, content in left.items() if not path.startswith(".suture/")} == before
    assert left.get(".suture/.gitignore", b"*\n") == b"*\n"
    assert all(path == ".suture/.gitignore" or path.startswith(".suture/patches/01-") for path in left.keys() - before.keys())
    again = suture("fix", after, "--resume", "--apply", "--json", "--policy", script({"error": "infrastructure", "repeat": 0}))
    assert again.code == 0, again.out
    assert again.events("repair")[0]["steps"] == 0
    assert "sum(prices)" in (after / "cart.py").read_text()


@pytest.mark.parametrize("free", [0, 60_000, 200_000])
def test_the_journals_disk(on_full_disk: OnFullDisk, suture: Program, shop: Path, script: Script, environ: Mapping[str, str], free: int):
    before = contents(shop)
    data = Path(environ["HOME"]) / ".local" / "share" / "suture"
    done, after = on_full_disk(data, free, "fix", shop, "--apply", "--policy", script(RIGHT))
    assert done.returncode == 3, done.stderr
    assert f"error: {data / 'journal.sqlite3'}: database or disk is full" in done.stderr
    assert "try: free space on the disk" in done.stderr
    assert contents(shop) == before
    shutil.copytree(after, data, dirs_exist_ok=True)
    assert suture("fix", shop, "--policy", script(RIGHT)).code == 0
    assert suture("journal", "list", "--json").summary["episodes"] == 1


def test_the_caches_disk_costs_time_only(on_full_disk: OnFullDisk, shop: Path, script: Script, environ: Mapping[str, str]):
    cache = Path(environ["HOME"]) / ".cache" / "suture"
    done, after = on_full_disk(cache, 0, "fix", shop, "--apply", "--policy", script(RIGHT))
    assert done.returncode == 0, done.stderr
    assert "sum(prices)" in (shop / "cart.py").read_text()
    assert not any(contents(after).values())


PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n[build-system]\nrequires = []\n'
LOCK = 'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "shop"\nversion = "1"\nsource = { editable = "." }\n'


@pytest.mark.parametrize("free", [0, 8192])
def test_the_caches_disk_where_an_environment_is_to_be_built(
    on_full_disk: OnFullDisk, shop: Path, script: Script, environ: Mapping[str, str], free: int
):
    (shop / "pyproject.toml").write_text(PROJECT)
    (shop / "uv.lock").write_text(LOCK)
    cache = Path(environ["HOME"]) / ".cache" / "suture"
    done, after = on_full_disk(cache, free, "fix", shop, "--policy", script(RIGHT))
    assert done.returncode == 3, done.stderr
    assert str(cache) in done.stderr
    assert "try: make suture's cache folder writable, with free space" in done.stderr
    assert not [path for path in contents(after) if path.startswith("environments/") and not path.endswith(".lock")]
