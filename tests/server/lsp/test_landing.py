"""A fix of several files arrives in all of them, or the person is told where it did not and nothing is recorded as accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types

from suture_sandbox.patch import FileEdit
from suture_server.lsp.landing import has, whole

PARTIAL = ["neovim", "emacs", "helix"]
BOTH = ["shop/bill.py", "shop/tax.py"]
TEXT = FileEdit(path="a.py", before=b"a\nb\nc\nd\n", after=b"a\nB\nc\nd\n")
NEW = FileEdit(path="b.py", before=None, after=b"x\n")
GONE = FileEdit(path="c.py", before=b"x\n", after=None)


async def offered(editor, root: Path, policy: str, client: str):
    """An editor with an offer that changes two files which it has open, and its entry in the menu of one of them."""
    it = await editor(root, policy=policy, client=client)
    buffers = [it.open(name) for name in BOTH]
    await it.failing(BOTH[0])
    await it.command("suture.fixAll", root=it.uri("."))
    offer = await it.offered()
    assert [each["path"] for each in offer["files"]] == BOTH
    line = it.diagnostics(BOTH[0])[0].range.start.line
    return it, buffers, offer, (await it.actions(buffers[0], line))[-1]


def fixed(buffers) -> list[bool]:
    return ["from shop.totals import total" in each.text for each in buffers]


@pytest.mark.parametrize("client", PARTIAL)
async def test_a_menu_that_might_apply_a_part_gets_a_command(editor, moved: Path, right: str, client: str):
    it, buffers, _, action = await offered(editor, moved, right, client)
    if action.data is not None:
        action = await it.client.code_action_resolve_async(action)
    assert action.edit is None
    assert action.command.command == "suture.accept"
    await it.choose(action)
    assert fixed(buffers) == [True, True]
    assert it.decisions() == ["accepted"]


async def test_a_menu_that_applies_all_or_nothing_gets_the_edit(editor, moved: Path, right: str):
    it, buffers, _, action = await offered(editor, moved, right, "vscode")
    action = await it.client.code_action_resolve_async(action)
    assert len(action.edit.document_changes) == 2
    assert action.command.command == "suture.accepted"
    await it.choose(action)
    assert fixed(buffers) == [True, True]
    await it.wait(lambda: it.decisions() == ["accepted"])


async def test_a_refusal_in_the_menu_is_told_since_menus_drop_answers(editor, moved: Path, right: str):
    it, buffers, _, action = await offered(editor, moved, right, "helix")
    it.refuses_edits = True
    await it.choose(action)
    await it.wait(lambda: it.messages("Not applied: not now"))
    assert fixed(buffers) == [False, False]
    assert it.decisions() == []


@pytest.mark.parametrize("how", ["says that all is well", "fails"])
async def test_a_part_is_taken_back_and_is_no_decision(editor, moved: Path, right: str, how: str):
    it, buffers, offer, _ = await offered(editor, moved, right, "helix")
    before = [each.text for each in buffers]
    it.leaves_out, it.stops_at = ({BOTH[1]}, "") if how == "says that all is well" else (set(), BOTH[1])
    answer = await it.command("suture.accept", offer=offer["id"])
    assert answer == {"applied": False, "reason": "the editor applied it to shop/bill.py only; that was taken back"}
    assert [each.text for each in buffers] == before
    assert len(it.applied) == 2
    assert it.decisions() == []
    it.leaves_out, it.stops_at = set(), ""
    (standing,) = await it.command("suture.offers")
    assert standing["state"] == "ready"
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert fixed(buffers) == [True, True]
    assert it.decisions() == ["accepted"]


async def test_a_part_that_cannot_be_taken_back_is_left_to_the_person(editor, moved: Path, right: str):
    it, buffers, offer, _ = await offered(editor, moved, right, "emacs")
    it.leaves_out, before = {BOTH[1]}, buffers[0].text

    def once(given: types.WorkspaceEdit) -> bool:
        return not it.applied and type(it).apply(it, given)

    it.apply = once
    answer = await it.command("suture.accept", offer=offer["id"])
    assert answer == {"applied": False, "reason": "the editor applied it to shop/bill.py only; undo that in shop/bill.py"}
    assert fixed(buffers) == [True, False]
    assert it.decisions() == []
    it.replace(buffers[0], before)
    (standing,) = await it.command("suture.offers")
    assert (standing["state"], len(standing["files"])) == ("ready", 2)


async def test_what_was_typed_into_a_part_stays(editor, moved: Path, right: str):
    it, buffers, offer, _ = await offered(editor, moved, right, "helix")
    it.leaves_out = {BOTH[1]}

    def typing(given: types.WorkspaceEdit) -> bool:
        applied = type(it).apply(it, given)
        it.replace(buffers[0], f"{buffers[0].text}# typed\n")
        return applied

    it.apply = typing
    answer = await it.command("suture.accept", offer=offer["id"])
    assert answer["reason"].endswith("; undo that in shop/bill.py")
    assert fixed(buffers) == [True, False]
    assert buffers[0].text.endswith("# typed\n")
    assert it.decisions() == []


async def test_an_edit_that_went_nowhere_is_not_accepted_whatever_the_editor_says(editor, moved: Path, right: str):
    it, buffers, offer, _ = await offered(editor, moved, right, "neovim")
    it.leaves_out = set(BOTH)
    answer = await it.command("suture.accept", offer=offer["id"])
    assert answer == {"applied": False, "reason": "the editor did not apply it to shop/bill.py, shop/tax.py"}
    assert it.decisions() == []
    it.leaves_out = set()
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert fixed(buffers) == [True, True]


async def test_what_is_typed_beside_the_edit_does_not_make_it_a_part(editor, moved: Path, right: str):
    it, buffers, offer, _ = await offered(editor, moved, right, "helix")

    def typing(given: types.WorkspaceEdit) -> bool:
        applied = type(it).apply(it, given)
        it.replace(buffers[1], f"{buffers[1].text}# typed\n")
        return applied

    it.apply = typing
    assert await it.command("suture.accept", offer=offer["id"]) == {"applied": True}
    assert it.decisions() == ["accepted"]


@pytest.mark.parametrize(
    ("edits", "handling", "expected"),
    [
        ([TEXT], "abort", True),
        ([TEXT, TEXT], "abort", False),
        ([NEW], "abort", False),
        ([TEXT, TEXT], "textOnlyTransactional", True),
        ([TEXT, NEW], "textOnlyTransactional", False),
        ([GONE], "textOnlyTransactional", False),
        ([TEXT, NEW, GONE], "transactional", True),
        ([TEXT, NEW, GONE], "undo", True),
    ],
)
def test_what_clients_promise(edits, handling: str, expected: bool):
    assert whole(edits, handling) is expected


@pytest.mark.parametrize(
    ("edit", "present", "expected"),
    [
        (TEXT, TEXT.after, True),
        (TEXT, TEXT.before, False),
        (TEXT, b"a\nB\nc\nd\ne\n", True),
        (TEXT, b"# new\na\nb\nc\nd\n", False),
        (TEXT, b"# new\nB\nb\nc\nd\n", False),
        (TEXT, None, False),
        (NEW, NEW.after, True),
        (NEW, None, False),
        (GONE, None, True),
        (GONE, GONE.before, False),
        (FileEdit(path="d", before=b"\xff", after=b"\xfe"), b"\xff\n", False),
    ],
)
def test_whether_a_text_has_an_edit(edit, present, expected: bool):
    assert has(edit, present) is expected
