"""An editor that cannot even ask: Helix, whose menu has the fix once it is proven."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

LANGUAGES = """
[language-server.suture]
command = {program}
args = {arguments}
config = {{ suture = {{ policy = {{ spec = {policy} }}, editor = {{ notice = false }} }} }}

[[language]]
name = "python"
language-servers = ["suture"]
"""


@pytest.fixture
def helix(home: Mapping[str, str], server: tuple[str, ...], right: str) -> tuple[str, ...]:
    """The words that start Helix with our server and nothing of the user's."""
    program = os.environ.get("SUTURE_E2E_HELIX")
    if not program:
        pytest.skip("Helix is not here: make e2e-neovim fetches it where it can")
    languages = Path(home["XDG_CONFIG_HOME"], "helix", "languages.toml")
    languages.parent.mkdir()
    languages.write_text(LANGUAGES.format(program=json.dumps(server[0]), arguments=json.dumps(list(server[1:])), policy=json.dumps(right)))
    return (program,)


def test_helix_shows_the_failure_runs_the_action_and_applies_the_fix(terminal, helix, cart: Path):
    it = terminal(cart, *helix, "test_cart.py")
    it.shows("● 2")
    it.keys("5", "G", "g", "s")
    it.shows("assert 4 == 3")
    it.keep("helix-1-failure")
    it.keys("Space", "a")
    it.shows("Fix with agent (tests)")
    it.keys("Enter")
    it.shows("Fix with agent: passes test_total and 2 others, build clean (cart.py)")
    it.keep("helix-2-offer")
    it.keys("Space", "a")
    it.shows("Fix with agent: passes test_total and 2 others, build clean\n")
    it.keep("helix-3-menu")
    it.keys("Enter")
    until = time.monotonic() + 20
    while "return sum(prices)\n" not in (cart / "cart.py").read_text():
        assert time.monotonic() < until, it.screen()
        it.type(":wa")
        time.sleep(1)
    it.shows("NOR   test_cart.py")
    until = time.monotonic() + 20
    while "● " in it.screen():
        assert time.monotonic() < until, it.screen()
        time.sleep(0.1)
    it.keep("helix-4-applied")
    it.type(":qa!")
