"""What a person sees: Neovim in a terminal, from the failure to the accepted fix. The screens are kept to be looked at."""

from __future__ import annotations

import json
from pathlib import Path

INIT = """
vim.o.number, vim.o.signcolumn, vim.o.termguicolors, vim.o.swapfile = true, "yes", true, false
vim.o.laststatus, vim.o.showtabline = 3, 1
vim.o.statusline = " %f %m%=%{{v:lua.require'suture'.status()}} %l:%c "
vim.diagnostic.config({{ virtual_text = true }})
require("suture").setup({{ cmd = vim.json.decode([==[{server}]==]), settings = vim.json.decode([==[{settings}]==]) }})
"""


def test_a_person_sees_the_failure_the_work_the_offer_and_the_fix(terminal, nvim, server, cart: Path, script, tmp_path: Path):
    editors = Path(nvim[-1].partition("=")[2])
    settings = {
        "policy": {"spec": script({"text": "    return sum(prices)\n", "repeat": 0, "delay": 4})},
        "harness": {"edits_by_rule": "off"},
    }
    (tmp_path / "init.lua").write_text(INIT.format(server=json.dumps(server), settings=json.dumps(settings)))
    it = terminal(cart, *nvim, "-u", str(tmp_path / "init.lua"), "cart.py")
    it.type(":vsplit test_cart.py")
    it.shows("test_total: ")
    it.keep("1-failure")
    it.type(":5")
    it.type(":Suture fix")
    it.shows("repairing")
    it.keep("2-working")
    it.shows("suture: 1 offer")
    assert "Press ENTER" not in it.screen()
    it.keep("3-offer")
    it.type(":Suture preview")
    it.shows("+     return sum(prices)")
    it.keep("4-preview")
    it.type(":Suture diff")
    it.shows("A accept")
    it.keep("5-diff")
    it.keys("A")
    it.shows("applied to cart.py")
    it.keep("6-accepted")
    it.type(":wall")
    it.type(":Suture check")
    it.shows("tests passed")
    it.type(f":helptags {editors / 'doc'}")
    it.type(":help suture")
    it.shows("WHAT IT DOES")
    it.keep("7-help")
    it.type(":qall!")
