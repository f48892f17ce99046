"""Several problems, several files, what is missing or down, and the parts of the plugin that need no fix."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

TWO = """from cart import count, total


def test_total():
    assert total([1, 2]) == 3


def test_count():
    assert count([1]) == 1
"""


def test_a_fix_of_two_files_is_one_offer_with_a_tab_for_each(vim, moved: Path, right: str):
    it = vim(moved, policy=right, save=True)
    it.edit("shop/bill.py")
    it.wait(lambda: it.diagnostics("shop/bill.py"))
    it.command("Suture fix_all workspace")
    offer = it.wait(it.offers)[0]
    assert [file["path"] for file in offer["files"]] == ["shop/bill.py", "shop/tax.py"]
    it.command("Suture diff")
    it.wait(lambda: it.lua("return #vim.api.nvim_list_tabpages()") == 3)
    assert it.lua("return vim.wo[vim.api.nvim_tabpage_list_wins(0)[1]].winbar") == "1 of 2  shop/bill.py  before"
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["accepted"])
    it.wait(
        lambda: "from shop.totals import total" in it.disk("shop/bill.py") and "from shop.totals import total" in it.disk("shop/tax.py")
    )
    assert it.lua("return #vim.api.nvim_list_tabpages()") == 1
    it.wait(lambda: not it.diagnostics("shop/bill.py"))


def test_one_file_of_a_fix_is_accepted_with_edits(vim, moved: Path, right: str):
    it = vim(moved, policy=right)
    it.edit("shop/bill.py")
    it.wait(lambda: it.diagnostics("shop/bill.py"))
    it.command("Suture fix_all workspace")
    it.wait(it.offers)
    assert it.lua("return vim.fn.getcompletion('Suture accept ', 'cmdline')")[1:] == ["shop/bill.py", "shop/tax.py"]
    it.command("Suture accept shop/tax.py")
    it.wait(lambda: it.decisions() == ["accepted_with_edits"])
    assert "from shop.totals import total" in it.text("shop/tax.py")
    assert "from shop.prices import total" in it.disk("shop/bill.py")


def test_an_edit_of_two_files_is_applied_to_both_or_to_none(vim, moved: Path, right: str):
    it = vim(moved, policy=right)
    for name in ("shop/tax.py", "shop/bill.py"):
        it.edit(name)
    it.wait(lambda: it.diagnostics("shop/bill.py"))
    it.command("Suture fix_all workspace")
    it.wait(it.offers)
    # Neovim tells the server of a change after 150 ms: until then the server takes the offer for one that fits.
    it.lua("""
        local buffer = vim.fn.bufadd("shop/tax.py")
        vim.schedule(function() vim.api.nvim_buf_set_lines(buffer, 0, 0, false, { "# mine" }) end)
        vim.cmd("Suture accept")
    """)
    it.hears("not applied: shop/tax.py has changed meanwhile")
    assert "from shop.prices import total" in it.text("shop/bill.py")
    assert it.text("shop/tax.py").startswith("# mine\nfrom shop.prices import RATE\nfrom shop.prices import total")
    assert it.decisions() == []


MINE = """
    local choose = vim.ui.select
    vim.ui.select = function(...)
      vim.api.nvim_buf_set_lines(vim.fn.bufadd("shop/tax.py"), 0, 0, false, { "# mine" })
      choose(...)
    end
"""
"""Somebody else, a formatter say, changes another file while the menu is open."""


def offered_two_files(vim, moved: Path, right: str):
    """A Neovim in which a fix of two files is offered, and will be chosen from the next menu."""
    it = vim(moved, policy=right)
    for name in ("shop/tax.py", "shop/bill.py"):
        it.edit(name)
    it.wait(lambda: it.diagnostics("shop/bill.py"))
    it.command("Suture fix_all workspace")
    it.answer(it.wait(it.offers)[0]["title"])
    return it


def test_the_menu_of_neovim_applies_an_edit_of_two_files_to_both(vim, moved: Path, right: str):
    it = offered_two_files(vim, moved, right)
    it.lua("vim.lsp.buf.code_action()")
    it.hears("applied to shop/bill.py, shop/tax.py")
    assert it.decisions() == ["accepted"]
    assert all("from shop.totals import total" in it.text(name) for name in ("shop/tax.py", "shop/bill.py"))


def test_the_menu_of_neovim_applies_an_edit_of_two_files_to_none_where_one_is_newer(vim, moved: Path, right: str):
    it = offered_two_files(vim, moved, right)
    it.lua(MINE)
    it.lua("vim.lsp.buf.code_action()")
    it.hears("not applied: ")
    assert "from shop.prices import total" in it.text("shop/bill.py")
    assert it.text("shop/tax.py").startswith("# mine\nfrom shop.prices import RATE\nfrom shop.prices import total")
    assert it.decisions() == []


def test_fix_all_offers_each_problem_on_its_own(vim, cart: Path, script):
    (cart / "cart.py").write_text("def total(prices):\n    return sum(prices) + 1\n\n\ndef count(prices):\n    return len(prices) + 1\n")
    (cart / "test_cart.py").write_text(TWO)
    turns = [
        {"after": "test_total", "match": "def total", "text": "    return sum(prices)\n", "repeat": 0},
        {"after": "test_count", "match": "def count", "text": "    return len(prices)\n", "repeat": 0},
    ]
    it = vim(cart, policy=script(*turns))
    it.edit("cart.py")
    it.edit("test_cart.py")
    it.wait(lambda: len(it.diagnostics()) == 2)
    it.command("Suture fix_all")
    it.hears("2 at work")
    it.wait(lambda: len(it.offers()) == 2, 60)
    titles = [each["title"] for each in it.offers()]
    it.answer(titles[1], "Reject")
    it.command("Suture offers")
    it.wait(lambda: it.decisions() == ["rejected"])
    first, second = it.asked()
    assert first["prompt"] == "Proven fixes:"
    assert [label.partition("  [cart.py +1 -1]")[0] for label in first["labels"]] == titles
    assert second["prompt"] == titles[1]
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["rejected", "accepted"])


def test_a_policy_that_is_down_is_said_once_and_shown(vim, cart: Path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    it = vim(cart, policy=f"http://127.0.0.1:{port}/v1", settings={"harness": {"edits_by_rule": "off"}})
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.hears("the policy does not answer")
    it.wait(lambda: it.status() == "suture: 1 problem · policy down")
    it.command("Suture fix")
    it.hears("it is asked again in")
    it.command("Suture fix_all")
    it.wait(lambda: sum("it is asked again in" in each for each in it.said()) == 2)


def test_a_policy_that_fails_half_way_is_no_failed_fix(vim, cart: Path, script):
    it = vim(cart, policy=script({"error": "infrastructure", "message": "the GPU fell off", "repeat": 0}))
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.hears("the policy does not answer: the GPU fell off")
    assert it.journal("SELECT outcome FROM episodes") == [("infrastructure",)]


def test_a_fix_that_is_not_found_is_said_without_a_question(vim, cart: Path, script):
    it = vim(
        cart,
        policy=script({"text": "    return len(prices) + 4\n", "repeat": 0}),
        settings={"harness": {"edits_by_rule": "off", "steps": 2}},
    )
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    assert it.hears("no fix was proven").endswith("(:Suture episode shows what was tried)")
    assert it.asked() == []
    it.command("Suture episode")
    it.wait(lambda: it.nvim.current.buffer.name.endswith(".md"))
    assert "test_total" in "\n".join(it.nvim.current.buffer[:])


def test_a_server_that_is_not_installed(vim, cart: Path):
    it = vim(cart, server=("suture-is-not-here", "lsp"))
    assert "the server is not installed" in it.said()[0]
    assert "pipx install '.[local]' in a clone" in it.said()[0]
    it.edit("cart.py")
    it.command("Suture fix")
    it.wait(lambda: len(it.said()) == 2)
    assert "the server is not installed" in it.said()[1]
    it.command("checkhealth suture")
    assert any("ERROR the server is not installed" in line for line in it.nvim.current.buffer[:])


@pytest.mark.parametrize("nvim", ["0.11"], indirect=True)
def test_the_plain_way_of_neovim_0_11(vim, cart: Path, right: str):
    it = vim(cart, policy=right, setup=False)
    assert it.lua("return package.loaded.suture") is None
    it.lua("vim.lsp.config('suture', { cmd = _G.server, settings = { suture = _G.settings } }); vim.lsp.enable('suture')")
    it.fixed()
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["accepted"])


@pytest.mark.parametrize("nvim", ["0.11"], indirect=True)
def test_without_vim_lsp_enable_an_autocommand_starts_the_server(vim, cart: Path, right: str):
    it = vim(cart, policy=right, prepare="vim.lsp.enable, vim.lsp.config = nil, nil")
    it.fixed()
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["accepted"])
    assert it.lua("return vim.lsp.get_clients()[1].root_dir") == str(cart)


def test_a_workspace_that_is_not_trusted_runs_nothing_until_it_is(vim, cart: Path, right: str):
    it = vim(cart, policy=right, trusted=False)
    it.edit("test_cart.py")
    it.wait(lambda: it.lua("return #vim.lsp.get_clients()") == 1)
    it.command("Suture check")
    it.hears("the workspace is not trusted")
    assert it.diagnostics() == []
    it.command("Suture trust")
    it.wait(it.diagnostics)


def test_checks_log_restart_and_health(vim, cart: Path, artefacts: Path):
    it = vim(cart)
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.command("Suture check")
    it.hears("tests: 2")
    it.command("Suture restart")
    it.hears("restarted")
    it.command("Suture restart server")
    it.wait(it.diagnostics)
    it.command("Suture log")
    assert any("tests: 2" in line for line in it.nvim.current.buffer[:])
    it.command("close")
    it.command("checkhealth suture")
    report = "\n".join(it.nvim.current.buffer[:])
    (artefacts / "checkhealth.txt").write_text(report)
    assert f"OK Neovim {it.version}." in report
    assert ("started by an autocommand" in report) == (it.version == "0.10")
    assert "is suture 0." in report
    assert "it runs for" in report
    assert "OK sandbox: bubblewrap" in report
    assert "ERROR policy: the weights of" in report  # nobody has fetched a model for this home
    assert report.count("ERROR") == 1


def test_the_command_completes_and_says_what_there_is(vim, cart: Path):
    it = vim(cart, setup=False)
    assert it.lua("return vim.fn.getcompletion('Suture f', 'cmdline')") == ["fix", "fix_all"]
    assert it.lua("return vim.fn.getcompletion('Suture fix_all ', 'cmdline')") == ["workspace"]
    it.command("Suture mend")
    assert "there is no :Suture mend; there are fix, fix_all" in it.said()[0]
    it.command("Suture fix")
    it.hears("is not installed" if it.lua("return vim.fn.executable('suture')") == 0 else "does not run here")
    every = it.lua("return require('suture.command').names")
    assert all(it.lua("return type(require('suture.commands.' .. ...).run)", name) == "function" for name in every)
    assert it.lua("return vim.fn.maparg('<Plug>(suture-fix-all)', 'n')") == "<Cmd>Suture fix_all<CR>"


def test_options_that_are_wrong_are_refused_by_name(vim, cart: Path):
    it = vim(cart, setup=False)
    refused = "return select(2, pcall(require('suture').setup, ...))"
    there = "there are cmd, on_offer, progress, save, settings, trusted"
    assert it.lua(refused, {"on_ofer": "diff"}) == f'suture: there is no option "on_ofer"; {there}'
    assert it.lua(refused, {"on_offer": "dif"}) == "suture: on_offer must be a function or one of notify, select, diff, preview, nothing"
    assert it.lua(refused, {"save": 1}) == "suture: the option save must be a boolean"


def test_every_command_is_in_the_help(vim, cart: Path):
    it = vim(cart, setup=False)
    text = (Path(__file__).parents[3] / "editors" / "neovim" / "doc" / "suture.txt").read_text()
    for name in it.lua("return require('suture.command').names"):
        assert f"*:Suture-{name}*" in text
    for option in it.lua("return vim.tbl_keys(require('suture.config').options)"):
        assert f"*suture-{option}*" in text
