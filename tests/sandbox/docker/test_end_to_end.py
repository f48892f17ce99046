"""The command line with the Docker backend: adopt an image, see the check fail in it, have it repaired and proven, and compare."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from suture_sandbox.docker import owner
from suture_sandbox.docker.daemon import Daemon

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")
NOBODY = 54321
OLD, NEW = "total += article.price", "total += article.price * quantity"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example, owned by an ordinary user: there are no warm attempts on root's workspaces."""
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", ".suture", "suture.lock")
    root = shutil.copytree(EXAMPLES / "shop", tmp_path / "shop", ignore=ignored)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return root


@pytest.fixture
def suture(tmp_path: Path) -> Callable[..., tuple[int, list[dict]]]:
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUTURE_", "XDG_"))}

    def run(*arguments: str | Path) -> tuple[int, list[dict]]:
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments), "--json"],
            env={**kept, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stdout, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def policy(tmp_path: Path) -> str:
    """Makes a useless edit first, which has to be refused, then the right one."""
    calls = [
        [("edit_file", {"path": "shop/cart.py", "search": OLD, "replace": f"{OLD} + 0"}), ("submit", {})],
        [("edit_file", {"path": "shop/cart.py", "search": f"{OLD} + 0", "replace": NEW}), ("submit", {})],
    ]
    turns = [{"calls": [{"name": name, "arguments": arguments}]} for turn in calls for name, arguments in turn]
    path = tmp_path / "script.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in ({"name": "script", "tools": True}, *turns)))
    return f"scripted:{path}"


def _of_the_dead() -> list[str]:
    """Containers that a suture has left which is gone; others may be running beside this test."""
    daemon = Daemon()
    try:
        return [container for container, mine in daemon.labelled(owner.LABEL).items() if owner.is_dead(mine)]
    finally:
        daemon.close()


def test_an_example_is_repaired_in_containers(shop, suture, policy, docker_image):
    code, lines = suture("env", "lock", shop, "--backend", "docker", "--image", docker_image)
    assert code == 0, lines
    identity = lines[-1]["environment"]
    assert docker_image in (shop / "suture.lock").read_text()

    code, lines = suture("check", shop, "--backend", "docker")
    assert (code, lines[-1]["failed"], lines[-1]["environment"]) == (1, 1, identity), lines
    assert [line["severity"] for line in lines if line["event"] == "finding"] == ["error"]

    code, lines = suture("fix", shop, "--backend", "docker", "--policy", policy, "--apply")
    assert (code, lines[-1]["fixed"], lines[-1]["environment"]) == (0, 1, identity), lines
    verdicts = [line for line in lines if line["event"] == "verdict"]
    assert verdicts[-1]["passed"]
    assert (verdicts[-1]["reruns"], verdicts[-1]["fixed"]) == (3, ["tests::tests/test_cart.py::test_subtotal_counts_every_piece"])
    assert NEW in (shop / "shop" / "cart.py").read_text()

    code, lines = suture("check", shop, "--backend", "docker")
    assert (code, lines[-1]["failed"]) == (0, 0), lines
    code, lines = suture("env", "verify", shop, "--backend", "docker")
    assert (code, lines[-1]["differences"]) == (0, 0), lines
    assert _of_the_dead() == []


def test_an_image_that_nobody_adopted_is_not_run(shop, suture, docker_image, tmp_path):
    assert suture("env", "lock", shop, "--backend", "docker", "--image", docker_image)[0] == 0
    shutil.rmtree(tmp_path / "home")  # another machine, as far as suture knows
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [*PROGRAM, "check", str(shop), "--backend", "docker"],
        env={**os.environ, "HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "not adopted on this machine" in done.stderr


def test_options_that_do_not_go_together(shop):
    for options, says in (
        (("--base", "a", "--image", "b"), "give one of them"),
        (("--base", "a", "--backend", "local"), "for --backend docker"),
    ):
        done = subprocess.run([*PROGRAM, "env", "lock", str(shop), *options], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert says in done.stderr
