"""The same way for the recorded capabilities of several editors: what each cannot take is left out, and the fix arrives all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

CLIENTS = ["vscode", "neovim", "emacs", "helix"]


@pytest.mark.parametrize("name", CLIENTS)
async def test_from_failure_to_fix_by_messages(editor, cart: Path, right: str, name: str):
    it = await editor(cart, policy=right, client=name, offers=False)
    buffer = it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    it.answers = ["Apply"]
    await it.choose(action)
    await it.wait(lambda: "return sum(prices)\n" in buffer.text)
    await it.wait(lambda: it.decisions() == ["accepted"])
    (asked,) = it.asked
    assert asked.message.startswith("Fix with agent: passes test_total and 2 others")
    assert [each.title for each in asked.actions] == ["Apply", "Show diff", "Dismiss"]
    assert it.journal("SELECT shown, seen IS NOT NULL FROM offers") == [("message", 1)]


@pytest.mark.parametrize("name", CLIENTS)
async def test_actions_hold_only_what_the_client_announces(editor, cart: Path, right: str, name: str):
    it = await editor(cart, policy=right, client=name)
    it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.offered()
    (ready,) = await it.actions(tests, 4)
    can = it.client.capabilities
    supported = can.text_document.code_action
    resolves = supported.resolve_support is not None and "edit" in supported.resolve_support.properties
    assert (ready.edit is None) == resolves
    if resolves:
        ready = await it.client.code_action_resolve_async(ready)
    assert ready.edit is not None
    versioned = bool(can.workspace.workspace_edit.document_changes)
    assert (ready.edit.document_changes is not None) == versioned
    assert (ready.edit.change_annotations is not None) == (versioned and can.workspace.workspace_edit.change_annotation_support is not None)
    assert (ready.tags is not None) == (supported.tag_support is not None)
    assert ready.is_preferred is None


async def test_a_client_that_cannot_ask_shows_the_offer_and_has_it_in_its_menu(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, client="helix-25.01", offers=False)
    it.can_ask = False
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.wait(lambda: it.messages("Fix with agent: passes test_total and 2 others, build clean (cart.py)"))
    (ready,) = await it.actions(tests, 4)
    await it.choose(ready)
    assert "return sum(prices)\n" in buffer.text
    await it.wait(lambda: it.decisions() == ["accepted"])


async def test_a_client_that_takes_no_edits_of_a_server_gets_the_edit_without_a_command(editor, cart: Path, right: str):
    """ALE runs the command of an action that has one, and leaves out its edit."""

    def no_edits(given: types.ClientCapabilities) -> None:
        given.workspace.apply_edit = False
        given.text_document.code_action.resolve_support = None

    it = await editor(cart, policy=right, client="helix-25.01", shape=no_edits)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.offered()
    (ready,) = await it.actions(tests, 4)
    assert ready.command is None
    await it.choose(ready)
    assert "return sum(prices)\n" in buffer.text
    await it.wait(lambda: it.decisions() == ["accepted"])


async def test_a_client_that_can_do_nothing_gets_commands_and_diagnostics(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, client="minimal", offers=False)
    it.open("cart.py")
    tests = it.open("test_cart.py")
    await it.failing()
    assert {each.related_information for each in it.diagnostics("test_cart.py")} == {None}
    (action,) = await it.actions(tests, 4)
    assert isinstance(action, types.Command)
    assert action.command == "suture.fix"
    it.answers = ["Apply"]
    await it.client.workspace_execute_command_async(types.ExecuteCommandParams(action.command, action.arguments))
    await it.wait(lambda: any("cannot apply edits" in each.message for each in it.client.messages))
    assert it.decisions() == []


async def test_a_client_that_cannot_be_told_to_pull_again_is_pushed_everything(editor, cart: Path, right: str):
    it = await editor(cart, policy=right, client="neovim")
    assert it.client.capabilities.text_document.diagnostic is not None
    tests = it.open("test_cart.py")
    shown = await it.failing()
    assert await it.pulled(tests) == []
    assert len(shown) == 2


async def test_a_client_without_versions_gets_plain_changes(editor, cart: Path, right: str):
    def plain(given: types.ClientCapabilities) -> None:
        given.workspace.workspace_edit = types.WorkspaceEditClientCapabilities()

    it = await editor(cart, policy=right, shape=plain)
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    offer = await it.offered()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert list(it.applied[0].changes) == [buffer.uri]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_positions_are_in_the_encoding_that_was_agreed_upon(editor, cart: Path, right: str, encoding: str):
    def only(given: types.ClientCapabilities) -> None:
        given.general.position_encodings = [types.PositionEncodingKind(encoding)]

    (cart / "test_cart.py").write_text('from cart import total\n\n\ndef test_total():\n    "😀"; assert total([1, 2]) == 3\n')
    it = await editor(cart, policy=right, shape=only)
    assert it.result.capabilities.position_encoding == encoding
    it.open("test_cart.py")
    (failing,) = await it.failing()
    line = '    "😀"; assert total([1, 2]) == 3'
    units: Any = {"utf-8": len(line.encode()), "utf-16": len(line.encode("utf-16-le")) // 2, "utf-32": len(line)}
    assert (failing.range.start.character, failing.range.end.character) == (4, units[encoding])
