"""What is taken of a workspace: what a person would commit, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.errors import ConfigurationError
from suture_training.tasks import archive
from suture_training.tasks.archive import File
from suture_training.tasks.healthy import read_healthy


def environment(**isolation: str) -> Environment:
    return Environment(EnvironmentFields(isolation=isolation), Runtime(python="/usr/bin/python3", search_path=(), readonly=()))


@pytest.fixture
def root(tmp_path) -> Path:
    texts = {
        "shop/cart.py": "x = 1\n", "shop/_version.py": "v = 1\n", "tools/run": "#!/bin/sh\n", "data.bin": "x", "a.log": "long\n",
        ".gitignore": "_version.py\nbuild/\n*.log\n", ".env": "KEY=1\n", "certs/server.pem": "secret\n", "internal/plan.txt": "secret\n",
        ".git/config": "[core]\n", "sub/.git": "gitdir: x\n", ".suture/patches/a.diff": "x", "build/z.py": "z = 1\n",
        ".venv/pyvenv.cfg": "home = /usr\n", ".venv/lib/x.py": "", "other/pyvenv.cfg": "home = /usr\n", "other/y.py": "",
        "node_modules/a.js": "", "shop/__pycache__/cart.pyc": "",
    }  # fmt: skip
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "tools/run").chmod(0o755)
    (tmp_path / "data.bin").write_bytes(b"\xff\x00")
    (tmp_path / "link.py").symlink_to("shop/cart.py")
    (tmp_path / "folder").symlink_to("shop")
    return tmp_path


def test_a_workspace_is_taken_as_it_would_be_committed(root):
    found = read_healthy(root, environment(excluded="internal"))
    assert found.files == {
        "shop/cart.py": File(b"x = 1\n"),
        "tools/run": File(b"#!/bin/sh\n", executable=True),
        ".gitignore": File(b"_version.py\nbuild/\n*.log\n"),
        ".env": File(b""),
        "certs/server.pem": File(b""),
        "internal/plan.txt": File(b""),
        "data.bin": File(b"\xff\x00"),
    }
    assert found.left_out == ("folder", "link.py")
    assert found.ignored == ("build/z.py", "shop/_version.py")


def test_ignored_files_are_taken_where_they_are_named(root):
    assert read_healthy(root, environment(), ("shop/_version.py",)).files["shop/_version.py"] == File(b"v = 1\n")
    assert "a.log" in read_healthy(root, environment(), ("*.log",)).files


def test_what_checks_see_although_it_looks_secret_is_taken_whole(root):
    assert read_healthy(root, environment(unmasked="certs/*.pem")).files["certs/server.pem"] == File(b"secret\n")


def test_a_workspace_that_is_too_large_says_what_to_do(root, monkeypatch):
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    with pytest.raises(ConfigurationError, match="the workspace has 7 files") as error:
        read_healthy(root, environment())
    assert "git ignore" in error.value.remedy
