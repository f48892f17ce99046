"""Parts that need no daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from io import BytesIO

import pytest

from suture_sandbox.docker import owner, profile
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.folder import archive
from suture_sandbox.docker.inside.request import Request, parse
from suture_sandbox.errors import BackendUnavailable, ConfigurationError


def test_the_agent_is_the_same_bytes_every_time_and_nothing_but_the_standard_library():
    assert archive() == archive()
    with zipfile.ZipFile(BytesIO(archive())) as file:
        text = "\n".join(file.read(name).decode() for name in file.namelist())
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= set(sys.stdlib_module_names) | {"suture_sandbox"}
    modules = {line.split()[1] for line in text.splitlines() if line.startswith("from suture_sandbox")}
    assert {module for module in modules if not module.startswith("suture_sandbox.docker.inside")} == {"suture_sandbox.local.warm"}


def test_the_agent_starts_from_its_archive(tmp_path):
    """It has to find its socket missing, not itself."""
    (tmp_path / "agent.zip").write_bytes(archive())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "agent.zip"), str(tmp_path / "none"), "1", "fast"], capture_output=True, check=False
    )
    assert b"FileNotFoundError" in done.stderr


def test_whose_a_container_is():
    boot, namespace, pid, started = owner.mine().split("/")
    assert int(pid) == os.getpid()
    assert not owner.is_dead(owner.mine())
    assert owner.is_dead(f"{boot}/{namespace}/{pid}/{int(started) - 1}")  # the same number, another process
    assert owner.is_dead(f"{boot}/{namespace}/999999999/{started}")
    assert owner.is_dead(f"another-boot/{namespace}/{pid}/{started}")
    assert not owner.is_dead(f"{boot}/another/999999999/{started}")  # of whom nothing can be known
    for damaged in ("", "x", "a/b/c/d", "a/b/1"):
        assert not owner.is_dead(damaged)


def test_the_filter_of_fast_mode_lets_through_what_the_agent_needs_and_no_more():
    rules = json.loads(profile.fast())["syscalls"]
    denied = {name for rule in rules for name in rule["names"]}
    assert {"ptrace", "keyctl", "bpf", "unshare", "setns", "pivot_root", "umount2", "io_uring_setup", "clone3", "kexec_load"} <= denied
    assert not {"mount", "clone", "execve", "prctl", "seccomp"} & denied


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2375", "ssh://me@host", "npipe:////./pipe/docker_engine", "http://x"])
def test_a_daemon_elsewhere_is_refused(address, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(ConfigurationError, match="not a socket of this machine"):
        Daemon().facts()
    assert Daemon("/run/x.sock").address == "unix:///run/x.sock"


def test_no_daemon_and_no_sdk_are_told(tmp_path, monkeypatch):
    with pytest.raises(BackendUnavailable, match="no Docker daemon answers") as caught:
        Daemon(f"unix://{tmp_path}/none").facts()
    assert "systemctl start docker" in caught.value.remedy
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(BackendUnavailable, match="not installed") as caught:
        Daemon(f"unix://{tmp_path}/none").facts()
    assert "suture[docker]" in caught.value.remedy


def test_the_sdk_is_not_loaded_before_it_is_used():
    code = "import sys, suture_server.cli; from suture_sandbox.backends import default_backend; default_backend('docker')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print([name for name in sys.modules if name.split('.')[0] in ('docker', 'requests', 'urllib3')])"],
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"[]\n"


def test_a_request_comes_through_as_it_was():
    values = {"bool": True, "str": "é\n", "int": 3, "list[str]": ["a", "b"], "list[int]": [1, 2], "dict[str, str]": {"a": "b"}}
    given = {name: values.get(kind.__forward_arg__, [["path", 1]]) for name, kind in Request.__annotations__.items()}
    assert parse(json.dumps(given).encode())._asdict() == given
