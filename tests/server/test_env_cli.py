"""`suture env` as a program: what it writes, shows and compares, and what it says of lock files that are none."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")
Program = Callable[..., Any]


@pytest.fixture(autouse=True)
def known_interpreter(environ: dict[str, str], cache: Path) -> None:
    environ["XDG_CACHE_HOME"] = str(cache)


@pytest.fixture
def cafe(tmp_path: Path) -> Path:
    root = tmp_path / "mon café"
    root.mkdir()
    (root / "suture.toml").write_text('[checks.good]\nkind = "lint"\ncommand = ["true"]\n')
    return root


def test_lock_show_verify_and_diff_agree(suture: Program, cafe: Path):
    shown = suture("env", "show", cafe, "--json")
    assert shown.code == 0
    assert len(shown.lines) == 1
    assert set(shown.summary) == {"event", "environment", "fields"}
    assert shown.summary["fields"]["checks"]["good"]["command"] == ["true"]
    locked = suture("env", "lock", cafe, "--json")
    assert locked.lines == [
        {"event": "summary", "environment": shown.summary["environment"], "path": "suture.lock", "wheels": 0, "missing": 0}
    ]
    text = (cafe / "suture.lock").read_text()
    assert tomllib.loads(text)["identity"] == shown.summary["environment"]
    assert str(cafe) not in text
    verified = suture("env", "verify", cafe, "--json")
    assert (verified.code, verified.summary["differences"]) == (0, 0)
    assert verified.summary["before"] == verified.summary["after"] == shown.summary["environment"]
    (cafe / "before.lock").write_text(text)
    (cafe / "suture.toml").write_text('[checks.good]\nkind = "lint"\ncommand = ["true", "really"]\n')
    drifted = suture("env", "verify", "--json", folder=cafe)
    assert drifted.code == 1
    assert [line["field"] for line in drifted.events("difference")] == ["checks.good.command"]
    assert suture("env", "lock", cafe).out.startswith("wrote suture.lock: environment ")
    compared = suture("env", "diff", "before.lock", "suture.lock", "--json", folder=cafe)
    assert compared.code == 1
    assert compared.lines == [
        {"event": "difference", "field": "checks.good.command", "before": '["true"]', "after": '["true","really"]'},
        {"event": "summary", "differences": 1, "before": locked.summary["environment"], "after": drifted.summary["after"]},
    ]
    people = suture("env", "diff", "before.lock", ".", folder=cafe)
    assert people.code == 1
    assert people.out == "the check good changed: command was true and is true really\n"
    same = suture("env", "diff", cafe, cafe / "suture.lock")
    assert (same.code, same.out[:30]) == (0, "the two environments are the s")


def test_environment_is_the_same_wherever_the_workspace_lies(suture: Program, cafe: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "suture.toml").write_bytes((cafe / "suture.toml").read_bytes())
    here, there = (suture("env", "show", root, "--json").summary for root in (cafe, tmp_path / "other"))
    assert here == there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "."), "suture env lock"),
        (("diff", ".", "."), "suture.lock does not exist"),
        (("diff", "gone.lock", "gone.lock"), "gone.lock cannot be read"),
        (("diff", "suture.toml", "suture.toml"), "suture.toml"),
        (("diff", "."), "Missing argument 'B'"),
        (("lock", "gone"), "gone does not exist"),
        (("lok",), "No such command 'lok'"),
    ],
)
def test_wrong_arguments_say_what_is_missing(suture: Program, cafe: Path, arguments: tuple[str, ...], said: str):
    run = suture("env", *arguments, folder=cafe)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


@pytest.mark.parametrize("text", [b"", b"version = 1\n", b"\xff", b"version = 999\n", b"= broken"])
def test_lock_file_that_is_none_is_named_with_what_mends_it(suture: Program, cafe: Path, text: bytes):
    (cafe / "suture.lock").write_bytes(text)
    (cafe / "other.lock").write_bytes(text)
    run = suture("env", "diff", "suture.lock", "other.lock", "--json", folder=cafe)
    assert (run.code, run.out) == (2, "")
    assert "suture.lock" in run.err
    other = suture("env", "diff", "other.lock", ".", folder=cafe)
    assert other.code == 2
    assert "other.lock" in other.err


def test_lock_is_written_whole_or_not_at_all(unprivileged: Program, cafe: Path):
    cafe.chmod(0o555)
    run = unprivileged("env", "lock", cafe)
    cafe.chmod(0o755)
    assert run.code == 2
    assert "make the workspace writable" in run.err
    assert [path.name for path in cafe.iterdir()] == ["suture.toml"]


@pytest.mark.parametrize("arguments", [("show",), ("show", "--json")])
def test_pipe_that_nobody_reads_is_an_interruption(unread: Program, cafe: Path, arguments: tuple[str, ...]):
    assert unread("env", *arguments, cafe, "--quiet") == (130, "")


def test_what_floats_is_shown_with_its_place_and_how_to_pin_it(suture: Program, cafe: Path):
    (cafe / "Dockerfile").write_text("FROM scratch\nFROM python:latest\n")
    shown = suture("env", "show", cafe, "--json")
    (floating,) = shown.events("floating")
    assert (floating["path"], floating["line"], floating["what"], floating["ecosystem"]) == ("Dockerfile", 2, "python:latest", "containers")
    assert "sha256" in floating["pin"]
    people = suture("env", "show", cafe).out
    assert "Dockerfile:2: python:latest: latest is another image" in people
    assert tomllib.loads(people)["identity"] == shown.summary["environment"], "what is said of it is a comment"
    assert suture("env", "lock", cafe).code == 0
    verified = suture("env", "verify", cafe, "--json")
    assert (verified.code, verified.summary["floating"], verified.summary["differences"]) == (0, 1, 0)
    assert "python:latest" in suture("env", "verify", cafe).out
    (pins,) = (line for line in suture("doctor", cafe, "--json").events("examined") if line["name"] == "pins")
    assert (pins["good"], pins["needed"], pins["says"]) == (False, False, "1 dependencies float")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="without util-linux nothing can be run without a network")
def test_locked_environment_is_built_again_without_network_and_what_differs_is_named(
    suture: Program, environ: dict[str, str], shop: Path, make_venv: Callable[..., Path]
):
    site, index = make_venv(shop / ".venv", shop.parent / "index")
    environ |= {"UV_FIND_LINKS": str(index), "UV_NO_INDEX": "1", "UV_CACHE_DIR": str(shop.parent / "uv")}
    locked = suture("env", "lock", shop, "--files", "--json")
    assert (locked.code, locked.summary["wheels"], locked.summary["missing"]) == (0, 1, 0)
    assert locked.summary["pins"] == "pylock.suture.toml"
    (shop.parent / "before.lock").write_bytes((shop / "suture.lock").read_bytes())
    shutil.rmtree(shop.parent / "uv")
    shutil.rmtree(index)
    alone = ("unshare", "-rn", *PROGRAM)
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine makes no network namespace")
    done = subprocess.run([*alone, "env", "verify", shop, "--rebuild"], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:30]) == (0, "built again without network: 1"), done.stderr
    (site / "alpha.py").write_text("X = 2\n")
    verified = suture("env", "verify", shop, "--json")
    (drifted,) = verified.events("difference")
    assert (verified.code, drifted["field"]) == (1, "dependencies.alpha.content")
    assert drifted["files"] == {"changed": ["alpha.py"], "removed": [], "added": []}
    assert suture("env", "lock", shop, "--no-wheels").code == 0
    environ["XDG_CACHE_HOME"] = str(shop.parent / "another machine")
    suture("env", "lock", shop, "--no-wheels")
    assert "(changed: alpha.py)" in suture("env", "diff", shop.parent / "before.lock", shop).out
    assert suture("env", "lock", shop, "--refill", "--json").events("missing")[0]["name"] == "alpha"


@pytest.fixture
def make_venv() -> Callable[..., Path]:
    """A virtual environment that holds one package, and the folder with its wheel; hands back its site-packages."""

    def make(folder: Path, index: Path) -> tuple[Path, Path]:
        index.mkdir()
        files = {
            "alpha.py": "X = 1\n",
            "alpha-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n",
            "alpha-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},,\n" for name in (*files, "alpha-1.0.dist-info/RECORD"))
        with zipfile.ZipFile(index / "alpha-1.0-py3-none-any.whl", "w") as archive:
            for name, text in {**files, "alpha-1.0.dist-info/RECORD": record}.items():
                archive.writestr(name, text)
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "-q", "--no-project", "--python", sys.executable, folder], check=True)
        install = [
            uv,
            "pip",
            "install",
            "-q",
            "--link-mode",
            "copy",
            "--no-index",
            "--find-links",
            index,
            "--python",
            folder / "bin/python",
        ]
        subprocess.run([*install, "alpha"], check=True)
        (site,) = folder.glob("lib/python*/site-packages")
        return site, index

    return make
