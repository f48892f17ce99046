"""`suture check` on workspaces in which a name that suture reads is no file: it ends, and says what, where and what next."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]

READ = ("suture.toml", "pyproject.toml", "suture.lock", "uv.lock", "requirements.txt", ".python-version", "pytest.ini", "setup.cfg")


def giant(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def test_a_pipe_under_each_name(suture: Program, shop: Path):
    for name in READ:
        os.mkfifo(shop / name)
        lock = shop / "requirements-tests.txt"
        if name == ".python-version":  # read only where a lock file decides
            lock.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
        run = suture("check", shop)
        assert run.code == 2, name
        assert f"{name} is not a plain file" in run.err
        assert "try: replace it by a file, or remove it" in run.err
        (shop / name).unlink()
        lock.unlink(missing_ok=True)


@pytest.mark.parametrize(("make", "said"), [(giant, "is larger than"), (device, "")])
def test_other_kinds(suture: Program, shop: Path, make: Callable[[Path], None], said: str):
    for name in ("pyproject.toml", "suture.lock", "uv.lock", "tox.ini"):
        make(shop / name)
        run = suture("check", shop)
        assert run.code == 2, name
        assert f"{name} {said or 'is'}" in run.err
        assert "try: " in run.err
        (shop / name).unlink()


def test_pipes_among_the_code_hold_nothing_up(suture: Program, shop: Path):
    os.mkfifo(shop / "aaa.py")
    os.mkfifo(shop / "test_pipe.py")
    os.mkfifo(shop / ".env")
    (shop / ".git").mkdir()
    os.mkfifo(shop / ".git" / "config")
    run = suture("check", shop, "--json")
    assert {line["name"]: line["status"] for line in run.events("check")} == {"build": "passed", "tests": "failed"}
