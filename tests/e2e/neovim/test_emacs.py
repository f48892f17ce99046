"""An editor that knows nothing of us: Emacs with eglot, from the failure to the applied fix, by messages and code actions alone."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

INIT = """
(package-initialize)
(require 'eglot)
(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil eldoc-echo-area-use-multiline-p nil)
(add-to-list 'eglot-server-programs '(python-mode . ({server})))
(setq-default eglot-workspace-configuration '((suture . ((policy . ((spec . "{policy}"))) (editor . ((notice . :json-false)))))))
(add-hook 'python-mode-hook 'eglot-ensure)
"""


@pytest.fixture
def emacs(tmp_path: Path, server: tuple[str, ...], right: str) -> tuple[str, ...]:
    """The words that start Emacs with eglot for our server and nothing of the user's."""
    found = shutil.which("emacs")
    if (
        found is None
        or subprocess.run([found, "--batch", "-f", "package-initialize", "-l", "eglot"], capture_output=True, check=False).returncode
    ):
        pytest.skip("Emacs with eglot is not installed: on Debian, apt install emacs-nox elpa-eglot")
    init = tmp_path / "init.el"
    init.write_text(INIT.format(server=" ".join(f'"{word}"' for word in server), policy=right))
    return (found, "-nw", "-q", "-l", str(init))


def test_eglot_shows_the_failure_runs_the_action_and_applies_the_fix(terminal, emacs, cart: Path):
    it = terminal(cart, *emacs, "test_cart.py", lines=24)
    it.shows("(Python")
    it.shows("Flymake[2")
    it.keys("M-g", "g")
    it.type("5")
    it.keys("M-x")
    it.type("flymake-show-buffer-diagnostics")
    it.shows("test_total: assert 4 == 3")
    it.keep("emacs-1-failure")
    it.keys("M-x")
    it.type("eglot-code-actions")
    it.shows("Pick an action")
    it.keys("Enter")
    it.shows("Fix with agent: passes test_total and 2 others")
    it.keep("emacs-2-offer")
    it.shows("Choose an option: Apply")
    it.keys("Enter")
    it.shows("Proceed?")  # eglot asks before it edits for a server
    it.keys("y")
    until = time.monotonic() + 20
    while "return sum(prices)\n" not in (cart / "cart.py").read_text():
        assert time.monotonic() < until, it.screen()
        it.keys("C-u", "C-x", "s")
        time.sleep(1)
    it.shows("Flymake[0")
    it.keep("emacs-3-applied")
