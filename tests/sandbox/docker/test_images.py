"""Adopting an image, and what is locked of it. The command line is run as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.docker.images import adopt, chosen, recall
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.lockfile import parse

TEST = "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_what_an_image_holds_is_read_once(docker_image, cache):
    daemon = Daemon()
    image = adopt(daemon, docker_image, cache)
    assert image.id == docker_image
    assert image.runtime.python == "/opt/environment/bin/python"
    assert image.runtime.search_path[0] == "/opt/environment/bin"
    assert image.dependencies["pytest"].version == image.installed["pytest"]
    assert len(image.dependencies["pytest"].content) == 64
    assert image.system_packages["libc6"]
    assert (image.os["id"], image.os["version"]) == ("debian", "12")
    assert all(layer.startswith("sha256:") for layer in image.layers)
    assert recall(docker_image, cache) == image
    daemon.close()


def test_the_content_of_a_package_is_the_same_as_on_a_machine(docker_image, cache, tmp_path):
    """The files of a distribution, hashed in the image and hashed from a copy at another path."""
    from suture_sandbox.capture.distributions import contents

    daemon = Daemon()
    image = adopt(daemon, docker_image, cache)
    script = "tar -C /opt/environment/lib/python3.11/site-packages -c ."
    told = subprocess.run(["docker", "run", "--rm", "--network", "none", docker_image, "sh", "-c", script], capture_output=True, check=True)
    (tmp_path / "site").mkdir()
    subprocess.run(["tar", "-C", str(tmp_path / "site"), "-x"], input=told.stdout, check=True)
    found = contents((tmp_path / "site",), None, root=tmp_path / "root", cache=tmp_path / "cache")
    assert dict(image.dependencies) == found.dependencies
    daemon.close()


def test_only_an_adopted_image_is_taken(docker_image, cache, tmp_path):
    daemon = Daemon()
    with pytest.raises(ConfigurationError, match="not adopted") as caught:
        chosen(daemon, wanted="", locked=docker_image, cache=tmp_path)
    assert "env lock" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no image"):
        chosen(daemon, wanted="", locked="", cache=tmp_path)
    with pytest.raises(ConfigurationError, match="digest"):
        chosen(daemon, wanted="", locked="../../etc/passwd", cache=tmp_path)
    with pytest.raises(ConfigurationError, match="no image nobody/has:this"):
        adopt(daemon, "nobody/has:this", tmp_path)
    adopt(daemon, docker_image, cache)
    assert chosen(daemon, wanted="", locked=docker_image, cache=cache).id == docker_image
    daemon.close()


@pytest.mark.slow
def test_locked_verified_checked(docker_image, tmp_path):
    root, home = tmp_path / "shop", tmp_path / "home"
    root.mkdir()
    (root / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (root / "test_calc.py").write_text(TEST)
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    root.chmod(0o755)

    def suture(*arguments: str, code: int) -> list[dict]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "DOCKER_HOST") if name in os.environ}
        done = subprocess.run(
            [str(Path(sys.executable).parent / "suture"), *arguments, "--json", str(root)],
            capture_output=True,
            check=False,
            env={**kept, "HOME": str(home)},
        )
        assert done.returncode == code, (done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    suture("check", "--backend", "docker", code=2)  # nothing was chosen to run in
    suture("env", "lock", "--image", docker_image, code=0)
    fields = parse((root / "suture.lock").read_text())
    assert (fields.image, fields.isolation["backend"], fields.isolation["mode"]) == (docker_image, "docker", "fast")
    assert fields.system_packages["python3"]
    suture("env", "verify", "--backend", "docker", code=0)
    drift = {line["field"] for line in suture("env", "verify", code=1) if line["event"] == "difference"}
    assert {"image", "isolation.backend"} <= drift
    told = suture("check", "--backend", "docker", code=1)
    assert [(line["name"], line["status"]) for line in told if line["event"] == "check" and line["name"] == "tests"] == [
        ("tests", "failed")
    ]
    (root / "calc.py").write_text("def add(a, b):\n    return a + b\n")
    assert suture("check", "--backend", "docker", code=0)[-1]["infrastructure"] == 0
    (root / "suture.toml").write_text('[sandbox]\nbackend = "docker"\n')
    suture("check", code=2)  # a workspace does not choose what isolates
