"""From a failing check to an applied and recorded fix, in Neovim itself; and what else may become of an offer there."""

from __future__ import annotations

import re
from pathlib import Path

LATE = {"text": "    return sum(prices)\n", "repeat": 0, "delay": 60}


def test_a_failure_is_shown_fixed_looked_at_accepted_and_recorded(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    it.edit("cart.py")
    it.edit("test_cart.py")
    found = it.wait(it.diagnostics)
    it.wait(lambda: it.status() == "suture: 1 problem")
    assert [each["lnum"] for each in found] == [4, 8]
    assert found[0]["message"].startswith("test_total: ")
    it.at(5)
    actions = it.lua("""
        local params = vim.lsp.util.make_range_params(0, "utf-8")
        params.context = { diagnostics = {} }
        local answer = vim.lsp.buf_request_sync(0, "textDocument/codeAction", params, 5000)
        return vim.tbl_values(answer)[1].result
    """)
    assert [each["title"] for each in actions] == ["Fix with agent (tests)"]
    it.command("Suture fix")
    offer = it.wait(it.offers)[0]
    assert offer["title"] == "Fix with agent: passes test_total and 2 others, build clean"
    assert it.hears(offer["title"]).endswith("(:Suture diff)")
    it.wait(lambda: it.status() == "suture: 1 offer")
    assert "+ 1" in it.text("cart.py")
    it.command("Suture diff")
    it.wait(lambda: it.lua("return #vim.api.nvim_list_tabpages()") == 2)
    assert it.lua("return vim.tbl_map(function(w) return vim.wo[w].diff end, vim.api.nvim_tabpage_list_wins(0))") == [True, True]
    sides = it.lua("""
        return vim.tbl_map(function(w)
          return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(w), 0, -1, false), "\\n")
        end, vim.api.nvim_tabpage_list_wins(0))
    """)
    assert ["+ 1" in side for side in sides] == [True, False]
    it.wait(lambda: it.journal("SELECT seen IS NOT NULL FROM offers") == [(1,)])
    it.keys("A")
    it.wait(lambda: it.decisions() == ["accepted"])
    it.wait(lambda: it.lua("return #vim.api.nvim_list_tabpages()") == 1)
    assert "return sum(prices)\n" in it.text("cart.py")
    assert "+ 1" in it.disk("cart.py")
    it.hears("applied to cart.py (:wall writes)")
    it.command("wall")
    assert "return sum(prices)\n" in it.disk("cart.py")
    it.wait(lambda: not it.diagnostics())
    it.wait(lambda: it.journal("SELECT moment, tokens = kept FROM survivals") == [("save", 1)])
    assert it.journal("SELECT shown FROM offers") == [("notification",)]
    assert it.journal("SELECT source FROM decisions") == [("told",)]
    it.wait(lambda: it.status() == "")


def test_the_code_action_menu_of_neovim_applies_a_proven_fix(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    offer = it.fixed()
    it.answer(offer["title"])
    it.lua("vim.lsp.buf.code_action()")
    it.wait(lambda: it.decisions() == ["accepted"])
    assert "return sum(prices)\n" in it.text("cart.py")
    assert it.offers() == []


def test_fixing_what_has_an_offer_asks_what_to_do_with_it(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    offer = it.fixed()
    it.answer("Accept")
    it.command("Suture fix")
    it.wait(lambda: it.decisions() == ["accepted"])
    (asked,) = it.asked()
    assert asked["prompt"] == offer["title"]
    assert asked["labels"] == ["Show the diff", "Preview in the text", "Accept", "Reject", "Show the episode"]


def test_reject_with_a_reason(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    it.fixed()
    it.command("Suture reject too short for me")
    it.wait(lambda: it.journal("SELECT kind, reason FROM decisions") == [("rejected", "too short for me")])
    it.wait(lambda: it.offers() == [])
    assert "+ 1" in it.text("cart.py")
    it.command("Suture accept")
    it.hears("there is no offer")
    it.edit("cart.py")  # where nothing is wrong
    it.answer("20")  # the year of the only episode there is
    it.command("Suture episode")
    it.wait(lambda: it.nvim.current.buffer.name.endswith(".md"))
    assert "rejected" in "\n".join(it.nvim.current.buffer[:])
    assert [re.sub(r"[0-9]+ s", "N s", label[18:]) for label in it.asked()[-1]["labels"]] == ["tests, fixed  (N s)"]


def test_undo_after_accepting_is_a_revert(vim, cart: Path, right: str):
    it = vim(cart, policy=right, save=True)
    it.fixed()
    it.edit("cart.py")
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["accepted"])
    it.wait(lambda: "return sum(prices)\n" in it.disk("cart.py"))
    it.command("undo")
    assert "+ 1" in it.text("cart.py")
    it.wait(lambda: it.decisions() == ["accepted", "reverted"])


def test_a_preview_marks_the_text_and_goes_with_the_next_change(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    it.fixed()
    marks = """
        local space = vim.api.nvim_create_namespace("suture.preview")
        return vim.api.nvim_buf_get_extmarks(vim.fn.bufadd("cart.py"), space, 0, -1, { details = true })
    """
    it.command("Suture preview")
    shown = it.wait(lambda: it.lua(marks))
    assert [(row, details.get("line_hl_group")) for _, row, _, details in shown] == [(1, "DiffDelete"), (1, None)]
    assert shown[1][3]["virt_lines"] == [[["+     return sum(prices)", "DiffAdd"]]]
    assert it.nvim.current.buffer.name.endswith("/cart.py")
    assert it.nvim.current.window.cursor == (2, 0)
    it.command("Suture preview")
    assert it.lua(marks) == []
    it.command("Suture preview")
    it.wait(lambda: it.lua(marks))
    it.replace("cart.py", "def count", "# how many\ndef count")
    it.wait(lambda: it.lua(marks) == [])


def test_cancel_half_way(vim, cart: Path, script):
    it = vim(cart, policy=script(LATE), settings={"harness": {"edits_by_rule": "off"}})
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.wait(lambda: it.status().startswith("suture: ") and " s" in it.status() and "check" not in it.status())
    it.wait(lambda: it.lua("return vim.lsp.status()") != "")
    it.wait(lambda: it.message_line().startswith("suture: ") and it.message_line().endswith(" s"))
    it.command("Suture cancel")
    it.hears("1 cancelled")
    it.wait(lambda: it.status() == "suture: 1 problem")
    assert it.offers() == []
    it.command("Suture cancel")
    it.hears("nothing runs")


def test_progress_is_left_to_what_shows_it_already(vim, cart: Path, script):
    it = vim(cart, policy=script(LATE), settings={"harness": {"edits_by_rule": "off"}})
    it.lua("vim.api.nvim_create_autocmd('LspProgress', { callback = function() end })")
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.wait(lambda: it.status().endswith(" s"))
    assert not it.message_line().endswith(" s")
    it.command("Suture cancel")
    it.hears("1 cancelled")


def test_what_is_typed_while_it_works_stays_and_the_fix_is_moved_onto_it(vim, cart: Path, script):
    it = vim(
        cart, policy=script({"text": "    return sum(prices)\n", "repeat": 0, "delay": 2}), settings={"harness": {"edits_by_rule": "off"}}
    )
    it.edit("cart.py")
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.wait(lambda: it.status() != "")
    it.replace("cart.py", "def total", "# the sum\ndef total")
    it.wait(lambda: [each for each in it.offers() if each["state"] == "ready"], 60)
    it.command("Suture accept")
    it.wait(lambda: it.decisions() == ["accepted"])
    assert it.text("cart.py").startswith("# the sum\ndef total(prices):\n    return sum(prices)\n")


def test_an_offer_whose_text_is_rewritten_says_that_it_is_gone(vim, cart: Path, right: str):
    it = vim(cart, policy=right)
    it.fixed()
    it.command("Suture diff")
    it.wait(lambda: it.lua("return #vim.api.nvim_list_tabpages()") == 2)
    it.replace("cart.py", "sum(prices) + 1", "sum(prices) + 2")
    it.hears("an offer is expired")
    assert it.lua("return #vim.api.nvim_list_tabpages()") == 1
    assert it.decisions() == ["expired"]


def test_asking_twice_joins(vim, cart: Path, script):
    it = vim(cart, policy=script(LATE), settings={"harness": {"edits_by_rule": "off"}})
    it.edit("test_cart.py")
    it.wait(it.diagnostics)
    it.at(5)
    it.command("Suture fix")
    it.wait(lambda: " s" in it.status())
    it.command("Suture fix")
    it.hears("nothing to fix on this line, or an agent is at work on it")
    it.command("Suture fix_all")
    it.hears("1 at work")
    it.command("Suture cancel")
    it.hears("1 cancelled")
