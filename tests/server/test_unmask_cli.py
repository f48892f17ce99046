"""Files whose names look secret: empty to checks unless the workspace names them and its user does not forbid it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]

TEST = """
from pathlib import Path


def test_certificate():
    assert Path("tests/certs/server.pem").read_text() == "BEGIN"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A workspace whose test reads a certificate."""
    root = tmp_path / "site"
    (root / "tests" / "certs").mkdir(parents=True)
    (root / "tests" / "certs" / "server.pem").write_text("BEGIN")
    (root / "tests" / "certs" / "server.key").write_text("BEGIN")
    (root / "tests" / "certs" / "empty.key").write_text("")
    (root / "tests" / "test_site.py").write_text(TEST)
    (root / ".env").write_text("TOKEN=x")
    return root


def test_a_failing_check_says_once_what_its_tests_do_not_see(suture: Program, site: Path):
    run = suture("check", site)
    assert run.code == 1
    assert run.err.count("appear empty inside") == 1
    assert "note: tests/certs/server.key and 1 more appear empty inside" in run.err
    assert "sandbox.unmask" in run.err
    assert "tests/certs/*.pem" in suture("doctor", "--help").out


def test_named_files_are_seen_and_the_environment_is_another(suture: Program, site: Path):
    before = suture("env", "show", site, "--json").summary["environment"]
    (site / "suture.toml").write_text('[sandbox]\nunmask = ["tests/certs/*.pem"]\n')
    run = suture("check", site, "--json")
    assert run.code == 0, run.out
    assert run.summary["environment"] != before
    settings = {line["key"]: line["value"] for line in suture("doctor", site, "--json").events("setting")}
    assert settings["sandbox.unmask"] == ["tests/certs/*.pem"]
    assert 'unmasked = "tests/certs/*.pem"' in suture("env", "show", site).out


def test_a_check_that_passes_has_no_note(suture: Program, site: Path):
    (site / "tests" / "test_site.py").write_text("def test_nothing():\n    pass\n")
    run = suture("check", site)
    assert run.code == 0
    assert "appear" not in run.err


def test_the_user_may_forbid_it(suture: Program, site: Path, environ: Mapping[str, str]):
    (site / "suture.toml").write_text('[sandbox]\nunmask = ["tests/certs/*.pem"]\n')
    own = Path(environ["HOME"]) / ".config" / "suture" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[sandbox]\nunmask = []\n")
    run = suture("check", site)
    assert run.code == 2
    assert "suture.toml:2: sandbox.unmask" in run.err
    assert "~/.config/suture/config.toml:2 says" in run.err


@pytest.mark.parametrize("glob", [".env", "**", "../*.pem"])
def test_what_is_too_wide_is_refused_with_its_place(suture: Program, site: Path, glob: str):
    (site / "suture.toml").write_text(f'[sandbox]\nunmask = ["{glob}"]\n')
    run = suture("check", site)
    assert run.code == 2
    assert f"suture.toml:2: sandbox.unmask = '{glob}': it " in run.err
    assert "try: name files below a folder" in run.err
